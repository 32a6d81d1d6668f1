// Folders that take long to make, kept between runs in the user's cache. In: a name, all that a folder is
// made from, and how it is made. Out: its path.
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rename, rm, stat, utimes } from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';

export type Recipe = {
  readonly name: string;
  /** All that the folder is made from: where this differs, the folder is made again. */
  readonly from: readonly string[];
  /** Fills an empty folder. */
  readonly make: (folder: string) => Promise<void>;
};

const unusedMs = 7 * 24 * 60 * 60_000;

/** The path of the folder; the first call on a machine makes it, later ones find it. */
export async function keptFolder({ name, from, make }: Recipe): Promise<string> {
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
  const digest = createHash('sha256').update(JSON.stringify(from)).digest('hex').slice(0, 8);
  const kept = join(cache, `${name}-${digest}`);
  if (await exists(kept)) {
    // The day it was last used.
    await utimes(kept, new Date(), new Date());
    return kept;
  }
  await mkdir(cache, { recursive: true });
  // Made aside and renamed, so that nobody finds a half-made one.
  const made = await mkdtemp(join(cache, `${name}-new-`));
  try {
    await make(made);
    await rename(made, kept);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    // Another process may have been first; what it made is as good.
    if (!(await exists(kept))) throw error;
  }
  await removeUnused(cache, name);
  return kept;
}

/** Removes folders of this name, half-made ones too, that no checkout has used for a week. */
async function removeUnused(cache: string, name: string): Promise<void> {
  const others = (await readdir(cache)).filter((folder) => folder.startsWith(`${name}-`));
  for (const path of others.map((folder) => join(cache, folder))) {
    const { mtimeMs } = await stat(path);
    if (Date.now() - mtimeMs > unusedMs) await rm(path, { recursive: true, force: true });
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

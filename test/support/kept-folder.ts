// Folders that take long to make, kept between runs in the user's cache. In: a name, all that a folder is
// made from, and how it is made. Out: its path.
import { createHash } from 'node:crypto';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
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

/** The path of the folder; the first call on a machine makes it, later ones find it. */
export async function keptFolder({ name, from, make }: Recipe): Promise<string> {
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
  const digest = createHash('sha256').update(JSON.stringify(from)).digest('hex').slice(0, 8);
  const kept = join(cache, `${name}-${digest}`);
  if (await exists(kept)) return kept;
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
  await removeOlder(cache, name, kept);
  return kept;
}

/** Removes what was made from something else, which nobody looks for any more. */
async function removeOlder(cache: string, name: string, kept: string): Promise<void> {
  const older = (await readdir(cache)).filter(
    (folder) =>
      folder.startsWith(`${name}-`) &&
      /^[0-9a-f]{8}$/.test(folder.slice(name.length + 1)) &&
      join(cache, folder) !== kept,
  );
  await Promise.all(older.map((folder) => rm(join(cache, folder), { recursive: true })));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

// Copies of the manifests that could be used as a whole, so that what was good outlives a restart: a slip of
// the pen must not take down a Service that works, whenever it is made.
import { hash } from 'node:crypto';
import { mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, join, resolve } from 'node:path';
import { readFile, type ManifestText } from './files.ts';

type Text = Extract<ManifestText, { kind: 'text' }>;

/** Where below `folder` the copies of the files at `path` are. */
export function copiesFolder(folder: string, path: string): string {
  return join(folder, hash('sha256', resolve(path), 'hex').slice(0, 16));
}

/** The copies of the files at one path. Invariant: #last is the last write, which ends after all before it. */
export class GoodCopies {
  readonly #folder: string;
  readonly #onFault: (error: Error) => void;
  #last: Promise<void> = Promise.resolve();
  #isBroken = false;

  /** Keeps them in a folder of their own below `folder`. `onFault` hears once that they cannot be kept. */
  constructor(folder: string, path: string, onFault: (error: Error) => void) {
    this.#folder = copiesFolder(folder, path);
    this.#onFault = onFault;
  }

  /** Copies what the file holds now, soon; what is copied already is not written again. */
  keep(file: string, { text }: Text): void {
    this.#do(async () => {
      const copy = this.#copyOf(file);
      if (await isNewer(copy, file)) return;
      await mkdir(this.#folder, { recursive: true, mode: 0o700 });
      await writeFile(`${copy}.new`, text, { mode: 0o600 });
      await rename(`${copy}.new`, copy);
    });
  }

  /** Forgets the copies of all files but these. */
  keepOnly(files: Iterable<string>): void {
    const names = new Set([...files].map((file) => basename(file)));
    this.#do(async () => {
      for (const name of await readdir(this.#folder).catch(() => [])) {
        if (!names.has(name)) await rm(join(this.#folder, name), { force: true });
      }
    });
  }

  /** The copy of a file, if there is one. */
  async read(file: string): Promise<Text | undefined> {
    const found = await readFile(this.#copyOf(file), {});
    return found.kind === 'text' ? { ...found, file } : undefined;
  }

  /** Ends when all is written. */
  async settle(): Promise<void> {
    await this.#last;
  }

  #copyOf(file: string): string {
    return join(this.#folder, basename(file));
  }

  #do(work: () => Promise<void>): void {
    this.#last = this.#last.then(work).catch((error: unknown) => {
      if (!this.#isBroken) this.#onFault(error as Error);
      this.#isBroken = true;
    });
  }
}

async function isNewer(copy: string, file: string): Promise<boolean> {
  const [ours, theirs] = await Promise.all([stat(copy).catch(() => undefined), stat(file)]);
  return ours !== undefined && ours.size === theirs.size && ours.mtimeMs > theirs.mtimeMs;
}

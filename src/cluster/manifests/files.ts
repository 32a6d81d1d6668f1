// Reads manifest files from disk or standard input: a path in, bytes in a stable order out.
import { hash } from 'node:crypto';
import { open as openFile, readdir, stat, type FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { ManifestError } from '../../errors.ts';
import { printable } from '../problem.ts';

/** Bytes that arrive in pieces. */
export type ByteStream = AsyncIterable<Uint8Array | string>;

/** Where files come from besides the disk, and how large one may be. */
export type FileSource = {
  /** What the path `-` stands for. */
  readonly stdin?: ByteStream | undefined;
  readonly maxBytes?: number | undefined;
  /** Opens a file on disk. */
  readonly open?: (file: string) => Promise<FileHandle>;
};

/** One file: what is in it, or why it cannot be read. */
export type ManifestText =
  /** Without a byte order mark; `digest` is the SHA-256, in hex, of the bytes. */
  | { readonly kind: 'text'; readonly file: string; readonly text: string; readonly digest: string }
  | { readonly kind: 'unreadable'; readonly file: string; readonly reason: string };

/** The manifests at a path. */
export type ManifestPaths = {
  readonly isFolder: boolean;
  readonly files: readonly string[];
  /** Those of the files in a folder that are symbolic links. */
  readonly links: readonly string[];
};

/** The name that messages give to standard input. */
const stdinName = 'standard input';

const smallestBuffer = 4096;
const defaultMaxBytes = 256 * 1024 * 1024;

/**
 * The manifests at `path`: the file itself, or those of a folder sorted by name, without the hidden ones
 * and without folders below. Throws ManifestError where there is nothing at the path.
 */
export async function manifestPaths(path: string): Promise<ManifestPaths> {
  if (path === '-') return { isFolder: false, files: [path], links: [] };
  try {
    if (!(await stat(path)).isDirectory()) return { isFolder: false, files: [path], links: [] };
    const found = (await readdir(path, { withFileTypes: true })).filter(
      (entry) => isManifestName(entry.name) && !entry.isDirectory(),
    );
    const files: string[] = [];
    const links: string[] = [];
    for (const entry of found) {
      const file = join(path, entry.name);
      if (entry.isSymbolicLink()) {
        if (await isFolder(file)) continue;
        links.push(file);
      }
      files.push(file);
    }
    return { isFolder: true, files: files.toSorted(), links };
  } catch (error) {
    throw new ManifestError(`${printable(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

/** True for the names of files that are read in a folder. */
export function isManifestName(name: string): boolean {
  return !name.startsWith('.') && /\.(ya?ml|json)$/.test(name);
}

/** Reads one file, or standard input, to its end. */
export async function readFile(path: string, source: FileSource): Promise<ManifestText> {
  const file = path === '-' ? stdinName : path;
  try {
    const bytes = await (path === '-' ? readStdin(source) : readWhole(path, source));
    const text = new TextDecoder().decode(bytes);
    return { kind: 'text', file, text, digest: hash('sha256', bytes, 'hex') };
  } catch (error) {
    return { kind: 'unreadable', file, reason: reasonOf(error) };
  }
}

class TooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`is larger than ${limitText(maxBytes)}`);
  }
}

// Into one buffer: thousands of pieces would cost their memory twice, and make V8 collect all the time.
async function readWhole(
  file: string,
  { maxBytes = defaultMaxBytes, open = openFile }: FileSource,
): Promise<Buffer> {
  await using handle = await open(file);
  const { size } = await handle.stat();
  // One byte more than there is, to meet the end; what is no plain file has no size.
  let bytes = Buffer.allocUnsafeSlow(Math.max(Math.min(size, maxBytes) + 1, smallestBuffer));
  let length = 0;
  for (;;) {
    const { bytesRead } = await handle.read(bytes, { offset: length });
    if (bytesRead === 0) return bytes.subarray(0, length);
    length += bytesRead;
    if (length > maxBytes) throw new TooLargeError(maxBytes);
    if (length === bytes.length) bytes = Buffer.concat([bytes, Buffer.allocUnsafe(length)]);
  }
}

async function readStdin({ stdin, maxBytes = defaultMaxBytes }: FileSource): Promise<Buffer> {
  if (stdin === undefined) throw new Error('is not available');
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stdin) {
    const bytes = Buffer.from(piece as Uint8Array);
    size += bytes.length;
    if (size > maxBytes) throw new TooLargeError(maxBytes);
    pieces.push(bytes);
  }
  return Buffer.concat(pieces);
}

function limitText(bytes: number): string {
  return bytes >= 1024 * 1024 ? `${Math.floor(bytes / 1024 / 1024)} MiB` : `${bytes} bytes`;
}

async function isFolder(path: string): Promise<boolean> {
  // A dangling link is kept: reading it says what is wrong.
  const found = await stat(path).catch(() => undefined);
  return found?.isDirectory() ?? false;
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'no such file or folder',
  ENOTDIR: 'no such file or folder',
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'too many symbolic links',
};

function reasonOf(error: unknown): string {
  const code = (error as NodeJS.ErrnoException).code;
  return (
    (code === undefined ? undefined : reasons[code]) ?? printable(String((error as Error).message))
  );
}

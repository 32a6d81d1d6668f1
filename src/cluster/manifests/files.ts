// Reads manifest files from disk or standard input: a path in, bytes in a stable order out.
import { open, readdir, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { ManifestError } from '../../errors.ts';
import { printable } from '../problem.ts';

/** Bytes that arrive in pieces. */
export type ByteStream = AsyncIterable<Uint8Array | string>;

/** Where files come from besides the disk, and how large one may be. */
export type FileSource = {
  /** What the path `-` stands for. */
  readonly stdin?: ByteStream | undefined;
  readonly maxBytes?: number | undefined;
};

/** One file: what is in it, or why it cannot be read. */
export type ManifestBytes =
  | { readonly kind: 'bytes'; readonly file: string; readonly bytes: Buffer }
  | { readonly kind: 'unreadable'; readonly file: string; readonly reason: string };

/** The name that messages give to standard input. */
export const stdinName = 'standard input';

const smallestBuffer = 4096;
const defaultMaxBytes = 256 * 1024 * 1024;

/**
 * The manifests at `path`: the file, or those of a folder sorted by name, without the hidden ones and
 * without folders below. Throws ManifestError where there is nothing at the path.
 */
export async function readFiles(
  path: string,
  source: FileSource,
): Promise<readonly ManifestBytes[]> {
  if (path === '-') return [await readStdin(source)];
  const files: ManifestBytes[] = [];
  for (const file of await manifestPaths(path)) files.push(await readOne(file, source));
  return files;
}

/** The files that `path` stands for: itself, or the manifests in the folder that it is. */
export async function manifestPaths(path: string): Promise<readonly string[]> {
  try {
    if (!(await stat(path)).isDirectory()) return [path];
    const names = (await readdir(path)).filter(isManifestName).toSorted();
    const paths = names.map((name) => join(path, name));
    const kinds = await Promise.all(paths.map(isFolder));
    return paths.filter((_, index) => kinds[index] !== true);
  } catch (error) {
    throw new ManifestError(`${printable(path)}: ${reasonOf(error)}`, { cause: error });
  }
}

async function readOne(file: string, source: FileSource): Promise<ManifestBytes> {
  try {
    return { kind: 'bytes', file, bytes: await readWhole(file, source) };
  } catch (error) {
    return { kind: 'unreadable', file, reason: reasonOf(error) };
  }
}

async function readStdin(source: FileSource): Promise<ManifestBytes> {
  if (source.stdin === undefined) return unreadableStdin('is not available');
  try {
    return { kind: 'bytes', file: stdinName, bytes: await readBounded(source.stdin, source) };
  } catch (error) {
    return unreadableStdin(reasonOf(error));
  }
}

function unreadableStdin(reason: string): ManifestBytes {
  return { kind: 'unreadable', file: stdinName, reason };
}

class TooLargeError extends Error {
  constructor(maxBytes: number) {
    super(`is larger than ${limitText(maxBytes)}`);
  }
}

// Into one buffer: thousands of pieces would cost their memory twice, and make V8 collect all the time.
async function readWhole(
  file: string,
  { maxBytes = defaultMaxBytes }: FileSource,
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

async function readBounded(
  stream: ByteStream,
  { maxBytes = defaultMaxBytes }: FileSource,
): Promise<Buffer> {
  const pieces: Buffer[] = [];
  let size = 0;
  for await (const piece of stream) {
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

function isManifestName(name: string): boolean {
  return !basename(name).startsWith('.') && /\.(ya?ml|json)$/.test(name);
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

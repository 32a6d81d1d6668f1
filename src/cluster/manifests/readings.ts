// What each manifest at a path holds, from the first reading on: only what changed is read again, and only
// what has other bytes is parsed again.
import { lstat } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import { ManifestError } from '../../errors.ts';
import { printable } from '../problem.ts';
import { readEntries, type EntryOptions, type FileReading } from './entries.ts';
import { isManifestName, manifestPaths, readFile, type FileSource } from './files.ts';
import type { GoodCopies } from './good-copies.ts';
import { isGood, nothingRead, withLastGood } from './last-good.ts';

/** All files of a path; a file that did not change has the very reading of before. */
export type Readings = {
  readonly path: string;
  readonly isFolder: boolean;
  readonly links: readonly string[];
  /** The path itself cannot be read, so that the files are those of before. */
  readonly isRefused: boolean;
  /** By path, in the order in which they count. */
  readonly files: ReadonlyMap<string, FileReading>;
};

export type ReadOptions = FileSource &
  Pick<EntryOptions, 'onObject'> & {
    /** Where what was good is kept over a restart; undefined: nowhere. */
    readonly copies?: GoodCopies | undefined;
  };

/**
 * Reads all files for the first time; throws ManifestError where one cannot be read and was never good, or where
 * there is nothing in them that is read.
 */
export async function readFirst(path: string, options: ReadOptions): Promise<Readings> {
  const readings = await readFiles(path, options, new Map());
  const all = [...readings.files.values()];
  for (const { file, digest, entries, failure } of all) {
    if (digest !== '' || entries.length > 0) continue;
    throw new ManifestError(`${printable(file)}: ${failure?.message}`);
  }
  if (all.every(({ entries, failure }) => entries.length === 0 && failure === undefined)) {
    throw new ManifestError(`${printable(path)}: ${nothingRead}`);
  }
  return readings;
}

/** Reads all files again; what cannot be used is as it was, with a failure. */
export async function readAgain(before: Readings, options: ReadOptions): Promise<Readings> {
  const { path } = before;
  try {
    return await readFiles(path, options, before.files);
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    // The path itself is gone, or nothing is in it any more.
    const reason = error.message.slice(printable(path).length + ': '.length);
    const files = new Map(before.files);
    files.set(path, unreadable(path, reason, files.get(path)));
    return { ...before, isRefused: true, files };
  }
}

/** Reads the files at the `changed` paths again; undefined: more than these files may have changed. */
export async function readChanged(
  before: Readings,
  changed: ReadonlySet<string>,
  options: ReadOptions,
): Promise<Readings | undefined> {
  const { path, isFolder, links, isRefused } = before;
  // What a link leads to may change without a change of the link.
  if (!isFolder || links.length > 0 || isRefused) return undefined;
  const files = new Map(before.files);
  let hasNew = false;
  for (const place of changed) {
    if (dirname(place) !== resolve(path)) return undefined;
    if (!isManifestName(basename(place))) continue;
    const file = join(path, basename(place));
    const kind = await kindOf(file);
    if (kind === 'other') return undefined;
    if (kind === 'none') files.delete(file);
    else {
      hasNew ||= !files.has(file);
      files.set(file, await readOne(file, options, files.get(file)));
    }
  }
  if (files.size === 0) return undefined;
  return { ...before, files: hasNew ? sorted(files) : files };
}

/** Whether each file is as it was. */
export function areSame({ files: one }: Readings, { files: other }: Readings): boolean {
  return (
    one.size === other.size && [...one].every(([path, reading]) => other.get(path) === reading)
  );
}

type Known = ReadonlyMap<string, FileReading>;

async function readFiles(path: string, options: ReadOptions, before: Known): Promise<Readings> {
  const { files: paths, ...place } = await manifestPaths(path);
  if (paths.length === 0) {
    throw new ManifestError(`${printable(path)}: no *.yaml, *.yml or *.json in this folder`);
  }
  const words = new Map<string, string>();
  const files = new Map<string, FileReading>();
  for (const file of paths) {
    files.set(file, await readOne(file, { ...options, words }, before.get(file)));
  }
  options.copies?.keepOnly(paths);
  return { path, ...place, isRefused: false, files };
}

async function readOne(
  path: string,
  { words = new Map(), onObject, copies, ...source }: ReadOptions & Partial<EntryOptions>,
  before: FileReading | undefined,
): Promise<FileReading> {
  const read = await readFile(path, source);
  const copied = async (): Promise<FileReading | undefined> => {
    const copy = await copies?.read(path);
    return copy && readEntries(copy, { words });
  };
  if (read.kind === 'unreadable') {
    return unreadable(read.file, read.reason, before ?? (await copied()));
  }
  if (before?.digest === read.digest) return before;
  const now = readEntries(read, { words, onObject });
  if (!isGood(now) || now.entries.length === 0) {
    return withLastGood(before ?? (await copied()), now);
  }
  copies?.keep(path, read);
  return now;
}

function unreadable(file: string, message: string, before: FileReading | undefined): FileReading {
  if (before?.digest === '' && before.failure?.message === message) return before;
  return withLastGood(before, { file, digest: '', entries: [], failure: { line: 0, message } });
}

/** What is at a path of a folder: a file, nothing that is read, or what only a reading of all shows. */
async function kindOf(file: string): Promise<'file' | 'none' | 'other'> {
  try {
    const found = await lstat(file);
    if (found.isDirectory()) return 'none';
    return found.isSymbolicLink() ? 'other' : 'file';
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'ENOENT' ? 'none' : 'other';
  }
}

function sorted(files: Known): Known {
  return new Map([...files].toSorted(([one], [other]) => (one < other ? -1 : 1)));
}

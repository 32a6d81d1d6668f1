// Manifests on disk or standard input: a path in, the cluster objects in them and everything that is
// wrong with them out. Only a path that yields nothing at all is an error.
import { createHash } from 'node:crypto';
import type { ClusterObjects } from './changes-between.ts';
import {
  readEntries,
  type Entry,
  type FileReading,
  type KnownChunk,
  type KnownChunks,
  type LineProblem,
} from './manifests/entries.ts';
import { readFiles, type FileSource, type ManifestBytes } from './manifests/files.ts';
import { printable } from './problem.ts';
import { ManifestError } from '../errors.ts';
import type { ClusterObject } from '../model/kubernetes.ts';

/** One thing that is wrong in a manifest. */
export type ManifestProblem = {
  readonly file: string;
  /** 1-based. */
  readonly line: number;
  /** `Service default/web`, or '' where the file as a whole is meant. */
  readonly object: string;
  /** `spec.clusterIP`, or '' where the object as a whole is meant. */
  readonly field: string;
  readonly message: string;
};

/** What manifests say. */
export type Manifests = {
  /** By kind and id, such as `Service default/web`, in the order of the files. */
  readonly objects: ClusterObjects;
  readonly problems: readonly ManifestProblem[];
  /** SHA-256, in hex, of the bytes of all files in order. */
  readonly digest: string;
};

/** All files of one reading, with the digest of their bytes and the pieces for the next reading. */
export type Readings = {
  readonly files: readonly FileReading[];
  readonly digest: string;
  readonly chunks: KnownChunks;
};

/** Reads the file, the folder, or (`-`) standard input; throws ManifestError where that is impossible. */
export async function readManifests(path: string, source: FileSource = {}): Promise<Manifests> {
  const { files, digest } = readingsOf(await readAllFiles(path, source), new Map());
  return manifestsFrom(files, digest);
}

/** All files at the path; throws ManifestError where one cannot be read or there is none. */
export async function readAllFiles(
  path: string,
  source: FileSource,
): Promise<readonly ManifestBytes[]> {
  const files = await readFiles(path, source);
  if (files.length === 0) {
    throw new ManifestError(`${printable(path)}: no *.yaml, *.yml or *.json in this folder`);
  }
  for (const file of files) {
    if (file.kind === 'bytes') continue;
    throw new ManifestError(`${printable(file.file)}: ${file.reason}`);
  }
  return files;
}

/** What the files hold; text that is among `known` is not parsed again. */
export function readingsOf(files: readonly ManifestBytes[], known: KnownChunks): Readings {
  const hash = createHash('sha256');
  const chunks = new Map<string, KnownChunk>();
  const readings = files.map((file): FileReading => {
    if (file.kind === 'unreadable') {
      return { file: file.file, entries: [], failure: { line: 1, message: file.reason } };
    }
    hash.update(file.bytes);
    const read = readEntries(file.file, file.bytes, known);
    for (const [digest, chunk] of read.chunks) chunks.set(digest, chunk);
    return read.reading;
  });
  return { files: readings, digest: hash.digest('hex'), chunks };
}

type Place = { readonly file: string; readonly line: number };

/** The objects and problems of some files; of an object that stands there twice, the first counts. */
export function manifestsFrom(files: readonly FileReading[], digest: string): Manifests {
  const objects = new Map<string, ClusterObject>();
  const problems: ManifestProblem[] = [];
  const places = new Map<string, Place>();
  for (const { file, entries, failure } of files) {
    if (failure !== undefined) problems.push({ file, object: '', field: '', ...failure });
    for (const entry of entries) {
      const place = entry.key === undefined ? undefined : places.get(entry.key);
      problems.push(...located(file, entry, place));
      if (entry.key === undefined || place !== undefined) continue;
      places.set(entry.key, { file, line: entry.line });
      if (entry.object !== undefined) objects.set(entry.key, entry.object);
    }
  }
  return { objects, problems, digest };
}

/** The problem on exactly one line: `FILE:LINE: Service default/web: spec.clusterIP: ...`. */
export function describeProblem({ file, line, object, field, message }: ManifestProblem): string {
  const parts = [`${file}:${line}`, object, field, message];
  return printable(parts.filter((part) => part !== '').join(': '));
}

function located(file: string, entry: Entry, place: Place | undefined): readonly ManifestProblem[] {
  if (place === undefined && entry.problems.length === 0) return [];
  const twin: readonly LineProblem[] =
    place === undefined
      ? []
      : [
          {
            line: entry.line,
            field: '',
            message: `is already in ${place.file}:${place.line}, which counts`,
          },
        ];
  return [...twin, ...entry.problems].map((problem) => ({
    file,
    object: entry.label,
    ...problem,
  }));
}

// Manifests on disk or standard input: a path in, the cluster objects in them and everything that is
// wrong with them out. Only a path that yields nothing at all is an error.
import { hash } from 'node:crypto';
import type { ClusterObjects } from '../changes-between.ts';
import { doubtsBetween } from '../doubts/between-objects.ts';
import type { Entry, FileReading, LineProblem } from './entries.ts';
import type { FileSource } from './files.ts';
import { readFirst } from './readings.ts';
import { printable } from '../problem.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';

/** One thing that is wrong in a manifest. */
export type ManifestProblem = {
  readonly file: string;
  /** 1-based; 0 where the file cannot be read. */
  readonly line: number;
  /** `Service default/web`, or '' where the file as a whole is meant. */
  readonly object: string;
  /** `spec.clusterIP`, or '' where the object as a whole is meant. */
  readonly field: string;
  readonly message: string;
  /** It keeps nothing from being used. */
  readonly isWarning?: true;
};

/** What manifests say. */
export type Manifests = {
  /** By kind and id, such as `Service default/web`, in the order of the files. */
  readonly objects: ClusterObjects;
  readonly problems: readonly ManifestProblem[];
  /** SHA-256, in hex: of the bytes of the file, or of the digests of several files in order. */
  readonly digest: string;
};

/** Reads the file, the folder, or (`-`) standard input; throws ManifestError where that is impossible. */
export async function readManifests(path: string, source: FileSource = {}): Promise<Manifests> {
  return manifestsFrom((await readFirst(path, source)).files.values());
}

type FileLine = { readonly file: string; readonly line: number };

/** The objects and problems of some files; if an object occurs twice, the first counts. */
export function manifestsFrom(files: Iterable<FileReading>): Manifests {
  const digests: string[] = [];
  const objects = new Map<string, ClusterObject>();
  const problems: ManifestProblem[] = [];
  const places = new Map<string, FileLine>();
  for (const { file, digest, entries, failure } of files) {
    digests.push(digest);
    if (failure !== undefined) problems.push({ file, object: '', field: '', ...failure });
    for (const entry of entries) {
      const place = entry.key === undefined ? undefined : places.get(entry.key);
      problems.push(...located(file, entry, place));
      if (entry.key === undefined || place !== undefined) continue;
      places.set(entry.key, { file, line: entry.line });
      if (entry.object !== undefined) objects.set(entry.key, entry.object);
    }
  }
  for (const { key, field, message } of doubtsBetween(objects, places.keys())) {
    const place = places.get(key);
    if (place !== undefined)
      problems.push({ ...place, object: key, field, message, isWarning: true });
  }
  const [first = ''] = digests;
  return {
    objects,
    problems,
    digest: digests.length === 1 ? first : hash('sha256', digests.join('\n'), 'hex'),
  };
}

/** The problem on exactly one line: `FILE:LINE: Service default/web: spec.clusterIP: ...`, or `FILE:LINE: warning: ...`. */
export function describeProblem(problem: ManifestProblem): string {
  const { file, line, object, field, message, isWarning } = problem;
  const parts = [
    line === 0 ? file : `${file}:${line}`,
    isWarning ? 'warning' : '',
    object,
    field,
    message,
  ];
  return printable(parts.filter((part) => part !== '').join(': '));
}

function located(
  file: string,
  entry: Entry,
  place: FileLine | undefined,
): readonly ManifestProblem[] {
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

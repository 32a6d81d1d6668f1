// Follows manifests on disk: reads them, tells the reader, waits for a change, and so on until aborted.
// After the first reading nothing is fatal: what cannot be used is reported, and the last good stays.
import type { FileReading } from './manifests/entries.ts';
import { manifestPaths, readFiles, type FileSource } from './manifests/files.ts';
import { mergeLastGood } from './manifests/merge-last-good.ts';
import { PlaceWatcher } from './manifests/place-watcher.ts';
import { watchPoints } from './manifests/watch-points.ts';
import {
  describeProblem,
  manifestsFrom,
  readAllFiles,
  readingsOf,
  type Manifests,
  type Readings,
} from './manifests.ts';
import { ManifestError } from '../errors.ts';

export type WatchOptions = FileSource & {
  readonly signal: AbortSignal;
  /** Called with the first reading, and again after each change of content. */
  readonly onRead: (manifests: Manifests) => void;
};

/**
 * Follows the manifests at `path` until the signal aborts, and then resolves. Rejects with ManifestError
 * where the first reading is impossible. Standard input is read once.
 */
export async function watchManifests(path: string, options: WatchOptions): Promise<void> {
  const { signal, onRead } = options;
  const watcher = new PlaceWatcher(signal);
  try {
    await arm(watcher, path);
    let readings = readingsOf(await readAllFiles(path, options), new Map());
    let told = manifestsFrom(readings.files, readings.digest);
    if (!signal.aborted) onRead(told);
    for (;;) {
      await watcher.changed();
      if (signal.aborted) return;
      await arm(watcher, path);
      readings = await readAgain(path, readings, options);
      const now = manifestsFrom(readings.files, readings.digest);
      if (signal.aborted || fingerprint(now) === fingerprint(told)) continue;
      told = now;
      onRead(now);
    }
  } finally {
    watcher.close();
  }
}

async function arm(watcher: PlaceWatcher, path: string): Promise<void> {
  if (path === '-') return;
  await watcher.arm(async () => watchPoints(path, await manifestPaths(path).catch(() => [])));
}

/** The readings now, with the last good entries in place of bad ones. */
async function readAgain(path: string, before: Readings, source: FileSource): Promise<Readings> {
  try {
    const now = readingsOf(await readFiles(path, source), before.chunks);
    return { ...now, files: mergeLastGood(before.files, now.files) };
  } catch (error) {
    if (!(error instanceof ManifestError)) throw error;
    // The path itself is gone: all that was good is kept, and one line says so.
    const failure = { line: 1, message: error.message.slice(path.length + ': '.length) };
    const others = before.files.filter(({ file }) => file !== path);
    const next: readonly FileReading[] = [...others, { file: path, entries: [], failure }];
    return { ...before, files: mergeLastGood(before.files, next) };
  }
}

// The digest alone would miss a file that has become unreadable while it was empty.
function fingerprint({ digest, problems }: Manifests): string {
  return [digest, ...problems.map(describeProblem)].join('\n');
}

// Follows manifests on disk: reads them, hands them to the reader, waits for a change, and so on until aborted.
// After the first reading nothing is fatal: what cannot be used is reported, and the last good stays.
import { manifestPaths } from './files.ts';
import { PlaceWatcher } from '../places/place-watcher.ts';
import { areSame, readAgain, readChanged, readFirst, type ReadOptions } from './readings.ts';
import { watchPoints } from '../places/watch-points.ts';
import { manifestsFrom, type Manifests } from './manifests.ts';

export type WatchOptions = ReadOptions & {
  readonly signal: AbortSignal;
  /** Called with the first reading, and again after each change of content. */
  readonly onRead: (manifests: Manifests) => void;
  /** Called with why the path cannot be watched, but only looked at now and then. */
  readonly onFault?: (fault: string) => void;
};

/**
 * Follows the manifests at `path` until the signal aborts, and then resolves. Rejects with ManifestError
 * where the first reading is impossible. Standard input is read once. A change of files in a folder reads
 * these files alone.
 */
export async function watchManifests(path: string, options: WatchOptions): Promise<void> {
  const { signal, onRead } = options;
  const watcher = new PlaceWatcher(signal);
  try {
    let fault: string | undefined;
    const arm = async (): Promise<void> => {
      await armAt(watcher, path);
      if (watcher.fault !== undefined && watcher.fault !== fault) options.onFault?.(watcher.fault);
      fault = watcher.fault;
    };
    await arm();
    let readings = await readFirst(path, options);
    if (!signal.aborted) onRead(manifestsFrom(readings.files.values()));
    for (;;) {
      const changed = await watcher.changed();
      if (signal.aborted) return;
      let now = changed && (await readChanged(readings, changed, options));
      if (now === undefined) {
        await arm();
        now = await readAgain(readings, options);
      }
      const isSame = areSame(readings, now);
      readings = now;
      if (!signal.aborted && !isSame) onRead(manifestsFrom(readings.files.values()));
    }
  } finally {
    watcher.close();
  }
}

async function armAt(watcher: PlaceWatcher, path: string): Promise<void> {
  if (path === '-') return;
  await watcher.arm(async () => {
    const { isFolder, links } = await manifestPaths(path).catch(() => nothing);
    return watchPoints(path, isFolder ? links : [path]);
  });
}

const nothing = { isFolder: true, links: [] };

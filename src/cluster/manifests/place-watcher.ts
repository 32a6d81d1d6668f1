// Tells when something changes at some places of the file system. What changed is not said: a watcher
// may miss or merge events, so the caller reads again and compares.
import { watch, type FSWatcher } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import type { WatchPoint } from './watch-points.ts';
import { ManifestError } from '../../errors.ts';

// Events of one save come within a few milliseconds; waiting for the last of them spares reads of half
// a save. A writer that never stops is read all the same, after this many waits.
const settleMs = 10;
const maxSettles = 20;

const aDayMs = 86_400_000;

/** Watches places. Between `arm` and `changed` no change gets lost. */
export class PlaceWatcher {
  #watchers: readonly FSWatcher[] = [];
  /** True from the first event after `arm` on. */
  #isDirty = false;
  #wake: () => void = () => undefined;

  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Watches these places from now on, instead of those before; throws ManifestError if it cannot. */
  async arm(points: () => Promise<readonly WatchPoint[]>): Promise<void> {
    // Reset before looking for the places: they may change while they are looked for.
    this.#isDirty = false;
    const places = await points();
    const before = this.#watchers;
    // Opened anew each time: a watcher of a folder that was replaced would stay on the old one.
    this.#watchers = places.flatMap((place) => this.#open(place));
    for (const watcher of before) watcher.close();
  }

  /** Settles once there was a change since `arm` and the dust has settled, or on abort. */
  async changed(): Promise<void> {
    const signal = this.#signal;
    if (!this.#isDirty && !signal.aborted) {
      // Where there is nothing to watch, as with standard input, a promise alone would not keep us alive.
      const keepAlive = setInterval(() => undefined, aDayMs);
      await new Promise<void>((resolve) => (this.#wake = resolve));
      clearInterval(keepAlive);
    }
    for (let settles = 0; settles < maxSettles && !signal.aborted; settles++) {
      this.#isDirty = false;
      await delay(settleMs, undefined, { signal }).catch(() => undefined);
      if (!this.#isDirty) return;
    }
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #open({ folder, names }: WatchPoint): readonly FSWatcher[] {
    const noteEvent = (name: string | null): void => {
      if (name !== null && names !== undefined && !names.has(name)) return;
      this.#isDirty = true;
      this.#wake();
    };
    try {
      const watcher = watch(folder, (_event, name) => noteEvent(name));
      watcher.on('error', () => noteEvent(null));
      return [watcher];
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      // A folder that is not there, or not ours to look into, shows up as a change of its parent.
      if (['ENOENT', 'ENOTDIR', 'EACCES', 'EPERM'].includes(code)) return [];
      throw new ManifestError(`${folder}: cannot be watched: ${message}`, { cause: error });
    }
  }
}

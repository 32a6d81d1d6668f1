// Tells when something changes at some places of the file system, and at which of them.
import { watch, type FSWatcher } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { WatchPoint } from './watch-points.ts';

// Events of one save come within a few milliseconds; waiting for the last of them spares reads of half
// a save. A writer that never stops is read all the same, after this many waits.
const settleMs = 10;
const maxSettles = 20;

// The kernel drops events beyond 16,384 that wait to be read, and Node does not report it.
const mostPlaces = 1000;

const aDayMs = 86_400_000;

// Where the kernel has no watch left to give, the places are looked at again and again.
const lookAgainMs = 5000;

/** Watches places. Between `arm` and `changed` no change gets lost. */
export class PlaceWatcher {
  #watchers: readonly FSWatcher[] = [];
  /** The paths of which events were heard and not yet given; undefined in it: nobody knows of which. */
  #changed = new Set<string | undefined>();
  /** True where there was an event since this was last set to false. */
  #isDirty = false;
  #wake: () => void = () => undefined;
  #fault: string | undefined;

  readonly #signal: AbortSignal;

  constructor(signal: AbortSignal) {
    this.#signal = signal;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
  }

  /** Why not all places can be watched: they are looked at every 5 s. Undefined where they can. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Watches these places from now on, instead of those before. */
  async arm(points: () => Promise<readonly WatchPoint[]>): Promise<void> {
    // Reset before looking for the places: they may change while they are looked for.
    this.#isDirty = false;
    this.#changed.clear();
    const places = await points();
    const before = this.#watchers;
    this.#fault = undefined;
    // Opened anew each time: a watcher of a folder that was replaced would stay on the old one.
    this.#watchers = places.flatMap((place) => this.#open(place));
    for (const watcher of before) watcher.close();
  }

  /**
   * Settles once there were changes that were not given yet and the dust has settled, or on abort. Gives the
   * absolute paths that changed, or undefined where these may not be all.
   */
  async changed(): Promise<ReadonlySet<string> | undefined> {
    const signal = this.#signal;
    if (this.#changed.size === 0 && !signal.aborted) {
      // Where there is nothing to watch, as with standard input, a promise alone would not keep us alive.
      const look = (): void => {
        this.#changed.add(undefined);
        this.#wake();
      };
      const isBlind = this.#fault !== undefined;
      const keepAlive = setInterval(
        isBlind ? look : () => undefined,
        isBlind ? lookAgainMs : aDayMs,
      );
      await new Promise<void>((resolve) => (this.#wake = resolve));
      clearInterval(keepAlive);
    }
    for (let settles = 0; settles < maxSettles && !signal.aborted; settles++) {
      this.#isDirty = false;
      await delay(settleMs, undefined, { signal }).catch(() => undefined);
      if (!this.#isDirty) break;
    }
    const changed = this.#changed;
    this.#changed = new Set();
    const isAll = !changed.has(undefined) && changed.size < mostPlaces;
    return isAll ? (changed as ReadonlySet<string>) : undefined;
  }

  /** Settles `changed` as if there were changes that nobody knows of. */
  wake(): void {
    this.#changed.add(undefined);
    this.#wake();
  }

  close(): void {
    for (const watcher of this.#watchers) watcher.close();
    this.#watchers = [];
  }

  #open({ folder, names }: WatchPoint): readonly FSWatcher[] {
    const noteEvent = (name: string | null): void => {
      if (name !== null && names !== undefined && !names.has(name)) return;
      this.#isDirty = true;
      this.#changed.add(name === null ? undefined : join(folder, name));
      this.#wake();
    };
    try {
      const watcher = watch(folder, (_event, name) => noteEvent(name));
      watcher.on('error', () => noteEvent(null));
      return [watcher];
    } catch (error) {
      const { code = '', message } = error as NodeJS.ErrnoException;
      // What is not there, leads nowhere or is not ours to look into shows up as a change of its parent.
      if (['EMFILE', 'ENFILE', 'ENOSPC', 'ENOMEM'].includes(code)) {
        this.#fault = `${folder}: cannot be watched, so it is read every 5 s: ${message}`;
      }
      return [];
    }
  }
}

// Keeps us in step with one resource of the API server: lists it, watches it, and when anything goes
// wrong starts again where that is safe. It never gives up; what it reported stays until it knows better.
import { ApiError } from '../../../errors.ts';
import type { ClusterChange } from '../../../model/kubernetes.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { ApiConnection } from '../connection/connection.ts';
import { initialEnding, takeInitial } from './initial-events.ts';
import { Intake } from './intake.ts';
import { isBefore, listPages, presentVersion } from './list-pages.ts';
import {
  endingOf,
  endsWithOutage,
  failedEnding,
  freshPace,
  nextAfter,
  type Attempt,
  type Ending,
} from './pace.ts';
import type { ListStyle, ReflectorEvent } from './reflector-event.ts';
import { watchListPath, watchPath, type Resource } from './resources.ts';
import { Silence } from '../connection/silence.ts';
import { defaultTiming, type Timing } from '../timing.ts';
import type { Listing } from './known-objects.ts';
import { watchEvents, type WatchEvent } from './watch-event.ts';

export type ReflectorOptions = {
  readonly connection: ApiConnection;
  readonly resource: Resource;
  readonly signal: AbortSignal;
  /** Called with what changed up to `version`, never with nothing. Must not throw. */
  readonly onChanges: (changes: readonly ClusterChange[], version: string) => void;
  /** Must not throw. */
  readonly onEvent: (event: ReflectorEvent) => void;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly timing?: Timing;
};

/** Follows one resource. Invariant: the fields below #intake are about the attempt under way. */
export class Reflector {
  readonly #options: ReflectorOptions;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #random: () => number;
  readonly #intake: Intake;
  #canWatchList = true;
  // Whether the server may be another one by now, or have gone back: the last watch ended before its time.
  #isInDoubt = false;
  #askedMs = 0;
  #startedMs = 0;
  #wasWatching = false;
  #hadEvents = false;
  #bytes = 0;
  #pace = freshPace;
  #outage = new AbortController();

  constructor(options: ReflectorOptions) {
    const { resource, onChanges, clock = systemClock, timing = defaultTiming } = options;
    this.#options = options;
    this.#clock = clock;
    this.#timing = timing;
    this.#random = options.random ?? Math.random;
    this.#intake = new Intake({
      resource,
      onChanges,
      onProblems: (id, problems) => this.#tell({ kind: 'problems', id, problems }),
    });
  }

  /** Follows the resource until the signal comes; nothing is reported after that. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    while (!signal.aborted) {
      const attempt = await this.#attempt();
      if (signal.aborted) return;
      this.#isInDoubt = this.#endedEarly(attempt);
      const next = nextAfter(this.#pace, attempt, { timing: this.#timing, random: this.#random() });
      this.#pace = next.pace;
      if (next.relist) this.#intake.forgetVersion();
      this.#takeEnding(attempt, next.delayMs);
      if (next.delayMs > 0) await this.#pause(next.delayMs, endsWithOutage(attempt));
    }
  }

  /** The server answers again, as others learned: what waits for that goes on at once. */
  endOutage(): void {
    this.#pace = freshPace;
    this.#outage.abort();
  }

  async #pause(ms: number, mayEnd: boolean): Promise<void> {
    const { signal } = this.#options;
    this.#outage = new AbortController();
    const until = mayEnd ? AbortSignal.any([signal, this.#outage.signal]) : signal;
    await this.#clock.delay(ms, until);
  }

  async #attempt(): Promise<Attempt> {
    this.#startedMs = this.#clock.now();
    this.#wasWatching = false;
    this.#hadEvents = false;
    const ending = await this.#next().catch((error: unknown) => this.#endingOf(error));
    const livedMs = this.#clock.now() - this.#startedMs;
    return { ending, livedMs, wasWatching: this.#wasWatching, hadEvents: this.#hadEvents };
  }

  #next(): Promise<Ending> {
    const { version } = this.#intake;
    if (version !== undefined) {
      return this.#isInDoubt ? this.#resume(version) : this.#watch(version);
    }
    return this.#canWatchList ? this.#watchList() : this.#list();
  }

  async #list(): Promise<Ending> {
    const { connection, resource, signal } = this.#options;
    const limits = { signal, quietMs: () => this.#timing.quietListMs, onBytes: this.#count };
    const listing: Listing = new Map();
    let last = '';
    for await (const { items, version } of listPages(connection, resource, limits)) {
      for (const item of items) this.#intake.list(listing, item);
      last = version;
    }
    if (!signal.aborted) this.#takeOver(listing, { version: last, style: 'pages' });
    return { kind: 'listed' };
  }

  #endedEarly({ ending, livedMs }: Attempt): boolean {
    if (ending.kind === 'listed') return false;
    return ending.kind !== 'closed' || livedMs < this.#askedMs;
  }

  // A server that was restored from a backup is before our version: it would say nothing to a watch from there until it
  // has caught up, and what we know is of a history that it does not have.
  async #resume(version: string): Promise<Ending> {
    const { connection, resource, signal } = this.#options;
    const limits = { signal, quietMs: () => this.#timing.quietListMs };
    const present = await presentVersion(connection, resource, limits);
    if (!isBefore(present, version)) return this.#watch(version);
    const message = `the server is at version ${present}, before ${version} that it had reached`;
    return { kind: 'expired', error: new ApiError(message, { status: 410 }) };
  }

  async #watch(version: string): Promise<Ending> {
    const { connection, resource, signal } = this.#options;
    const path = watchPath(resource, { version, seconds: this.#watchSeconds() });
    const quietMs = (): number => this.#timing.quietWatchMs;
    const bytes = await connection.get(path, { signal, quietMs, onBytes: this.#count });
    this.#wasWatching = true;
    this.#tell({ kind: 'watching' });
    for await (const events of watchEvents(bytes)) {
      const ending = this.#take(events);
      if (ending !== undefined) return ending;
    }
    return { kind: 'closed' };
  }

  /** Lists by a watch, which then goes on. */
  async #watchList(): Promise<Ending> {
    const deadline = new Silence({
      clock: this.#clock,
      limitMs: () => this.#timing.initialListMs,
      what: 'no complete list',
    });
    const listing: { now: Listing | undefined } = { now: new Map() };
    const firstPart = (ending: Ending): Ending =>
      listing.now === undefined ? ending : initialEnding(ending, this.#wasWatching);
    try {
      return firstPart(await this.#followList(listing, deadline));
    } catch (error) {
      return firstPart(this.#endingOf(error));
    } finally {
      deadline.end();
    }
  }

  async #followList(listing: { now: Listing | undefined }, deadline: Silence): Promise<Ending> {
    const { connection, resource, signal } = this.#options;
    const { quietListMs, quietWatchMs } = this.#timing;
    const bytes = await connection.get(watchListPath(resource, this.#watchSeconds()), {
      signal: AbortSignal.any([signal, deadline.signal]),
      quietMs: () => (listing.now === undefined ? quietWatchMs : quietListMs),
      onBytes: this.#count,
    });
    this.#wasWatching = true;
    for await (const events of watchEvents(bytes)) {
      const ending =
        listing.now === undefined ? this.#take(events) : this.#takeFirst(events, listing, deadline);
      if (ending !== undefined) return ending;
    }
    return { kind: 'closed' };
  }

  #takeFirst(
    events: readonly WatchEvent[],
    listing: { now: Listing | undefined },
    deadline: Silence,
  ): Ending | undefined {
    const { now } = listing;
    if (now === undefined || this.#options.signal.aborted) return { kind: 'closed' };
    const initial = takeInitial(events, (object) => this.#intake.list(now, object));
    if (initial.kind === 'more') return undefined;
    if (initial.kind === 'ended') return initial.ending;
    deadline.end();
    listing.now = undefined;
    this.#takeOver(now, { version: initial.version, style: 'watch-list' });
    this.#tell({ kind: 'watching' });
    return this.#take(initial.rest);
  }

  #take(events: readonly WatchEvent[]): Ending | undefined {
    if (this.#options.signal.aborted) return { kind: 'closed' };
    if (events.length === 0) return undefined;
    const ending = this.#intake.take(events);
    // The last event of a chunk is the only one that can be no event.
    this.#hadEvents ||= events[0] !== undefined && endingOf(events[0]) === undefined;
    const { size: objects, version = '' } = this.#intake;
    const bytes = this.#takeBytes();
    this.#tell({ kind: 'heard', events: events.length, objects, version, bytes });
    return ending;
  }

  #takeOver(listing: Listing, { version, style }: { version: string; style: ListStyle }): void {
    this.#intake.takeOver(listing, version);
    const ms = this.#clock.now() - this.#startedMs;
    const bytes = this.#takeBytes();
    this.#tell({ kind: 'listed', style, objects: listing.size, version, bytes, ms });
  }

  #takeEnding({ ending, livedMs, wasWatching }: Attempt, delayMs: number): void {
    if (wasWatching) this.#tell({ kind: 'ended', reason: ending.kind, ms: livedMs });
    switch (ending.kind) {
      case 'listed':
      case 'closed':
      case 'quiet':
        return;
      case 'absent':
        // A right that was taken away says nothing about the objects.
        if (ending.error.status === 404) this.#intake.clear();
        this.#tell({ kind: 'absent', error: ending.error });
        return;
      case 'no-watch-list':
        this.#canWatchList = false;
        this.#tell({ kind: 'no-watch-list', error: ending.error });
        return;
      case 'expired':
        if (delayMs > 0) this.#tell({ kind: 'failed', error: ending.error, delayMs });
        return;
      case 'failed':
        this.#tell({ kind: 'failed', error: ending.error, delayMs });
    }
  }

  readonly #count = (bytes: number): void => {
    this.#bytes += bytes;
  };

  #takeBytes(): number {
    const bytes = this.#bytes;
    this.#bytes = 0;
    return bytes;
  }

  #endingOf(error: unknown): Ending {
    if (!(error instanceof ApiError)) throw error;
    const isFollowing = this.#wasWatching && this.#intake.version !== undefined;
    if (error.isTimeout && isFollowing) return { kind: 'quiet' };
    return failedEnding(error, this.#options.resource.mayBeAbsent);
  }

  #watchSeconds(): number {
    const { min, max } = this.#timing.watchSeconds;
    const seconds = Math.round(min + this.#random() * (max - min));
    this.#askedMs = seconds * 1000;
    return seconds;
  }

  #tell(event: ReflectorEvent): void {
    const { signal, onEvent } = this.#options;
    if (!signal.aborted) onEvent(event);
  }
}

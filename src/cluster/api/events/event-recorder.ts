// Sends Events to the API server beside everything else: what is recorded goes into a short queue, and from
// there one by one, slowly. Whatever the server says, the proxy goes on; what cannot be sent is dropped.
import { LRUCache } from 'lru-cache';
import type { Logger } from 'pino';
import { ApiError } from '../../../errors.ts';
import type { ClusterEvent } from '../../../model/cluster-event.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { ApiConnection } from '../connection/connection.ts';
import { eventKey, windowMs, type Occurrence } from './event-object.ts';
import { sendEvent } from './send-event.ts';

export type EventRecorderOptions = {
  readonly nodeName: string;
  readonly log: Logger;
  readonly clock?: Clock;
  /** From 0 to 1. */
  readonly random?: () => number;
};

type Queued = { readonly event: ClusterEvent; readonly when: Occurrence };

const mostQueued = 100;
const mostRemembered = 500;
// So many at once, and then one each time this has passed.
const burst = 10;
const refillMs = 10_000;
const retryMs = { min: 5000, max: 60_000 };
// What every node says is not said by all of them at once; the others then find that it was said.
const spreadMs = 5000;

/**
 * Invariant: #queue has at most mostQueued Events, the oldest first, and #said the last mostRemembered that
 * were recorded, with how often they came again; #tokens may be sent at once, as of #filledMs.
 */
export class EventRecorder {
  readonly #nodeName: string;
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #said = new LRUCache<string, { readonly firstMs: number; again: number }>({
    max: mostRemembered,
  });
  readonly #queue: Queued[] = [];
  #connection: ApiConnection | undefined;
  #wake: () => void = () => {};
  #tokens = burst;
  #filledMs: number;
  #failures = 0;
  #dropped = 0;
  #lastFailure = '';

  constructor({ nodeName, log, clock = systemClock, random = Math.random }: EventRecorderOptions) {
    this.#nodeName = nodeName;
    this.#log = log;
    this.#clock = clock;
    this.#random = random;
    this.#filledMs = clock.now();
  }

  /** How many wait to be sent. */
  get queued(): number {
    return this.#queue.length;
  }

  /** How many came when there was no room, or could not be sent in time. */
  get dropped(): number {
    return this.#dropped;
  }

  /**
   * Queues an Event, and returns at once. The same one again within ten minutes is only counted: the next
   * that says it says how often.
   */
  record(event: ClusterEvent): void {
    const key = eventKey(event);
    const lastMs = this.#clock.now();
    const said = this.#said.get(key);
    if (said !== undefined && lastMs - said.firstMs < windowMs) {
      said.again += 1;
      return;
    }
    if (this.#queue.length >= mostQueued) {
      this.#dropped += 1;
      return;
    }
    this.#said.set(key, { firstMs: lastMs, again: 0 });
    const isRepeated = said !== undefined && said.again > 0;
    const when = isRepeated
      ? { firstMs: said.firstMs, lastMs, count: said.again + 1 }
      : { firstMs: lastMs, lastMs, count: 1 };
    this.#queue.push({ event, when });
    this.#wake();
  }

  /** Sends what is recorded until the signal comes; never rejects. */
  async run(connection: ApiConnection, signal: AbortSignal): Promise<void> {
    this.#connection = connection;
    signal.addEventListener('abort', () => this.#wake(), { once: true });
    while (!signal.aborted) {
      const [next] = this.#queue;
      if (next === undefined) await this.#something();
      else await this.#sendInTurn(next, signal);
    }
  }

  /** Sends what still waits, at once and once, for at most so long: before the end. */
  async flush(withinMs: number): Promise<void> {
    const over = new AbortController();
    const connection = this.#connection;
    if (connection === undefined) return;
    const limit = this.#clock.delay(withinMs, over.signal).then(() => over.abort());
    for (const queued of this.#queue.splice(0)) {
      if (over.signal.aborted) break;
      await this.#send(queued, connection, over.signal);
    }
    over.abort();
    await limit;
  }

  async #something(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    await promise;
    this.#wake = () => {};
  }

  async #sendInTurn(next: Queued, signal: AbortSignal): Promise<void> {
    const connection = this.#connection;
    if (connection === undefined) return;
    const waitMs = this.#waitMs();
    if (waitMs > 0) return this.#clock.delay(waitMs, signal);
    if (this.#clock.now() - next.when.lastMs >= windowMs) {
      this.#queue.shift();
      this.#dropped += 1;
      return;
    }
    if (next.event.isSameEverywhere === true) {
      await this.#clock.delay(this.#random() * spreadMs, signal);
      if (signal.aborted) return;
    }
    this.#tokens -= 1;
    const pauseMs = await this.#send(next, connection, signal);
    if (pauseMs === undefined) this.#queue.shift();
    else await this.#clock.delay(pauseMs, signal);
  }

  /** How long until one more may be sent. */
  #waitMs(): number {
    const nowMs = this.#clock.now();
    const refills = Math.floor((nowMs - this.#filledMs) / refillMs);
    this.#tokens = Math.min(burst, this.#tokens + refills);
    this.#filledMs = this.#tokens === burst ? nowMs : this.#filledMs + refills * refillMs;
    return this.#tokens > 0 ? 0 : this.#filledMs + refillMs - nowMs;
  }

  /** How long to wait before another try; undefined: there is nothing more to do about it. */
  async #send(
    { event, when }: Queued,
    connection: ApiConnection,
    signal: AbortSignal,
  ): Promise<number | undefined> {
    try {
      await sendEvent({ event, when, nodeName: this.#nodeName }, connection, signal);
      this.#failures = 0;
      this.#lastFailure = '';
      return undefined;
    } catch (error) {
      if (signal.aborted) return 0;
      this.#tell(error as Error);
      if (!isWorthAnotherTry(error)) return undefined;
      this.#failures += 1;
      const most = Math.min(retryMs.max, retryMs.min * 2 ** Math.min(this.#failures - 1, 10));
      const backoffMs = retryMs.min + this.#random() * (most - retryMs.min);
      return Math.max(backoffMs, error.retryAfterMs);
    }
  }

  // Once for each thing that is wrong: it is the API server's health that the log is about elsewhere.
  #tell({ message }: Error): void {
    if (message === this.#lastFailure) return;
    this.#lastFailure = message;
    this.#log.warn({ error: message, dropped: this.#dropped }, 'cannot send an Event');
  }
}

// What the server refuses for what it is, it will refuse again.
function isWorthAnotherTry(error: unknown): error is ApiError {
  if (!(error instanceof ApiError)) return false;
  const { status = 0 } = error;
  return status < 400 || status === 401 || status === 408 || status === 429 || status >= 500;
}

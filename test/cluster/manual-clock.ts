// A clock that stands still until a test moves it.
import { setImmediate as turn } from 'node:timers/promises';
import type { Clock } from '../../src/cluster/api/clock.ts';

type Wait = { readonly dueMs: number; readonly ms: number; readonly resolve: () => void };

/** Time by hand. Invariant: #waits holds the waits that are neither over nor aborted. */
export class ManualClock implements Clock {
  #nowMs = 1_000_000;
  #waits: readonly Wait[] = [];
  #onWait: (() => void)[] = [];

  readonly now = (): number => this.#nowMs;

  readonly delay = async (ms: number, signal: AbortSignal): Promise<void> => {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const wait = { dueMs: this.#nowMs + ms, ms, resolve };
    this.#waits = [...this.#waits, wait];
    const forget = (): void => {
      this.#waits = this.#waits.filter((other) => other !== wait);
      resolve();
    };
    signal.addEventListener('abort', forget, { once: true });
    for (const tell of this.#onWait.splice(0)) tell();
    await promise;
    signal.removeEventListener('abort', forget);
  };

  /** The waits under way, in milliseconds. */
  get waits(): readonly number[] {
    return this.#waits.map(({ ms }) => ms);
  }

  /** Resolves as soon as something waits for so long (or as the predicate says), with how long. */
  async waiting(wanted: number | ((ms: number) => boolean)): Promise<number> {
    const isIt = typeof wanted === 'number' ? (ms: number) => ms === wanted : wanted;
    for (;;) {
      const found = this.waits.find(isIt);
      if (found !== undefined) return found;
      await new Promise<void>((resolve) => this.#onWait.push(resolve));
    }
  }

  /** Moves time on, stopping at each wait that ends on the way. */
  async advance(ms: number): Promise<void> {
    const end = this.#nowMs + ms;
    for (;;) {
      const next = this.#waits
        .filter(({ dueMs }) => dueMs <= end)
        .reduce<Wait | undefined>(
          (a, b) => (a === undefined || b.dueMs < a.dueMs ? b : a),
          undefined,
        );
      if (next === undefined) break;
      this.#nowMs = Math.max(this.#nowMs, next.dueMs);
      this.#waits = this.#waits.filter((wait) => wait !== next);
      next.resolve();
      await turn();
    }
    this.#nowMs = end;
    await turn();
  }
}

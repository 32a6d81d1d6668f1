// When to pass: the first change of a burst goes at once, what comes while a pass runs goes together
// in the next one, and a pass that failed is tried again.
import { setTimeout as delay } from 'node:timers/promises';
import type { ClusterChange } from '../model/kubernetes.ts';
import type { Asker } from '../model/pass-record.ts';

/** Changes that a source delivered together, and what it calls the version they lead to. */
export type Batch = { readonly changes: readonly ClusterChange[]; readonly version: string };

export type LoopOptions = {
  /**
   * Takes over the changes; returns whether the kernel holds what they lead to. Must not throw. `asked`
   * says who wanted the pass.
   */
  readonly pass: (
    changes: readonly ClusterChange[],
    version: string,
    asked: readonly Asker[],
  ) => Promise<boolean>;
  readonly signal: AbortSignal;
  /** Milliseconds before the n-th try in a row (from 1) of a pass that failed. */
  readonly retryDelayMs?: (failures: number) => number;
};

/** One second, doubled up to kube-proxy's own sync period of 30 seconds. */
export function defaultRetryDelayMs(failures: number): number {
  return Math.min(1000 * 2 ** (failures - 1), 30_000);
}

/** Runs passes one at a time. Invariant: #waiting and #asked hold what no pass has taken over yet, in order. */
export class SyncLoop {
  readonly #options: LoopOptions;
  #waiting: ClusterChange[] = [];
  #version = '';
  #asked = new Set<Asker>();
  #wake: () => void = () => {};

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  /** Hands over a batch; returns at once. */
  submit({ changes, version }: Batch): void {
    this.#waiting.push(...changes);
    this.#version = version;
    this.nudge('cluster');
  }

  /** Asks for a pass although no object changed; returns at once. */
  nudge(by: Asker): void {
    this.#asked.add(by);
    this.#wake();
  }

  /** Passes until the signal comes; the pass in flight is finished first. */
  async run(): Promise<void> {
    const { pass, signal, retryDelayMs = defaultRetryDelayMs } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      if (this.#asked.size === 0)
        await this.#work(failures === 0 ? undefined : retryDelayMs(failures));
      if (signal.aborted) return;
      const changes = this.#waiting;
      const asked = [...this.#asked, ...(failures === 0 ? [] : (['retry'] as const))];
      this.#waiting = [];
      this.#asked.clear();
      failures = (await pass(changes, this.#version, asked)) ? 0 : failures + 1;
    }
  }

  // Ends when there is work, when the time is over, or when the signal comes; whichever is first.
  async #work(timeoutMs: number | undefined): Promise<void> {
    const { signal } = this.#options;
    const done = new AbortController();
    const ending = AbortSignal.any([signal, done.signal]);
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
      ending.addEventListener('abort', () => resolve(), { once: true });
    });
    const waits: Promise<unknown>[] = [woken];
    if (timeoutMs !== undefined) {
      waits.push(delay(timeoutMs, undefined, { signal: ending }).catch(() => {}));
    }
    await Promise.race(waits);
    done.abort();
    this.#wake = () => {};
  }
}

// When to pass: the first change of a burst goes at once, what comes while a pass runs goes together
// in the next one, and a pass that failed is tried again.
import type { Clock } from '../cluster/api/clock.ts';
import type { ClusterChange } from '../model/kubernetes.ts';
import type { Asker } from '../model/pass-record.ts';
import type { Work } from './pass.ts';

/** Changes that a source delivered together, and what it calls the version they lead to. */
export type Batch = Pick<Work, 'changes' | 'version'>;

export type LoopOptions = {
  readonly clock: Pick<Clock, 'delay'>;
  readonly signal: AbortSignal;
};

/** How long the n-th try in a row (from 1) waits: one second, doubled up to kube-proxy's own sync period of 30. */
export function retryDelayMs(failures: number): number {
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

  /**
   * Passes until the signal comes; the pass in flight is finished first. `pass` returns whether the kernel
   * holds what the changes lead to; what it throws ends the loop.
   */
  async run(pass: (work: Work) => Promise<boolean>): Promise<void> {
    const { signal } = this.#options;
    let failures = 0;
    while (!signal.aborted) {
      if (this.#asked.size === 0) await this.#work(failures);
      if (signal.aborted) return;
      const asked = [...this.#asked, ...(failures === 0 ? [] : (['retry'] as const))];
      const work = { asked, changes: this.#waiting, version: this.#version };
      this.#waiting = [];
      this.#asked.clear();
      failures = (await pass(work)) ? 0 : failures + 1;
    }
  }

  // Ends when there is work, when it is time for the next try, or when the signal comes; whichever is first.
  async #work(failures: number): Promise<void> {
    const { clock, signal } = this.#options;
    const done = new AbortController();
    const ending = AbortSignal.any([signal, done.signal]);
    const woken = new Promise<void>((resolve) => {
      this.#wake = resolve;
      ending.addEventListener('abort', () => resolve(), { once: true });
    });
    const retry = failures === 0 ? [] : [clock.delay(retryDelayMs(failures), ending)];
    await Promise.race([woken, ...retry]);
    done.abort();
    this.#wake = () => {};
  }
}

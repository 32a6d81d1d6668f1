// When to pass: the first change of a burst goes at once, what comes while a pass runs goes together
// in the next one, and a pass that failed is tried again.
import type { Clock } from '../cluster/api/clock.ts';
import type { ClusterChange } from '../model/kubernetes.ts';
import type { Asker } from '../model/pass-record.ts';
import type { Work } from './pass.ts';
import type { Portion } from './portion.ts';

/** Changes that a source delivered together, and what it calls the version they lead to. */
export type Batch = Pick<Work, 'changes' | 'version'>;

export type LoopOptions = {
  readonly clock: Pick<Clock, 'delay'>;
  readonly signal: AbortSignal;
  /** What of the changes that wait is taken up next, once the kernel has been in step. */
  readonly portionOf: (waiting: readonly ClusterChange[]) => Portion;
};

/** How long the n-th try in a row (from 1) waits: one second, doubled up to kube-proxy's own sync period of 30. */
export function retryDelayMs(failures: number): number {
  return Math.min(1000 * 2 ** (failures - 1), 30_000);
}

/**
 * Runs passes one at a time. Invariant: #waiting and #asked hold what no pass has taken over yet, in order; #version
 * is what all of it leads to, and #reached what has been taken over.
 */
export class SyncLoop {
  readonly #options: LoopOptions;
  #waiting: ClusterChange[] = [];
  #version = '';
  #reached = '';
  #wasInStep = false;
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
      const retry = failures === 0 ? [] : (['retry'] as const);
      const isDone = await pass(this.#next(retry));
      this.#wasInStep ||= isDone;
      failures = isDone ? 0 : failures + 1;
    }
  }

  #next(retry: readonly Asker[]): Work {
    const asked = [...this.#asked, ...retry];
    this.#asked.clear();
    const everything = { now: this.#waiting, later: [] };
    // The first pass replaces what a daemon before left: it must know all that there is.
    const { now: changes, later } = this.#wasInStep
      ? this.#options.portionOf(this.#waiting)
      : everything;
    this.#waiting = [...later];
    if (later.length === 0) this.#reached = this.#version;
    else this.#asked.add('cluster');
    return { asked, changes, version: this.#reached };
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

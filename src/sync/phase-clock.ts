// How long the parts of a pass take, one after the other.
import type { PhaseTimes } from '../model/receipt.ts';

/** Invariant: all time since it was made is in one of the phases, or in the one that goes on. */
export class PhaseClock {
  readonly #now: () => number;
  readonly #ms = { resolve: 0, plan: 0, apply: 0 };
  #phase: keyof PhaseTimes = 'resolve';
  #since: number;

  /** Begins with `resolve`; `now` gives milliseconds on a clock that only goes forward. */
  constructor(now: () => number) {
    this.#now = now;
    this.#since = now();
  }

  /** Ends the phase that goes on, and begins another. */
  enter(phase: keyof PhaseTimes): void {
    const now = this.#now();
    this.#ms[this.#phase] += now - this.#since;
    this.#phase = phase;
    this.#since = now;
  }

  /** What the phases took so far, and all together. */
  end(): { readonly durationMs: number; readonly phaseMs: PhaseTimes } {
    this.enter(this.#phase);
    const phaseMs = { ...this.#ms };
    return { durationMs: phaseMs.resolve + phaseMs.plan + phaseMs.apply, phaseMs };
  }
}

// How soon after a foreign change our rules are looked at and repaired: at once, but for who undoes each
// repair, and for who keeps us looking at what turns out to be nothing. Pure but for the time it is told.
import type { Certainty } from '../../netfilter/table-changes.ts';

/** Repairs in a row that may be undone before the pace slackens. */
export const quickRepairs = 5;

const firstDelayMs = 1000;
const longestDelayMs = 30_000;

// A repair that holds for so long was not undone by somebody who watches for it.
const shortestHoldMs = 5000;

// Looks that find nothing may take this part of the time at most: a sixth where our rules were touched.
const restFactors: Readonly<Record<Certainty, number>> = { sure: 5, maybe: 20 };

/**
 * One family's pace; all times are milliseconds on one clock. Invariant: #streak counts the repairs that were
 * undone before they had held for #holdMs, without one between that held.
 */
export class RepairPace {
  #streak = 0;
  #repairedAt = Number.NEGATIVE_INFINITY;
  #lookedAt = Number.NEGATIVE_INFINITY;
  #lookMs = 0;

  /** Whether another program undoes what is repaired. */
  get isSlow(): boolean {
    return this.#streak >= quickRepairs;
  }

  /** When a look may begin, for a change of this certainty. */
  dueAt(certainty: Certainty): number {
    const rested = this.#lookedAt + this.#lookMs * restFactors[certainty];
    return Math.max(rested, this.#repairedAt + this.delayMs);
  }

  /** How long a repair is put off after the one before it; 0: not at all. */
  get delayMs(): number {
    if (!this.isSlow) return 0;
    return Math.min(firstDelayMs * 2 ** (this.#streak - quickRepairs), longestDelayMs);
  }

  /** When the last repair has held for long enough; then `calm` may be said. */
  get holdsAt(): number {
    return this.#repairedAt + this.#holdMs;
  }

  /** A look ended that took so long, and nothing had been changed. */
  lookedInVain(at: number, tookMs: number): void {
    this.#lookedAt = at;
    this.#lookMs = tookMs;
  }

  /** What was changed at `changedAt` is repaired since `at`. */
  repaired(changedAt: number, at: number): void {
    this.#streak = changedAt < this.holdsAt ? this.#streak + 1 : 0;
    this.#repairedAt = at;
  }

  /** The last repair has held. */
  calm(): void {
    this.#streak = 0;
  }

  get #holdMs(): number {
    return Math.max(shortestHoldMs, 2 * this.delayMs);
  }
}

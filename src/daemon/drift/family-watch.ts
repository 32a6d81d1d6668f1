// What is suspected of one family's rules, and when it is looked at.
import type { Clock } from '../../cluster/api/clock.ts';
import type { Family } from '../../model/ip.ts';
import type { Certainty } from '../../netfilter/table-changes.ts';
import { countSteps, type Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';
import type { Drift, DriftListener } from './drift.ts';
import { RepairPace } from './repair-pace.ts';

/** That our rules were changed, or may have been. */
export type Suspicion = Pick<Drift, 'authors' | 'source'> & { readonly certainty: Certainty };

type Noticed = Suspicion & { readonly at: number };

export type FamilyWatchOptions = {
  readonly family: Family;
  /** Asks for a pass. */
  readonly nudge: () => void;
  readonly listener: DriftListener;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

const mostAuthors = 3;

/**
 * Invariant: #pending was noticed after the last look began, #looking before it; #waiting ends the wait of
 * what is not due; #wasInStep: the kernel once held what it should.
 */
export class FamilyWatch {
  readonly #options: FamilyWatchOptions;
  readonly #pace = new RepairPace();
  #pending: Noticed | undefined;
  #looking: Noticed | undefined;
  #lookBegan = 0;
  #waiting = new AbortController();
  #isLoopReported = false;
  #isInStep = false;
  #wasInStep = false;

  constructor(options: FamilyWatchOptions) {
    this.#options = options;
  }

  get family(): Family {
    return this.#options.family;
  }

  get isSuspected(): boolean {
    return this.#pending !== undefined;
  }

  /** Whether the last pass left the kernel as it should be. */
  get isInStep(): boolean {
    return this.#isInStep;
  }

  /** Takes note, and has it looked at when it is time. */
  suspect(suspicion: Suspicion): void {
    const { listener, clock } = this.#options;
    const isFirst = this.#pending === undefined;
    const isStronger = suspicion.certainty === 'sure' && this.#pending?.certainty === 'maybe';
    this.#pending = joined(this.#pending, { ...suspicion, at: clock.now() });
    if (isFirst && this.#pace.isSlow) listener.outcome(this.family, 'delayed');
    if (isFirst || isStronger) this.#schedule(this.#pending);
  }

  /** A pass begins; whether it is to look. */
  begun(): boolean {
    const { clock } = this.#options;
    this.#lookBegan = clock.now();
    if (this.#pending === undefined || !this.#isDue(this.#pending)) return false;
    this.#looking = joined(this.#looking, this.#pending);
    this.#pending = undefined;
    return true;
  }

  /** A pass ended; `driftOf` finds what it repaired, which takes a while in a large cluster. */
  passed({ error }: Pick<FamilyPass<Unit>, 'error'>, driftOf: () => Plan): void {
    const { family, listener, clock } = this.#options;
    this.#isInStep = error === undefined;
    const looked = this.#looking;
    if (error !== undefined) {
      // The loop tries again by itself, and reads then.
      if (looked !== undefined) listener.outcome(family, 'failed');
      return;
    }
    this.#looking = undefined;
    const suspicion = looked ?? this.#pending;
    // What the first pass puts in place nobody took away.
    const drift = suspicion === undefined || !this.#wasInStep ? [] : driftOf();
    this.#wasInStep = true;
    if (drift.length > 0 && suspicion !== undefined) this.#repaired(suspicion, drift);
    else if (looked !== undefined) {
      this.#pace.lookedInVain(clock.now(), clock.now() - this.#lookBegan);
      listener.outcome(family, 'unchanged');
    }
    if (this.#pending !== undefined) this.#schedule(this.#pending);
  }

  #repaired({ authors, source, at }: Noticed, drift: Plan): void {
    const { family, listener, clock } = this.#options;
    const tookMs = clock.now() - at;
    this.#pace.repaired(at, clock.now());
    listener.outcome(family, 'repaired');
    // Once it is said that they are many, they are counted.
    if (!this.#isLoopReported) {
      listener.repaired({ family, source, authors, repaired: countSteps(drift), tookMs });
    }
    if (this.#pace.isSlow && !this.#isLoopReported) listener.looping(family, authors);
    if (!this.#pace.isSlow && this.#isLoopReported) listener.calm(family);
    this.#isLoopReported = this.#pace.isSlow;
    if (this.#isLoopReported) this.#wait(this.#pace.holdsAt, () => this.#calm());
  }

  #calm(): void {
    if (this.#pending !== undefined) return;
    this.#pace.calm();
    this.#isLoopReported = false;
    this.#options.listener.calm(this.family);
  }

  #isDue({ certainty }: Noticed): boolean {
    return this.#pace.dueAt(certainty) <= this.#options.clock.now();
  }

  #schedule(pending: Noticed): void {
    const { nudge } = this.#options;
    if (this.#isDue(pending)) nudge();
    else this.#wait(this.#pace.dueAt(pending.certainty), nudge);
  }

  #wait(until: number, then: () => void): void {
    const { clock } = this.#options;
    this.#waiting.abort();
    this.#waiting = new AbortController();
    const signal = AbortSignal.any([this.#waiting.signal, this.#options.signal]);
    // A timer may come a moment early.
    const ms = Math.max(Math.ceil(until - clock.now()) + 1, 0);
    void clock.delay(ms, signal).then(() => signal.aborted || then());
  }
}

function joined(one: Noticed | undefined, other: Noticed): Noticed {
  if (one === undefined) return other;
  const fresh = other.authors.filter(
    ({ pid }) => !one.authors.some((author) => author.pid === pid),
  );
  const authors = [...one.authors, ...fresh].slice(0, mostAuthors);
  const certainty = one.certainty === 'sure' ? 'sure' : other.certainty;
  return { ...one, authors, certainty };
}

// Whether the rules follow the cluster: they do as long as no change waits too long for a pass that
// takes it over (kube-proxy's ProxyHealthServer).
import type { FamilyStatus } from '../../model/proxy-status.ts';
import type { Family } from '../../model/ip.ts';
import { families as allFamilies } from '../../model/ip.ts';

/** How many of kube-proxy's sync periods a change may wait. */
const healthySyncPeriods = 2;

export type ProxyHealthOptions = {
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
  readonly families?: readonly Family[];
  readonly syncPeriodMs?: number;
};

type FamilyTimes = {
  /** When the kernel last was in step, or was first looked after. */
  updatedAt: number | undefined;
  /** When the oldest change came that no pass has taken up. */
  waitingSince: number | undefined;
  /** When the oldest change came that passes took up, but that is not in the kernel yet. */
  takenSince: number | undefined;
};

/** Invariant: a change counts as waiting from `queued` until a pass that began later has succeeded. */
export class ProxyHealth {
  readonly #now: () => number;
  readonly #longestWaitMs: number;
  readonly #families: ReadonlyMap<Family, FamilyTimes>;

  constructor({ now, families = allFamilies, syncPeriodMs = 30_000 }: ProxyHealthOptions) {
    this.#now = now;
    this.#longestWaitMs = healthySyncPeriods * syncPeriodMs;
    const unknown = { updatedAt: undefined, waitingSince: undefined, takenSince: undefined };
    this.#families = new Map(families.map((family) => [family, { ...unknown }]));
  }

  /** Whether no family lags behind; so it is too before the first of them is looked after. */
  get isHealthy(): boolean {
    return [...this.#families.values()].every((state) => this.#isInTime(state));
  }

  /** The families that are looked after. */
  status(): readonly FamilyStatus[] {
    return [...this.#families].flatMap(([family, state]) => {
      const { updatedAt } = state;
      if (updatedAt === undefined) return [];
      const sinceUpdateMs = this.#now() - updatedAt;
      return [{ family, sinceUpdateMs, isHealthy: this.#isInTime(state) }];
    });
  }

  /** A change came, to this family or to all of them. */
  queued(family?: Family): void {
    for (const state of this.#of(family)) state.waitingSince ??= this.#now();
  }

  /** A pass begins, and takes up all changes that came so far. */
  taken(): void {
    for (const state of this.#of()) {
      state.takenSince ??= state.waitingSince;
      state.waitingSince = undefined;
    }
  }

  /** The kernel holds what was taken up, in this family or in all; also to be said once at start. */
  updated(family?: Family): void {
    for (const state of this.#of(family)) {
      state.updatedAt = this.#now();
      state.takenSince = undefined;
    }
  }

  #of(family?: Family): readonly FamilyTimes[] {
    if (family === undefined) return [...this.#families.values()];
    const state = this.#families.get(family);
    return state === undefined ? [] : [state];
  }

  #isInTime({ updatedAt, waitingSince, takenSince }: FamilyTimes): boolean {
    const oldest = takenSince ?? waitingSince;
    if (updatedAt === undefined || oldest === undefined) return true;
    return this.#now() - oldest < this.#longestWaitMs;
  }
}

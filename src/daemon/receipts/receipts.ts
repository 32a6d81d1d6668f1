// Makes of each pass what the metrics are given. It costs what a pass touched, never the size of the cluster.
import type { Family } from '../../model/ip.ts';
import type { ClusterChange } from '../../model/kubernetes.ts';
import type { PassMetrics, Receipt } from '../../model/receipt.ts';
import { countSteps } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';
import type { BegunPass, Pass, PassListener } from '../pass.ts';
import { HoldingsCount, rulesWritten } from './holdings.ts';
import { TriggerTimes } from './trigger-times.ts';
import { WithoutLocal } from './without-local.ts';

type FamilyCounts = { readonly holdings: HoldingsCount; readonly withoutLocal: WithoutLocal };

/** Invariant: #counts have what all passes so far add up to. */
export class Receipts implements PassListener {
  readonly #metrics: PassMetrics;
  readonly #triggers: TriggerTimes;
  readonly #counts = new Map<Family, FamilyCounts>();

  /** `nowMs` gives milliseconds since the epoch. */
  constructor(metrics: PassMetrics, nowMs: () => number) {
    this.#metrics = metrics;
    this.#triggers = new TriggerTimes(nowMs);
  }

  queued(changes: readonly ClusterChange[]): void {
    const kinds = changes.map((change) => (change.op === 'set' ? change.object.kind : change.kind));
    const count = (wanted: string): number => kinds.filter((kind) => kind === wanted).length;
    this.#metrics.queued({ services: count('Service'), slices: count('EndpointSlice') });
  }

  began(pass: BegunPass): void {
    this.#metrics.taken();
    this.#triggers.take(pass);
  }

  ended({ families }: Pass): void {
    for (const pass of families) this.#metrics.passed(this.#receiptOf(pass));
  }

  #receiptOf(pass: FamilyPass<Unit>): Receipt {
    const { family, desired, plan, error, settled, isFull, durationMs, phaseMs } = pass;
    const { holdings, withoutLocal } = this.#countsOf(family);
    const isFailed = error !== undefined;
    withoutLocal.settle(settled);
    if (!isFailed && isFull) holdings.count(desired.units());
    else if (!isFailed) holdings.apply(plan);
    return {
      family,
      isFailed,
      isFull,
      durationMs,
      phaseMs,
      operations: countSteps(plan),
      rulesWritten: rulesWritten(plan),
      ...desired.decisions.notProgrammed,
      holdings: holdings.now,
      withoutLocal: withoutLocal.now,
      programmingSeconds: isFailed ? [] : this.#triggers.settle(family),
    };
  }

  #countsOf(family: Family): FamilyCounts {
    const known = this.#counts.get(family);
    if (known !== undefined) return known;
    const counts = { holdings: new HoldingsCount(), withoutLocal: new WithoutLocal() };
    this.#counts.set(family, counts);
    return counts;
  }
}

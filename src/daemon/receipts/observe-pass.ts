// Watches changes come, passes begin and passes end: keeps health and metrics by it. It costs what a pass
// touched, never the size of the cluster, and it changes nothing.
import type { ClusterState } from '../../cluster/state.ts';
import type { Family } from '../../model/ip.ts';
import type { ClusterChange, Node } from '../../model/kubernetes.ts';
import type { Asker } from '../../model/pass-record.ts';
import type { ProxyStatus } from '../../model/proxy-status.ts';
import type { PassMetrics, Receipt } from '../../model/receipt.ts';
import { operations } from '../../model/receipt.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { Desired } from '../../sync/desired.ts';
import type { FlightRecorder } from '../record/flight-recorder.ts';
import { HoldingsCount, rulesWritten } from './holdings.ts';
import type { ProxyHealth } from '../serving/proxy-health.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';
import { TriggerTimes } from './trigger-times.ts';
import { WithoutLocal } from './without-local.ts';

/** What a PassObserver works with. */
export type PassObserverOptions<U extends Unit> = {
  readonly nodeName: string;
  /** The objects; it must not have taken over the changes yet when `taken` is called. */
  readonly state: Pick<ClusterState, 'slice'>;
  readonly desired: (family: Family) => Desired<U> | undefined;
  readonly health: ProxyHealth;
  /** Undefined where no metrics are served. */
  readonly metrics: PassMetrics | undefined;
  /** Undefined where nobody can ask it. */
  readonly recorder?: Pick<FlightRecorder<U>, 'taken' | 'passed'> | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
};

type FamilyCounts = { readonly holdings: HoldingsCount; readonly withoutLocal: WithoutLocal };

/** Invariant: #node is the last version of this node's Node that came, also after it is gone. */
export class PassObserver<U extends Unit> {
  readonly #options: PassObserverOptions<U>;
  readonly #triggers: TriggerTimes;
  readonly #counts = new Map<Family, FamilyCounts>();
  #node: Node | undefined;

  constructor(options: PassObserverOptions<U>) {
    this.#options = options;
    const { state, nowMs } = options;
    this.#triggers = new TriggerTimes({ known: (id) => state.slice(id), nowMs });
  }

  /** What the health server tells. */
  get status(): ProxyStatus {
    const families = this.#options.health.status();
    return { families, isNodeEligible: this.#node?.isEligible === true };
  }

  /** Changes came. */
  queued(changes: readonly ClusterChange[]): void {
    const { health, metrics, nodeName } = this.#options;
    const counts = { services: 0, slices: 0 };
    for (const change of changes) {
      const kind = change.op === 'set' ? change.object.kind : change.kind;
      if (kind === 'Service') counts.services += 1;
      else if (kind === 'EndpointSlice') counts.slices += 1;
      if (change.op !== 'set' || change.object.kind !== 'Node') continue;
      if (change.object.id === nodeName) this.#node = change.object.value;
    }
    health.queued();
    metrics?.queued(counts);
  }

  /** A pass begins, and takes up these changes. */
  taken(changes: readonly ClusterChange[], asked: readonly Asker[] = ['cluster']): void {
    const { health, metrics, recorder } = this.#options;
    health.taken();
    recorder?.taken(changes, asked);
    if (metrics === undefined) return;
    metrics.taken();
    this.#triggers.take(changes);
  }

  /** A pass ended. */
  passed(passes: readonly FamilyPass<U>[]): void {
    const { health, metrics, recorder } = this.#options;
    recorder?.passed(passes);
    for (const pass of passes) {
      if (pass.error === undefined) health.updated(pass.family);
      if (metrics !== undefined) metrics.passed(this.#receiptOf(pass));
    }
  }

  #receiptOf(pass: FamilyPass<U>): Receipt {
    const { family, plan, error, settled, isFull, durationMs, phaseMs } = pass;
    const { holdings, withoutLocal } = this.#countsOf(family);
    const desired = this.#options.desired(family);
    const isFailed = error !== undefined;
    withoutLocal.settle(settled);
    if (!isFailed && isFull && desired !== undefined) holdings.count(desired.units());
    else if (!isFailed) holdings.apply(plan);
    const done = operations.map((name) => [name, plan.filter(({ op }) => op === name).length]);
    return {
      family,
      isFailed,
      isFull,
      durationMs,
      phaseMs,
      operations: Object.fromEntries(done) as Receipt['operations'],
      rulesWritten: rulesWritten(plan),
      ...(desired?.decisions.failings ?? { heldBack: 0, lostClaims: 0 }),
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

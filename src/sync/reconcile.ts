// One pass: what changed in the cluster becomes one transaction a family in the kernel.
import type { Backend } from '../backends/backend.ts';
import type { ClusterState, Stale } from '../cluster/state.ts';
import type { Config } from '../model/config.ts';
import type { Family } from '../model/ip.ts';
import type { ServiceForwarding } from '../model/forwarding.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { FlowTargets } from '../netfilter/flows.ts';
import { flowTargets } from '../netfilter/flows.ts';
import type { Plan } from '../netfilter/plan.ts';
import { plan } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Update } from './desired.ts';
import { Desired } from './desired.ts';

/** What one pass did, or would do, in one family. */
export type FamilyPass<U extends Unit> = {
  readonly family: Family;
  readonly plan: Plan<U>;
  /** What became stale was decided to mean. */
  readonly update: Update<U>;
  /** The flows that may have to go, now that the kernel holds this; empty where it does not. */
  readonly flows: FlowTargets;
  /** Why the kernel was not changed although it should be; undefined where all is well. */
  readonly error: Error | undefined;
  /** Wall time of the pass in this family, in milliseconds. */
  readonly durationMs: number;
};

/** What a pass is for: the real kernel, or only to be looked at. */
export type ReconcilerOptions<U extends Unit> = {
  readonly backend: Backend<U>;
  readonly families: readonly Family[];
  readonly config: Config;
  readonly state: ClusterState;
  /** Plans as if every plan were carried out, and carries out none. */
  readonly dryRun: boolean;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
};

type FamilyState<U extends Unit> = {
  readonly family: Family;
  readonly desired: Desired<U>;
  /** Whether the kernel is known to hold what #desired held after the last pass. */
  inStep: boolean;
  /** What the touched Services meant before, since the kernel last was in step. */
  before: readonly ServiceForwarding[];
  touched: ReadonlySet<ServiceKey>;
};

/**
 * Brings the kernel in step with the cluster's objects. Invariant: a family that is not known to be
 * in step is read back from the kernel before it is written to.
 */
export class Reconciler<U extends Unit> {
  readonly #options: ReconcilerOptions<U>;
  readonly #families: FamilyState<U>[];

  constructor(options: ReconcilerOptions<U>) {
    const { backend, families, config, state } = options;
    this.#options = options;
    this.#families = families.map((family) => ({
      family,
      desired: new Desired(backend, family, { config, state }),
      inStep: false,
      before: [],
      touched: new Set(),
    }));
  }

  /** Forgets what is known of the kernel: the next pass reads it. */
  distrust(): void {
    for (const family of this.#families) family.inStep = false;
  }

  /** Decides what is stale again and carries it out; a family that fails does not hold up the other. */
  async pass(stale: Stale): Promise<readonly FamilyPass<U>[]> {
    const passes: FamilyPass<U>[] = [];
    for (const family of this.#families) passes.push(await this.#passFamily(family, stale));
    return passes;
  }

  async #passFamily(state: FamilyState<U>, stale: Stale): Promise<FamilyPass<U>> {
    const { backend, dryRun, now } = this.#options;
    const { family, desired } = state;
    const start = now();
    const update = stale.settings ? desired.rebuild() : desired.update(stale.services);
    let steps: Plan<U> = [];
    let error: Error | undefined;
    try {
      steps = state.inStep
        ? plan(update.change.before, update.change.after)
        : plan(await backend.observe(family), desired.whole());
      state.inStep = false;
      if (!dryRun) await backend.apply(family, steps);
      state.inStep = true;
    } catch (failure) {
      error = failure instanceof Error ? failure : new Error(String(failure));
    }
    const flows = settleFlows(state, update);
    return { family, plan: steps, update, flows, error, durationMs: now() - start };
  }
}

// A pass that failed leaves its flows to the next one that does not.
function settleFlows<U extends Unit>(state: FamilyState<U>, update: Update<U>): FlowTargets {
  const services = [...update.before, ...update.after].map(({ service }) => service);
  state.before = [...state.before, ...update.before];
  state.touched = new Set([...state.touched, ...services]);
  if (!state.inStep) return new Map();
  const after = [...state.touched].flatMap((key) => state.desired.forwarding.get(key) ?? []);
  const targets = flowTargets(state.before, after);
  state.before = [];
  state.touched = new Set();
  return targets;
}

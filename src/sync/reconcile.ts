// One pass: what changed in the cluster becomes one transaction a family in the kernel.
import type { Backend } from '../backends/backend.ts';
import type { ClusterState, Stale } from '../cluster/state.ts';
import type { Gates } from '../diff/gates.ts';
import { LimitError, type ToolError } from '../errors.ts';
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { PhaseTimes } from '../model/receipt.ts';
import type { Plan } from '../netfilter/plan.ts';
import { ownersIn, plan, unitOf } from '../netfilter/plan.ts';
import type { Program, Unit } from '../netfilter/program.ts';
import type { Served } from '../netfilter/served.ts';
import type { Settled, Update } from './update.ts';
import { Desired } from './desired.ts';
import { hasLimits, passingLimits, servedBy } from './limits.ts';
import { findRefused, refusalIn } from './find-refused.ts';
import { PhaseClock } from './phase-clock.ts';

/** What one pass did, or would do, in one family. */
export type FamilyPass<U extends Unit> = {
  readonly family: Family;
  /** All that the kernel is to hold, as it is decided by now. */
  readonly desired: Desired<U>;
  readonly plan: Plan<U>;
  /** What became stale was decided to mean. */
  readonly update: Update<U>;
  /** Services that the pass quarantined, and why: they keep the last good rules, or have none. */
  readonly quarantined: ReadonlyMap<ServiceKey, Error>;
  /** What changed since the kernel last was in step, now that it is; nothing where it is not. */
  readonly settled: Settled;
  /** Why the kernel was not changed although it should be; undefined where all is well. */
  readonly error: Error | undefined;
  /** The kernel was read, and compared as a whole. */
  readonly isFull: boolean;
  /** Wall time of the pass in this family, in milliseconds. */
  readonly durationMs: number;
  /** What the parts of it took. */
  readonly phaseMs: PhaseTimes;
};

/** The kernel as a pass needs it. */
export type Kernel<U extends Unit> = Pick<
  Backend<U>,
  'assemble' | 'observe' | 'apply' | 'unitsNamedIn'
> &
  Partial<Pick<Backend<U>, 'served'>>;

/** What a pass is for: the real kernel, or only to be looked at. */
export type ReconcilerOptions<U extends Unit> = {
  readonly backend: Kernel<U>;
  readonly families: readonly Family[];
  readonly config: Config;
  readonly state: ClusterState;
  /** All addresses on the host's interfaces, now. */
  readonly hostIps: () => readonly Ip[];
  readonly isTcpLiberal?: boolean;
  /** What a change may take away: Services that pass a limit keep what they had; absent: there is none. */
  readonly limits?: Gates;
  /** Plans as if every plan were carried out, and carries out none. */
  readonly dryRun: boolean;
  /** Milliseconds on a clock that only goes forward. */
  readonly now: () => number;
};

type FamilySync<U extends Unit> = {
  readonly family: Family;
  readonly desired: Desired<U>;
  /** Whether the kernel is known to hold what #desired held after the last pass. */
  inStep: boolean;
  /** Whether the kernel has ever been in step. */
  hasBeenInStep: boolean;
  /** Services that keep what they had, as they pass a limit. */
  held: ReadonlyMap<ServiceKey, Error>;
};

/** What was carried out, and what not. */
type Outcome<U extends Unit> = {
  readonly plan: Plan<U>;
  readonly refused: ReadonlyMap<ServiceKey, Error>;
  readonly isFull: boolean;
};

const nothingSettled: Settled = { before: [], after: [] };
const noneRefused: ReadonlyMap<ServiceKey, Error> = new Map();

/**
 * Brings the kernel in step with the cluster's objects. Invariant: a family that is not known to be
 * in step is read back from the kernel before it is written to.
 */
export class Reconciler<U extends Unit> {
  readonly #options: ReconcilerOptions<U>;
  readonly #families: readonly FamilySync<U>[];
  #config: Config;

  constructor(options: ReconcilerOptions<U>) {
    const { backend, families, config, state, hostIps, isTcpLiberal = false } = options;
    this.#options = options;
    this.#config = config;
    this.#families = families.map((family) => ({
      family,
      desired: new Desired(backend, family, { config, state, hostIps, isTcpLiberal }),
      inStep: false,
      hasBeenInStep: false,
      held: noneRefused,
    }));
  }

  /** What is in force. */
  get config(): Config {
    return this.#config;
  }

  /** Takes over another configuration: the next pass decides everything again where that matters. */
  reconfigure(config: Config): void {
    this.#config = config;
    for (const { desired } of this.#families) desired.reconfigure(config);
  }

  /** Forgets what is known of the kernel, of one family or of all; to be called between passes: the next one reads it. */
  distrust(family?: Family): void {
    for (const state of this.#families) {
      if (family === undefined || state.family === family) state.inStep = false;
    }
  }

  /** Whether this host changed in a way that a pass would take over. */
  get isOutdated(): boolean {
    return this.#families.some(({ desired }) => desired.isOutdated);
  }

  /** What one family's kernel should hold, as it was last decided. */
  desired(family: Family): Desired<U> | undefined {
    return this.#families.find((state) => state.family === family)?.desired;
  }

  /** Decides what is stale again and carries it out; a family that fails does not hold up the other. */
  async pass(stale: Stale): Promise<readonly FamilyPass<U>[]> {
    const passes: FamilyPass<U>[] = [];
    for (const family of this.#families) passes.push(await this.#passFamily(family, stale));
    return passes;
  }

  async #passFamily(state: FamilySync<U>, stale: Stale): Promise<FamilyPass<U>> {
    const { backend, now } = this.#options;
    const { family, desired } = state;
    const clock = new PhaseClock(now);
    // A process of its own reads the kernel while we decide; that it failed is met where it is waited for.
    const reading = state.inStep ? undefined : backend.observe(family);
    reading?.catch(() => {});
    const isStale = stale.settings || desired.isOutdated;
    const update = isStale ? desired.rebuild() : desired.update(this.#staleWith(state, stale));
    const wereHeld = state.held.size > 0;
    this.#hold(state);
    const isFull = !state.inStep || !update.isTraceable || wereHeld || state.held.size > 0;
    let outcome: Outcome<U> = { plan: [], refused: noneRefused, isFull };
    let error: Error | undefined;
    try {
      clock.enter('plan');
      const present = isFull ? await (reading ?? backend.observe(family)) : undefined;
      this.#holdAtStart(state, present);
      outcome = await this.#carryOut(state, update, { present, clock });
      state.inStep = true;
      state.hasBeenInStep = true;
    } catch (failure) {
      state.inStep = false;
      error = failure instanceof Error ? failure : new Error(String(failure));
    }
    return {
      family,
      desired,
      plan: outcome.plan,
      update,
      quarantined: new Map([...update.faults, ...outcome.refused, ...state.held]),
      settled: state.inStep ? desired.settle() : nothingSettled,
      error,
      isFull: outcome.isFull,
      ...clock.end(),
    };
  }

  // Whether Services pass a limit may change with each that goes, or comes back.
  #staleWith({ held }: FamilySync<U>, { services }: Stale): ReadonlySet<ServiceKey> {
    if (held.size === 0) return services;
    const { state } = this.#options;
    const isAsked = [...services].some((key) => held.has(key) || state.service(key) === undefined);
    return isAsked ? new Set([...services, ...held.keys()]) : services;
  }

  #hold(state: FamilySync<U>): void {
    const { limits } = this.#options;
    const { desired, hasBeenInStep, held } = state;
    if (limits === undefined || !hasLimits(limits) || !hasBeenInStep) return;
    const { pending, meaningBefore, candidates } = desired.decisions;
    const stretch = {
      before: pending.before.flatMap(servedBy),
      after: pending.after.flatMap(servedBy),
    };
    const passing = passingLimits(stretch, limits, meaningBefore);
    desired.quarantineOnly(new Set(passing.keys()), candidates);
    const still = [...held].filter(([key]) => desired.decisions.statusOf(key).isQuarantined);
    state.held = new Map([...still, ...passing]);
  }

  // What the kernel has from before is all or nothing: what single Services of it meant is not known.
  #holdAtStart({ family, desired, hasBeenInStep }: FamilySync<U>, present?: Program<U>): void {
    const { backend, limits } = this.#options;
    if (present === undefined || limits === undefined || !hasLimits(limits) || hasBeenInStep)
      return;
    const served = (program: Program<U>): readonly Served[] =>
      backend.served?.(family, program) ?? [];
    const [before, after] = [served(present), served(desired.whole())];
    const services = new Set(before.map(({ service }) => service)).size;
    const passing = new Set(passingLimits({ before, after }, limits, services).values());
    if (passing.size === 0) return;
    throw new LimitError([...passing].map(({ message }) => message).join('\n'));
  }

  // `present` is undefined where the kernel is known to hold what it was to hold before the update.
  async #carryOut(
    state: FamilySync<U>,
    { change }: Update<U>,
    { present, clock }: { readonly present: Program<U> | undefined; readonly clock: PhaseClock },
  ): Promise<Outcome<U>> {
    const { backend, dryRun } = this.#options;
    const { family, desired } = state;
    const isFull = present !== undefined;
    const steps = isFull ? desired.planFrom(present) : plan(change.before, change.after);
    if (dryRun) return { plan: steps, refused: noneRefused, isFull };
    clock.enter('apply');
    try {
      await backend.apply(family, steps);
      return { plan: steps, refused: noneRefused, isFull };
    } catch (error) {
      const refusal = refusalIn(error);
      if (refusal === undefined) throw error;
      return this.#applyRest(state, refusal);
    }
  }

  // A refusal means either that the kernel differs from what was believed, or that some Services' rules are
  // bad: those Services keep what they had, and everything else is carried out.
  async #applyRest({ family, desired }: FamilySync<U>, refusal: ToolError): Promise<Outcome<U>> {
    const { backend } = this.#options;
    const found = await backend.observe(family);
    const { candidates } = desired.decisions;
    let present = found;
    let asked: Plan<U> = [];
    const attempt = async (without: ReadonlySet<ServiceKey>): Promise<ToolError | undefined> => {
      desired.quarantineOnly(without, candidates);
      asked = desired.planFrom(present);
      try {
        await backend.apply(family, asked);
        present = desired.whole();
        return undefined;
      } catch (error) {
        const another = refusalIn(error);
        if (another === undefined) throw error;
        // A large plan is carried out in parts, the first of which may be in force.
        present = await backend.observe(family);
        return another;
      }
    };
    const accuse = (named: ToolError): readonly ServiceKey[] =>
      ownersOf(asked, new Set(backend.unitsNamedIn(named)));
    try {
      const refused = await findRefused(candidates, attempt, accuse);
      if (refused === undefined) throw refusal;
      desired.quarantineOnly(new Set(refused.keys()), candidates);
      return { plan: desired.planFrom(found), refused, isFull: true };
    } catch (error) {
      desired.quarantineOnly(new Set(), candidates);
      throw error;
    }
  }
}

/** The Services that the units with these ids stand for. */
function ownersOf<U extends Unit>(steps: Plan<U>, ids: ReadonlySet<string>): readonly ServiceKey[] {
  return [...ownersIn(steps.filter((step) => ids.has(unitOf(step).id)))];
}

// A flight record run again through the same functions, without a kernel: what each pass planned then,
// made once more from the same objects.
import type { Assembler } from '../../backends/backend.ts';
import type { Stale } from '../../cluster/state.ts';
import type { Config } from '../../model/config.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type {
  FamilyRecord,
  FlightRecord,
  Found,
  PassRecord,
  ReplayStep,
  Surroundings,
} from '../../model/pass-record.ts';
import type { Plan } from '../../netfilter/plan.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Program, Unit } from '../../netfilter/program.ts';
import { Desired } from '../../sync/desired.ts';
import { stateOf } from '../../sync/offline.ts';
import { planCounts } from './family-record.ts';
import { planDigest, unitsDigest } from './plan-digest.ts';

/** How a plan that was made again compares with the recorded one. */
export type Agreement =
  | { readonly kind: 'same' }
  /** `what`: the plan, or what the kernel was to hold as a whole. */
  | { readonly kind: 'differs'; readonly what: 'plan' | 'whole' }
  /** The pass failed, so nothing was carried out. */
  | { readonly kind: 'failed'; readonly error: string }
  /** What it was to hold is the same; what the kernel held, and so the plan, is not in the record. */
  | { readonly kind: 'not-recorded' };

/** A pass of one family, again. */
export type ReplayedFamily<U extends Unit> = {
  readonly family: Family;
  /** Empty where none was carried out, or none can be made again. */
  readonly plan: Plan<U>;
  readonly counts: FamilyRecord['plan'];
  /** What the kernel was to hold after it. */
  readonly wanted: Program<U>;
  readonly recorded: FamilyRecord;
  readonly agreement: Agreement;
};

/** A pass, again. */
export type ReplayedPass<U extends Unit> = {
  readonly record: PassRecord;
  readonly families: readonly ReplayedFamily<U>[];
};

/** Runs the passes that can be replayed, in order. */
export function* replay<U extends Unit>(
  backend: Assembler<U>,
  flight: FlightRecord,
): Generator<ReplayedPass<U>> {
  const around = surroundingsOf(flight, flight.base);
  const state = stateOf(flight.base.objects, around.config);
  let { hostIps } = around;
  const inputs = { config: around.config, state, hostIps: () => hostIps };
  const { isTcpLiberal } = flight;
  const families = flight.families.map((family) => {
    const desired = new Desired(backend, family, { ...inputs, isTcpLiberal });
    desired.update(new Set(state.serviceKeys));
    desired.settle();
    return { family, desired };
  });
  for (const step of flight.steps) {
    const record = flight.passes.find(({ number }) => number === step.number);
    if (record === undefined) continue;
    const { config, hostIps: ips } = surroundingsOf(flight, step);
    hostIps = ips;
    for (const { desired } of families) desired.reconfigure(config);
    const stale = state.apply(step.changes);
    yield {
      record,
      families: families.flatMap(({ family, desired }) => {
        const recorded = record.families.find((one) => one.family === family);
        return recorded === undefined ? [] : [replayFamily(desired, stale, recorded)];
      }),
    };
  }
}

function surroundingsOf(
  { configs, hostIps }: FlightRecord,
  at: Surroundings | ReplayStep,
): { readonly config: Config; readonly hostIps: readonly Ip[] } {
  const [config, ips] = [configs[at.config], hostIps[at.hostIps]];
  if (config === undefined || ips === undefined) {
    throw new RangeError(`there is no configuration ${at.config} or addresses ${at.hostIps}`);
  }
  return { config, hostIps: ips };
}

// The same steps as Reconciler takes, with the recorded outcome in place of the kernel's.
function replayFamily<U extends Unit>(
  desired: Desired<U>,
  stale: Stale,
  recorded: FamilyRecord,
): ReplayedFamily<U> {
  const { family, isFull, error, refused = [] } = recorded;
  const isStale = stale.settings || desired.isOutdated;
  const { change } = isStale ? desired.rebuild() : desired.update(stale.services);
  if (refused.length > 0) desired.holdBack(new Set(refused), desired.decisions.candidates);
  const wanted = desired.whole();
  const of = { family, wanted, recorded };
  if (error !== undefined) {
    return { ...of, plan: [], counts: planCounts([]), agreement: { kind: 'failed', error } };
  }
  const present = isFull ? kernelAsFound(wanted, recorded.kernel?.found) : change.before;
  const steps = present && plan(present, isFull ? wanted : change.after);
  const agreement = compare(recorded, steps, wanted);
  desired.settle();
  return { ...of, plan: steps ?? [], counts: planCounts(steps ?? []), agreement };
}

function kernelAsFound<U extends Unit>(
  wanted: Program<U>,
  found: Found | undefined,
): Program<U> | undefined {
  if (found === undefined || found.kind === 'unrecorded') return undefined;
  if (found.kind === 'nothing') return new Map();
  const present = new Map(wanted);
  for (const id of found.missing) present.delete(id);
  for (const unit of found.present) present.set(unit.id, unit as U);
  return present;
}

function compare<U extends Unit>(
  { planDigest: recorded, kernel }: FamilyRecord,
  steps: Plan<U> | undefined,
  wanted: Program<U>,
): Agreement {
  if (kernel !== undefined && unitsDigest(wanted.values()).digest !== kernel.wholeDigest) {
    return { kind: 'differs', what: 'whole' };
  }
  if (steps === undefined || recorded === undefined) return { kind: 'not-recorded' };
  return planDigest(steps) === recorded ? { kind: 'same' } : { kind: 'differs', what: 'plan' };
}

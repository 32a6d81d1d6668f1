// A flight record run again by the function that the daemon runs, over a kernel in memory that is as the record
// says: what each pass planned then, planned once more from the same objects.
import type { Assembler } from '../../backends/backend.ts';
import { ClusterState } from '../../cluster/state.ts';
import type { Config } from '../../model/config.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type {
  FamilyRecord,
  FlightRecord,
  PassRecord,
  ReplayStep,
  RecordedInputs,
} from '../../model/pass-record.ts';
import type { Plan } from '../../netfilter/plan.ts';
import { unitOf } from '../../netfilter/plan.ts';
import type { Program, Unit } from '../../netfilter/program.ts';
import { Reconciler, type FamilyPass } from '../../sync/reconcile.ts';
import { runPass } from '../pass.ts';
import { planDigest, unitsDigest } from './plan-digest.ts';
import { RecordedKernel } from './recorded-kernel.ts';

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
export type ReplayedFamily = {
  readonly family: Family;
  /** Empty where none was carried out, or none can be made again. */
  readonly plan: Plan;
  /** What the kernel was to hold after it. */
  readonly wanted: Program;
  readonly recorded: FamilyRecord;
  readonly agreement: Agreement;
};

/** A pass, again. */
export type ReplayedPass = {
  readonly record: PassRecord;
  readonly families: readonly ReplayedFamily[];
};

/** Runs the passes that can be replayed, in order; throws RangeError where the record does not hold together. */
export async function* replay(
  assembler: Assembler,
  flight: FlightRecord,
): AsyncGenerator<ReplayedPass> {
  const { families, isTcpLiberal, base, steps } = flight;
  const { config, hostIps } = inputsOf(flight, base);
  const { nodeName } = config;
  const around = { hostIps };
  const state = new ClusterState(nodeName);
  const kernel = new RecordedKernel(assembler);
  const reconciler = new Reconciler({
    backend: kernel,
    families,
    config,
    state,
    hostIps: () => around.hostIps,
    isTcpLiberal,
    dryRun: false,
    now: () => 0,
  });
  const run = (changes: ReplayStep['changes'], { asked }: Pick<PassRecord, 'asked'>) =>
    runPass({ nodeName, state, reconciler, listeners: [] }, { asked, changes, version: '' });
  await run(
    base.objects.map((object) => ({ op: 'set', object })),
    { asked: [] },
  );
  for (const step of steps) {
    const record = flight.passes.find(({ number }) => number === step.number);
    if (record === undefined) continue;
    const now = inputsOf(flight, step);
    around.hostIps = now.hostIps;
    reconciler.reconfigure(now.config);
    kernel.begin(record, reconciler);
    const pass = await run(step.changes, record);
    yield { record, families: pass.families.flatMap((family) => replayed(family, record)) };
  }
}

function inputsOf(
  { configs, hostIps }: FlightRecord,
  at: RecordedInputs | ReplayStep,
): { readonly config: Config; readonly hostIps: readonly Ip[] } {
  const [config, ips] = [configs[at.config], hostIps[at.hostIps]];
  if (config === undefined || ips === undefined) {
    throw new RangeError(`there is no configuration ${at.config} or addresses ${at.hostIps}`);
  }
  return { config, hostIps: ips };
}

function replayed(pass: FamilyPass<Unit>, record: PassRecord): readonly ReplayedFamily[] {
  const { family, plan, desired } = pass;
  const recorded = record.families.find((one) => one.family === family);
  if (recorded === undefined) return [];
  const wanted = desired.whole();
  return [{ family, plan, wanted, recorded, agreement: compare(pass, wanted, recorded) }];
}

function compare(
  { plan, error }: FamilyPass<Unit>,
  wanted: Program,
  { planDigest: digest, kernel, error: recorded }: FamilyRecord,
): Agreement {
  if (recorded !== undefined) return { kind: 'failed', error: recorded };
  if (error !== undefined) return { kind: 'differs', what: 'plan' };
  if (kernel !== undefined && unitsDigest(wanted.values()).digest !== kernel.wholeDigest) {
    return { kind: 'differs', what: 'whole' };
  }
  if (digest === undefined || kernel?.found.kind === 'unrecorded') return { kind: 'not-recorded' };
  if (planDigest(plan) === digest) return { kind: 'same' };
  // What was found is recorded by place, and places that mean nothing may have been others then.
  const isByPlace = kernel !== undefined && plan.some((step) => unitOf(step).unordered);
  return isByPlace ? { kind: 'not-recorded' } : { kind: 'differs', what: 'plan' };
}

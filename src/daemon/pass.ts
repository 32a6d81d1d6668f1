// What the daemon does around a pass: takes over the changes, tells of the outcome, and has those who
// follow the rules take theirs over.
import type { Logger } from 'pino';
import type { ClusterState, Stale } from '../cluster/state.ts';
import type { ClusterChange, ServiceKey } from '../model/kubernetes.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Op } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import type { FamilyPass, Reconciler } from '../sync/reconcile.ts';

/** What is to be done when the kernel of a family is in step; must not keep the next pass waiting long. */
export type Follower = (pass: Pick<FamilyPass<Unit>, 'family' | 'settled'>) => Promise<void> | void;

/** The parts that a pass of the daemon works on. */
export type Daemon<U extends Unit> = {
  readonly state: ClusterState;
  readonly reconciler: Reconciler<U>;
  readonly log: Logger;
  readonly dryRun: boolean;
  /** Sees the plans of every pass. */
  readonly onPlan: (passes: readonly FamilyPass<U>[]) => Promise<void> | void;
  /** One after the other, for each family that is in step; none in a dry run. */
  readonly followers: readonly Follower[];
  /** Resolves when what followers do beside the passes is done, or has taken long enough. */
  readonly untilQuiet: () => Promise<void>;
};

// A log line names a few Services and counts the rest.
const maxNamedServices = 10;

/** One pass over changes; true where the kernel holds what they lead to. */
export async function passOver<U extends Unit>(
  daemon: Daemon<U>,
  changes: readonly ClusterChange[],
  version: string,
): Promise<boolean> {
  const { state, reconciler, log, onPlan, followers, dryRun } = daemon;
  const stale = state.apply(changes);
  const passes = await reconciler.pass(stale);
  await onPlan(passes);
  for (const pass of passes) {
    tell(log, pass);
    if (dryRun || pass.error !== undefined) continue;
    for (const follow of followers) await follow(pass);
  }
  const isInStep = passes.every(({ error }) => error === undefined);
  if (isInStep) void tellInStep(daemon, { version, ...namesOf(stale) });
  return isInStep;
}

// Who reads it may go on to rely on flows as well; the next pass does not wait for that.
async function tellInStep<U extends Unit>(
  { log, untilQuiet }: Daemon<U>,
  what: object,
): Promise<void> {
  await untilQuiet();
  log.info(what, 'in step');
}

function tell<U extends Unit>(log: Logger, pass: FamilyPass<U>): void {
  const { family, plan, update, heldBack, error, durationMs, phaseMs } = pass;
  for (const { frontend, winner, reason } of update.lost) {
    const address = frontendId(frontend.address);
    const what = { service: frontend.service, address, winner, reason };
    log.warn(what, 'address already claimed by another Service; not programmed');
  }
  tellOfHeldBack(log, pass.family, heldBack);
  const ms = rounded(durationMs);
  if (error !== undefined) {
    log.error({ err: error, family, ms }, 'the kernel keeps the last good rules; trying again');
  } else if (plan.length > 0) {
    const count = (op: string): number => plan.filter((step) => step.op === op).length;
    const counts = {
      created: count('create'),
      replaced: count('replace'),
      deleted: count('delete'),
    };
    const touched = plan.flatMap((step) => ownerOf(step) ?? []);
    const took = { ms, planMs: rounded(phaseMs.plan), applyMs: rounded(phaseMs.apply) };
    log.info({ family, ...firstOf(new Set(touched)), ...counts, ...took }, 'applied');
  }
}

function ownerOf<U extends Unit>(step: Op<U>): ServiceKey | undefined {
  return (step.op === 'delete' ? step.was : step.unit).owner;
}

function rounded(ms: number): number {
  return Math.round(ms * 10) / 10;
}

function tellOfHeldBack(
  log: Logger,
  family: FamilyPass<Unit>['family'],
  heldBack: ReadonlyMap<ServiceKey, Error>,
): void {
  for (const [service, err] of heldBack) {
    log.error(
      { err, service, family },
      'left alone until it changes: it keeps its last good rules',
    );
  }
}

function namesOf({ services, settings }: Stale): object {
  return { ...firstOf(services), ...(settings ? { settings } : {}) };
}

function firstOf(services: ReadonlySet<ServiceKey>): object {
  const names = [...services].slice(0, maxNamedServices);
  const more = services.size - names.length;
  return { services: names, ...(more > 0 ? { more } : {}) };
}

// What the daemon does around a pass: takes over the changes, tells of the outcome, and lets go of
// flows that lead nowhere any more.
import type { Logger } from 'pino';
import type { ClusterState, Stale } from '../cluster/state.ts';
import { MissingToolError } from '../errors.ts';
import { removeStaleFlows } from '../host/conntrack.ts';
import type { Exec } from '../host/exec.ts';
import type { ClusterChange } from '../model/kubernetes.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Unit } from '../netfilter/program.ts';
import type { FamilyPass, Reconciler } from './reconcile.ts';

/** The parts that a pass of the daemon works on. */
export type Daemon<U extends Unit> = {
  readonly state: ClusterState;
  readonly reconciler: Reconciler<U>;
  readonly exec: Exec;
  readonly log: Logger;
  readonly dryRun: boolean;
  /** Sees the plans of every pass. */
  readonly onPlan: (passes: readonly FamilyPass<U>[]) => void;
};

// A log line names a few Services and counts the rest.
const maxNamedServices = 10;

/** One pass over changes; true where the kernel holds what they lead to. */
export async function passOver<U extends Unit>(
  daemon: Daemon<U>,
  changes: readonly ClusterChange[],
  version: string,
): Promise<boolean> {
  const { state, reconciler, log, onPlan, dryRun } = daemon;
  const stale = state.apply(changes);
  const passes = await reconciler.pass(stale);
  onPlan(passes);
  for (const pass of passes) {
    tell(log, pass);
    if (!dryRun && pass.error === undefined) await letGoOfFlows(daemon, pass);
  }
  const isInStep = passes.every(({ error }) => error === undefined);
  if (isInStep) log.info({ manifests: version, ...namesOf(stale) }, 'in step');
  return isInStep;
}

function tell<U extends Unit>(log: Logger, pass: FamilyPass<U>): void {
  const { family, plan, update, error, durationMs } = pass;
  for (const { frontend, winner } of update.lost) {
    const address = frontendId(frontend.address);
    log.warn({ service: frontend.service, address, winner }, 'left out: an older Service has it');
  }
  const ms = Math.round(durationMs * 10) / 10;
  if (error !== undefined) {
    log.error({ err: error, family, ms }, 'the kernel keeps the last good rules; trying again');
  } else if (plan.length > 0) {
    const count = (op: string): number => plan.filter((step) => step.op === op).length;
    const counts = {
      created: count('create'),
      replaced: count('replace'),
      deleted: count('delete'),
    };
    log.info({ family, ...counts, ms }, 'applied');
  }
}

async function letGoOfFlows<U extends Unit>(
  { exec, log }: Daemon<U>,
  { family, flows }: FamilyPass<U>,
): Promise<void> {
  try {
    const removed = await removeStaleFlows(exec, family, flows);
    if (removed > 0) log.info({ family, removed }, 'removed stale conntrack flows');
  } catch (error) {
    // The rules are right all the same; only flows that already are may go on to a dead endpoint.
    const remedy = error instanceof MissingToolError ? error.remedy : undefined;
    log.warn({ err: error, family, remedy }, 'stale conntrack flows stay');
  }
}

function namesOf({ services, settings }: Stale): object {
  const names = [...services].slice(0, maxNamedServices);
  const more = services.size - names.length;
  return { services: names, ...(more > 0 ? { more } : {}), ...(settings ? { settings } : {}) };
}

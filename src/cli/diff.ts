// `sluice diff`: what would change in the kernel for these manifests. Changes nothing.
import type { Backend } from '../backends/backend.ts';
import { withBackend } from '../backends/index.ts';
import { hostAddresses } from '../host/interfaces.ts';
import { isTcpLiberal } from '../host/sysctl.ts';
import type { Exec } from '../host/exec.ts';
import type { Config } from '../model/config.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import { plan } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import { desiredOf } from '../sync/offline.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { loadObjects } from './load-objects.ts';
import { lostClaimsText } from './lost-claims.ts';
import type { FamilyPlan } from './print-plan.ts';
import { paintFor, planJson, planText } from './print-plan.ts';
import { readSaved } from './saved-ruleset.ts';

export type DiffOptions = {
  readonly config: Config;
  readonly manifests: string;
  /** A saved ruleset to compare with in place of the kernel's. */
  readonly against: string | undefined;
  readonly output: 'text' | 'json';
};

/** Prints the difference; 0 where there is none, 1 where there is. */
export async function diffCommand(options: DiffOptions, exec: Exec, io: Io): Promise<number> {
  const objects = await loadObjects(options.manifests, io);
  const plans = await withBackend(exec, options.config, (backend) =>
    plansOf(backend, objects, { options, exec, io }),
  );
  const { stdout } = io;
  stdout.write(options.output === 'json' ? planJson(plans) : planText(plans, paintFor(stdout)));
  return plans.every(({ plan: steps }) => steps.length === 0)
    ? exitCodes.same
    : exitCodes.different;
}

type Surroundings = { readonly options: DiffOptions; readonly exec: Exec; readonly io: Io };

async function plansOf<U extends Unit>(
  backend: Backend<U>,
  objects: readonly ClusterObject[],
  { options: { config, against }, exec, io }: Surroundings,
): Promise<readonly FamilyPlan[]> {
  const saved = against === undefined ? undefined : await readSaved(backend, against);
  const families = saved === undefined ? (await backend.probe()).families : [...saved.keys()];
  const plans: FamilyPlan[] = [];
  const host = { hostIps: hostAddresses, isTcpLiberal: await isTcpLiberal(exec) };
  const wanted = desiredOf(backend, objects, { config, families, ...host });
  io.stderr.write(lostClaimsText(wanted));
  for (const { family, desired } of wanted) {
    const present = saved?.get(family) ?? (await backend.observe(family));
    plans.push({ family, plan: plan(present, desired.whole()) });
  }
  return plans;
}

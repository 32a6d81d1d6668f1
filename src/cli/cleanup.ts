// `sluice cleanup`: removes what one proxy mode put into the kernel, and nothing else.
import type { Backend } from '../backends/backend.ts';
import { withBackend } from '../backends/index.ts';
import type { Exec } from '../host/exec.ts';
import type { Config } from '../model/config.ts';
import { plan } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { paintFor, planJson, planText, type FamilyPlan } from './print-plan.ts';

export type CleanupOptions = {
  readonly config: Config;
  /** Prints what would be removed, and removes nothing. */
  readonly dryRun: boolean;
  readonly output: 'text' | 'json';
};

/** Removes our rules of `config.proxyMode` in every family. */
export async function cleanupCommand(
  options: CleanupOptions,
  exec: Exec,
  { stdout, stderr }: Io,
): Promise<number> {
  const { config, dryRun, output } = options;
  const plans = await withBackend(exec, config, (backend) => cleanup(backend, dryRun));
  if (dryRun) {
    stdout.write(output === 'json' ? planJson(plans) : planText(plans, paintFor(stdout)));
    return exitCodes.same;
  }
  for (const { family, plan: steps } of plans) {
    stderr.write(`${family}: ${steps.length === 0 ? 'nothing of ours' : 'removed our rules'}\n`);
  }
  return exitCodes.same;
}

async function cleanup<U extends Unit>(
  backend: Backend<U>,
  dryRun: boolean,
): Promise<readonly FamilyPlan[]> {
  const { families } = await backend.probe();
  const plans: FamilyPlan[] = [];
  for (const family of families) {
    const steps = plan(await backend.observe(family), new Map());
    if (!dryRun) await backend.apply(family, steps);
    plans.push({ family, plan: steps });
  }
  return plans;
}

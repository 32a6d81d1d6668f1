// `sluice cleanup`: removes what one proxy mode put into the kernel, and nothing else.
import type { Backend, Elsewhere } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { Config } from '../../model/config.ts';
import { families } from '../../model/ip.ts';
import { plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { paintFor, planJson, planText, type FamilyPlan } from '../report/print-plan.ts';

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
    for (const step of steps) {
      if (step.op !== 'delete' || step.was.heldBy === undefined) continue;
      const { id, heldBy } = step.was;
      stderr.write(`${family}: ${id} is left, empty: ${heldBy.join(', ')} leads there\n`);
    }
  }
  for (const family of families) {
    const undone = await withBackend(exec, config, (backend) => backend.tidy?.(family));
    if (undone !== undefined) stderr.write(`${undone}\n`);
  }
  return exitCodes.same;
}

async function cleanup<U extends Unit>(
  backend: Backend<U>,
  dryRun: boolean,
): Promise<readonly FamilyPlan[]> {
  const { families } = await backend.probe();
  const here = families.map((family): Elsewhere<U> => ({
    family,
    observe: () => backend.observe(family),
    apply: (steps) => backend.apply(family, steps),
  }));
  const plans: FamilyPlan[] = [];
  for (const place of [...here, ...(backend.elsewhere?.() ?? [])]) {
    const steps = plan(await place.observe(), new Map());
    if (!dryRun) await place.apply(steps);
    plans.push({ family: place.family, plan: steps });
  }
  return plans;
}

// `sluice diff`: what would change in the kernel for these objects. Changes nothing.
import type { Backend } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import { printable } from '../../cluster/problem.ts';
import type { Gates } from '../../diff/gates.ts';
import { execLinesOnHost } from '../../host/tools/exec-lines.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { isTcpLiberal } from '../../host/kernel/sysctl.ts';
import type { Unit } from '../../netfilter/program.ts';
import { desiredOf } from '../../sync/offline.ts';
import { nodeChanges } from '../../takeover/node-changes.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import type { Inputs } from '../input/inputs.ts';
import { takeoverText } from '../report/takeover-text.ts';
import { notProgrammedText } from '../report/not-programmed.ts';
import type { Report, WantedPlan } from '../report/plan-report.ts';
import { refusalText } from '../../diff/refusal-text.ts';
import { gated, isInStep, reportOf } from '../report/plan-report.ts';
import { paintFor } from '../report/print-plan.ts';
import type { Shown } from '../report/print-report.ts';
import { reportJson, reportText } from '../report/print-report.ts';
import { readSaved } from './saved-ruleset.ts';
import { countStaleFlows } from './stale-flows.ts';

export type DiffOptions = {
  readonly inputs: Inputs;
  /** A saved ruleset to compare with in place of the kernel's. */
  readonly against: string | undefined;
  readonly output: 'text' | 'json';
  readonly gates: Gates;
  readonly shown: Shown;
  /** Where run would back up the existing rules. */
  readonly beforeFile: string;
};

/** Prints the difference; 0 where there is none, 1 where there is, 3 where a gate refuses it. */
export async function diffCommand(options: DiffOptions, exec: Exec, io: Io): Promise<number> {
  const report = await withBackend(exec, options.inputs.config, (backend) =>
    reportFor(backend, { options, exec, io }),
  );
  const { stdout, stderr } = io;
  const text = reportText(report, options.shown, paintFor(stdout));
  stdout.write(options.output === 'json' ? reportJson(report) : text);
  for (const refusal of report.refused)
    stderr.write(`sluice: ${printable(refusalText(refusal))}\n`);
  if (report.refused.length > 0) return exitCodes.refused;
  return isInStep(report) ? exitCodes.same : exitCodes.different;
}

type DiffRun = { readonly options: DiffOptions; readonly exec: Exec; readonly io: Io };

async function reportFor<U extends Unit>(
  backend: Backend<U>,
  { options: { inputs, against, gates, beforeFile }, exec, io }: DiffRun,
): Promise<Report> {
  const { objects, config } = inputs;
  const hostIps = () => inputs.hostIps;
  const saved = against === undefined ? undefined : await readSaved(backend, against);
  const families = saved === undefined ? (await backend.probe()).families : [...saved.keys()];
  const plans: WantedPlan<U>[] = [];
  const host = { hostIps, isTcpLiberal: await isTcpLiberal(exec) };
  const wanted = desiredOf(backend, objects, { config, families, ...host });
  io.stderr.write(notProgrammedText(wanted));
  for (const { family, desired } of wanted) {
    const present = saved?.get(family) ?? (await backend.observe(family));
    plans.push({ family, plan: desired.planFrom(present), wanted: desired.whole() });
  }
  // Somewhere else's rules say nothing of this machine.
  if (saved !== undefined) return gated(reportOf(backend, plans), gates);
  const localhostNodePorts = wanted.some(({ desired }) => desired.settings.localhostNodePorts);
  const options = { ...inputs, families, beforeFile, localhostNodePorts };
  const node = await nodeChanges(exec, options);
  io.stderr.write(takeoverText(node.comparisons));
  const report = gated(reportOf(backend, plans, node), gates);
  const around = { execLines: execLinesOnHost, signal: io.signal, hostIps };
  return { ...report, flows: await countStaleFlows(report.touched, wanted, around) };
}

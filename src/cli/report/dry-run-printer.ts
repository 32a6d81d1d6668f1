// What `run --dry-run` prints of each pass: the same as `diff`.
import type { Backend } from '../../backends/backend.ts';
import type { Family } from '../../model/ip.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { Daemon } from '../../daemon/pass.ts';
import type { Desired } from '../../sync/desired.ts';
import { reportOf } from './plan-report.ts';
import { paintFor } from './print-plan.ts';
import type { Shown } from './print-report.ts';
import { reportJson, reportText } from './print-report.ts';
import type { FlowCountOptions } from '../diff/stale-flows.ts';
import { countStaleFlows } from '../diff/stale-flows.ts';

/** What printing takes. */
export type PrinterOptions<U extends Unit> = {
  readonly backend: Backend<U>;
  readonly desired: (family: Family) => Desired<U> | undefined;
  readonly output: 'text' | 'json';
  readonly shown: Shown;
  readonly stdout: NodeJS.WritableStream;
  readonly flows: FlowCountOptions;
};

/** Prints the plans of every pass, compared with what the passes before would have made. */
export function dryRunPrinter<U extends Unit>({
  backend,
  desired,
  output,
  shown,
  stdout,
  flows,
}: PrinterOptions<U>): Daemon<U>['onPlan'] {
  return async (passes) => {
    const wanted = passes.flatMap(({ family, plan, error }) => {
      const here = desired(family);
      return here === undefined || error !== undefined ? [] : [{ family, plan, desired: here }];
    });
    const plans = wanted.map(({ family, plan, desired: here }) => {
      return { family, plan, wanted: here.whole() };
    });
    const report = reportOf(backend, plans);
    const counted = { ...report, flows: await countStaleFlows(report.changes, wanted, flows) };
    stdout.write(
      output === 'json' ? reportJson(counted) : reportText(counted, shown, paintFor(stdout)),
    );
  };
}

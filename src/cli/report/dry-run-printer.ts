// What `run --dry-run` prints of each pass: the same as `diff`.
import type { Backend } from '../../backends/backend.ts';
import type { PassListener } from '../../daemon/pass.ts';
import type { FlowCountOptions } from '../diff/stale-flows.ts';
import { countStaleFlows } from '../diff/stale-flows.ts';
import { objectsAfter } from '../../cluster/state.ts';
import type { NodeChanges, NodeChangesOptions } from '../../takeover/node-changes.ts';
import { reportOf } from './plan-report.ts';
import { paintFor } from './print-plan.ts';
import type { Shown } from './print-report.ts';
import { reportJson, reportText } from './print-report.ts';

/** What printing takes. */
export type PrinterOptions = {
  readonly output: 'text' | 'json';
  readonly shown: Shown;
  readonly stdout: NodeJS.WritableStream;
  readonly nodeName: string;
  readonly flows: FlowCountOptions;
  /** What else a start would change on this node. */
  readonly nodeChanges: (
    starting: Pick<NodeChangesOptions, 'families' | 'objects' | 'localhostNodePorts'>,
  ) => Promise<NodeChanges>;
};

/** Prints the plans of every pass, compared with what the passes before would have made. */
export function dryRunPrinter(
  backend: Backend,
  { output, shown, stdout, nodeName, flows, nodeChanges }: PrinterOptions,
): PassListener {
  let isStart = true;
  return {
    async ended({ families, changes }) {
      const wanted = families
        .filter(({ error }) => error === undefined)
        .map((pass) => ({ ...pass, wanted: pass.desired.whole() }));
      const localhostNodePorts = wanted.some(({ desired }) => desired.settings.localhostNodePorts);
      const node = isStart
        ? await nodeChanges({
            families: families.map(({ family }) => family),
            objects: objectsAfter(changes, nodeName),
            localhostNodePorts,
          })
        : undefined;
      isStart = false;
      const report = reportOf(backend, wanted, node);
      const counted = { ...report, flows: await countStaleFlows(report.touched, wanted, flows) };
      stdout.write(
        output === 'json' ? reportJson(counted) : reportText(counted, shown, paintFor(stdout)),
      );
    },
  };
}

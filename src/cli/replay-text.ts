// A pass that was replayed, for people and for programs.
import type { Backend } from '../backends/backend.ts';
import { printable } from '../cluster/problem.ts';
import type { FlightRecord } from '../model/pass-record.ts';
import { countSteps } from '../netfilter/plan.ts';
import type { Agreement, ReplayedFamily, ReplayedPass } from '../daemon/record/replay.ts';
import { changeWords } from './report/change-words.ts';
import { askedWords, changesWords, planWords } from './report/pass-words.ts';
import { reportOf, type Report } from './report/plan-report.ts';
import { operationsOf, type Paint } from './report/print-plan.ts';
import { reportText, type Shown } from './report/print-report.ts';

/** How many plans came out how; a family counts for itself. */
export type Sum = Record<Agreement['kind'], number>;

/** A pass as people read it. */
export function passText(
  backend: Backend,
  pass: ReplayedPass,
  { shown, paint }: { readonly shown: Shown; readonly paint: Paint },
): string {
  const { record, families } = pass;
  const at = new Date(record.atMs).toISOString();
  const why = `${askedWords(record)}; ${changesWords(record)}`;
  const title = `${paint('bold', `pass ${record.number}`)}  ${at}  ${why}\n`;
  const report = reportText(reportFor(backend, pass), shown, paint);
  const lines = families.map((family) => `  ${agreementText(family, paint)}\n`);
  return `${title}${indented(report)}${lines.join('')}\n`;
}

function reportFor(backend: Backend, { families }: ReplayedPass): Report {
  return reportOf(backend, families);
}

function indented(text: string): string {
  return text.replaceAll(/^(?=.)/gm, '  ');
}

/** How it compares: `IPv4: +3 -2: as recorded`. */
function agreementText(
  { family, plan, recorded, agreement }: ReplayedFamily,
  paint: Paint,
): string {
  const [now, then] = [planWords(countSteps(plan)), planWords(recorded.plan)];
  switch (agreement.kind) {
    case 'same':
      return `${family}: ${now}: ${paint('green', 'as recorded')}`;
    case 'failed':
      return `${family}: ${paint('yellow', 'failed then')}: ${printable(agreement.error)}`;
    case 'not-recorded':
      return `${family}: what the kernel held is not in the record (the plan was ${then})`;
    case 'differs': {
      const what =
        agreement.what === 'plan'
          ? `the recorded plan was ${then}`
          : 'what the kernel was to hold as a whole is not what it is now';
      return `${family}: ${now}: ${paint('red', 'differs')}: ${what}`;
    }
    default:
      return agreement satisfies never;
  }
}

/** What it all came to. */
export function sumText({ passes, steps }: FlightRecord, sum: Sum, paint: Paint): string {
  const parts = [
    `${sum.same} as recorded`,
    ...(sum.failed === 0 ? [] : [`${sum.failed} failed then`]),
    ...(sum['not-recorded'] === 0 ? [] : [`${sum['not-recorded']} without the kernel's state`]),
    sum.differs === 0 ? '0 differ' : paint('red', `${sum.differs} differ`),
  ];
  const before = passes.length - steps.length;
  const older = before === 0 ? '' : `; ${countedPasses(before)} before them cannot be replayed`;
  return `${countedPasses(steps.length)} replayed, plans: ${parts.join(', ')}${older}\n`;
}

function countedPasses(count: number): string {
  return count === 1 ? '1 pass' : `${count} passes`;
}

/** A pass for programs. */
export function passJson(backend: Backend, pass: ReplayedPass): object {
  const { record, families } = pass;
  return {
    number: record.number,
    at: new Date(record.atMs).toISOString(),
    asked: record.asked,
    changes: record.changes,
    words: reportFor(backend, pass).changes.flatMap((change) => changeWords(change, undefined)),
    families: families.map(({ family, plan, recorded, agreement }) => {
      return { family, agreement, plan: countSteps(plan), recorded: recorded.plan };
    }),
    operations: operationsOf(families),
  };
}

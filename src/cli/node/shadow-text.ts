// The result of a shadow comparison, for people: a line per family, and a table of the packets that would
// be handled differently.
import { differenceWords, takeoverHints } from '../../takeover/difference-words.ts';
import type { ShadowReport } from '../../takeover/shadow.ts';
import type { Screen } from '../report/screen.ts';
import { tableLines } from '../report/table.ts';

const heads = ['FROM', 'TO', 'NOW', 'SLUICE'] as const;

// Nobody reads thousands of lines; the rest is counted.
const maxLines = 200;

/** The report of all families. */
export function shadowText(reports: readonly ShadowReport[], screen: Screen): string {
  const all = reports.flatMap((report) => report.differences);
  // What changed in the cluster last.
  const differences = all.toSorted((one, other) => {
    return Number(one.isExplained) - Number(other.isExplained);
  });
  const rows = differences.slice(0, maxLines).map(differenceWords);
  const more = differences.length - rows.length;
  const lines = [
    ...reports.map(summaryOf),
    ...(rows.length === 0 ? [] : ['', ...tableLines(heads, rows, screen)]),
    ...(more > 0 ? [`and ${more} more`] : []),
    ...takeoverHints(reports).flatMap((line) => ['', line]),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function summaryOf({ family, theirs, whose, ...report }: ShadowReport): string {
  if (theirs === undefined) return `${family}: no other Service proxy has rules here`;
  const { addresses, packets, differences } = report;
  const counted = `${addresses} addresses, ${packets} packets`;
  return `${family}: rules of ${whose} against ours: ${counted}: ${differ(differences)}`;
}

function differ(differences: ShadowReport['differences']): string {
  if (differences.length === 0) return 'no difference';
  const explained = differences.filter(({ isExplained }) => isExplained).length;
  if (explained === 0) return `${differences.length} differ`;
  const some = explained === differences.length ? 'all' : explained;
  return `${differences.length} differ, ${some} explained by changes in the cluster or by the mode`;
}

// What a shadow comparison found, for people: a line a family, and a table of the packets that would
// end otherwise.
import { styleText } from 'node:util';
import { hostPort } from '../../model/forwarding.ts';
import type { Difference } from '../../netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../../netfilter/kube-proxy/outcome.ts';
import type { ShadowReport } from '../../takeover/shadow.ts';

const heads = ['FROM', 'TO', 'NOW', 'SLUICE'] as const;

// More are counted: who has thousands wants to know why, not to read them.
const maxLines = 200;

/** The report of all families; colour where `stream` is a terminal that wants it. */
export function shadowText(
  reports: readonly ShadowReport[],
  stream: NodeJS.WritableStream,
): string {
  const bold = (text: string): string => styleText('bold', text, { stream, validateStream: true });
  const differences = reports.flatMap((report) => report.differences);
  const rows = differences.slice(0, maxLines).map(cellsOf);
  const widths = heads.map((head, column) =>
    Math.max(head.length, ...rows.map((row) => row[column]?.length ?? 0)),
  );
  const line = (cells: readonly string[]): string =>
    cells
      .map((cell, column) => cell.padEnd(widths[column] ?? 0))
      .join('  ')
      .trimEnd();
  const more = differences.length - rows.length;
  return [
    ...reports.map(summaryOf),
    ...(rows.length === 0 ? [] : ['', bold(line(heads)), ...rows.map(line)]),
    ...(more > 0 ? [`and ${more} more`] : []),
  ]
    .map((text) => `${text}\n`)
    .join('');
}

function summaryOf({ family, theirs, addresses, packets, differences }: ShadowReport): string {
  if (theirs === undefined) return `${family}: no rules of a Service proxy stand here`;
  const counted = `${addresses} addresses, ${packets} packets`;
  const differ = differences.length === 0 ? 'all answered alike' : `${differences.length} differ`;
  return `${family}: rules of ${theirs} mode against ours: ${counted}: ${differ}`;
}

function cellsOf({ packet, theirs, ours }: Difference): readonly string[] {
  const from = packet.origin === 'node' ? `node ${packet.source}` : packet.source;
  const to = `${packet.protocol} ${hostPort(packet.destination, packet.port)}`;
  return [from, to, outcomesText(theirs), outcomesText(ours)];
}

// A pool of a thousand endpoints is not read by anybody.
const maxEnds = 4;

function outcomesText(outcomes: readonly TracedOutcome[]): string {
  const shown = outcomes.slice(0, maxEnds).map(outcomeText);
  const more = outcomes.length - shown.length;
  return [...shown, ...(more > 0 ? [`${more} more`] : [])].join(', ');
}

function outcomeText({ verdict, endpoint, isMasqueraded, why }: TracedOutcome): string {
  if (verdict === 'unknown') return `not understood: ${why.at(-1) ?? ''}`;
  if (endpoint === undefined) return verdict;
  const where = hostPort(endpoint.ip, endpoint.port);
  return isMasqueraded ? `${where} masqueraded` : where;
}

// The result of a shadow comparison, for people: a line per family, and a table of the packets that would
// be handled differently.
import { hostPort } from '../../model/forwarding.ts';
import type { Difference } from '../../netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../../netfilter/kube-proxy/outcome.ts';
import type { ShadowReport } from '../../takeover/shadow.ts';
import type { Screen } from '../report/screen.ts';
import { tableLines } from '../report/table.ts';

const heads = ['FROM', 'TO', 'NOW', 'SLUICE'] as const;

// Nobody reads thousands of lines; the rest is counted.
const maxLines = 200;

/** The report of all families. */
export function shadowText(reports: readonly ShadowReport[], screen: Screen): string {
  const differences = reports.flatMap((report) => report.differences);
  const rows = differences.slice(0, maxLines).map(cellsOf);
  const more = differences.length - rows.length;
  const lines = [
    ...reports.map(summaryOf),
    ...(rows.length === 0 ? [] : ['', ...tableLines(heads, rows, screen)]),
    ...(more > 0 ? [`and ${more} more`] : []),
  ];
  return lines.map((line) => `${line}\n`).join('');
}

function summaryOf({ family, theirs, addresses, packets, differences }: ShadowReport): string {
  if (theirs === undefined) return `${family}: no other Service proxy has rules here`;
  const counted = `${addresses} addresses, ${packets} packets`;
  const differ = differences.length === 0 ? 'no difference' : `${differences.length} differ`;
  return `${family}: rules of ${theirs} mode against ours: ${counted}: ${differ}`;
}

function cellsOf({ packet, theirs, ours }: Difference): readonly string[] {
  const from = packet.origin === 'node' ? `node ${packet.source}` : packet.source;
  const to = `${packet.protocol} ${hostPort(packet.destination, packet.port)}`;
  return [from, to, outcomesText(theirs), outcomesText(ours)];
}

// Nobody reads a pool of a thousand endpoints.
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

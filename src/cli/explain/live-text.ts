// What became of a real packet, for people: each rule that it met, foreign ones too, its end, what conntrack
// keeps, and whether that is what was explained. Whatever others called their tables is safe to print.
import { printable } from '../../cluster/problem.ts';
import type { LiveEnd, LiveStep } from '../../explain/live.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { LiveReport } from './live.ts';
import type { Paint } from '../report/print-plan.ts';

/** The section below an explanation. */
export function liveText(report: LiveReport, paint: Paint): string {
  const { steps, end, conntrack, hidden } = report;
  const lines = [
    '',
    paint('bold', 'a real packet'),
    ...steps.map((step) => `  ${stepText(step, paint)}`),
    `  ${endText(end, paint)}`,
    ...conntrackLines(conntrack, end),
    ...(hidden === undefined ? [] : [`  ${hiddenText[hidden]}`]),
    `  ${agreement(report, paint)}`,
  ];
  return lines.map((line) => `${line}\n`).join('');
}

const hiddenText = {
  'iptables-legacy':
    'the rules here are those of iptables-legacy: no trace shows them, only what became of the packet',
} as const;

function stepText({ family, table, chain, text, verdict, owner }: LiveStep, paint: Paint): string {
  const where = `${family} ${table} ${chain}:`;
  const rule = text.trim();
  // Most rules say themselves where the packet goes on.
  const isSaid = rule.includes(verdict) || verdict === 'continue';
  const what = rule === '' ? `policy ${verdict}` : `${rule}${isSaid ? '' : ` (${verdict})`}`;
  const isKnown = owner !== undefined && owner !== 'Sluice';
  const line = printable(`${where} ${what}${isKnown ? `  # ${owner}` : ''}`);
  if (verdict === 'drop') return paint('red', line);
  return owner === 'Sluice' ? line : paint('dim', line);
}

function endText(end: LiveEnd, paint: Paint): string {
  switch (end.kind) {
    case 'passed': {
      const { source, destination, port } = end.after;
      return paint('green', `let through, as ${source} -> ${hostPort(destination, port)}`);
    }
    case 'dropped':
    case 'rejected':
      return paint('red', endedText(end.kind, end.by));
    case 'lost': {
      const { family, table, chain } = end.last;
      const where = printable(`${family} ${table} ${chain}`);
      return paint(
        'yellow',
        `gone behind ${where}, where no rule of nftables took it: look for iptables-legacy, routes and rp_filter`,
      );
    }
    case 'unseen':
      return paint('yellow', 'no such packet was seen');
  }
}

function endedText(kind: 'dropped' | 'rejected', by: LiveStep): string {
  const { family, table, chain, text, owner } = by;
  const rule = text === '' ? 'its policy' : `rule ${text.trim()}`;
  const whose = owner === 'Sluice' ? '' : `, which belongs to ${owner ?? 'another program'}`;
  const how = kind === 'dropped' ? 'dropped' : 'refused';
  return printable(`${how} by table ${family} ${table}, chain ${chain}: ${rule}${whose}`);
}

function conntrackLines(conntrack: string | undefined, { kind }: LiveEnd): readonly string[] {
  if (conntrack === undefined) return ['  conntrack: cannot be asked here'];
  if (conntrack !== '')
    return conntrack.split('\n').map((line) => `  conntrack: ${printable(line)}`);
  return kind === 'unseen' ? [] : ['  conntrack: no entry'];
}

function agreement({ agrees, end }: LiveReport, paint: Paint): string {
  if (agrees) return paint('green', 'as explained');
  if (end.kind === 'unseen') return paint('yellow', 'so nothing can be said of the explanation');
  return paint('red', 'not as explained');
}

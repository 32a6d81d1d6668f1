// An explanation for people: what becomes of the packet, every decision in words, the endpoints, the rules
// in order, and what the packet looks like behind them. Safe to print whatever Services are called.
import { printable } from '../../cluster/problem.ts';
import type {
  End,
  ExplainedEndpoint,
  ExplainedPool,
  Explanation,
} from '../../explain/explanation.ts';
import type { MetRule } from '../../backends/rules-met.ts';
import type { ProxyMode } from '../../model/config.ts';
import { hostPort } from '../../model/forwarding.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import { skipWords } from '../../model/reason.ts';
import type { Packet } from '../../netfilter/trace.ts';
import { causeText, decisionText, nearMissText } from './words.ts';
import type { Paint } from '../report/print-plan.ts';

/** How it is printed. */
export type TextOptions = { readonly mode: ProxyMode; readonly paint: Paint };

/** The whole answer. */
export function explanationText(explanation: Explanation, { mode, paint }: TextOptions): string {
  const { decisions, pool, ends, rules, nearMisses, decided } = explanation;
  return [
    headline(explanation, paint),
    ...section('why', decisions.map(decisionText), paint),
    ...(pool === undefined ? [] : section('endpoints', poolLines(pool, paint), paint)),
    ...section('near it', fewOf(nearMisses.map(nearMissText)), paint),
    ...section(`rules of ${mode} mode that it meets`, ruleLines(rules, paint), paint),
    ...section('afterwards', fewOf(ends.map(endText)), paint),
    ...(decided === undefined ? [] : section(differs, fewOf(decided.map(endText)), paint)),
  ]
    .map((line) => `${line}\n`)
    .join('');
}

const differs = 'the rules of this mode do otherwise than was decided, which was';

const verdictStyles = {
  forwarded: 'green',
  untouched: 'yellow',
  rejected: 'red',
  dropped: 'red',
  unknown: 'yellow',
  mixed: 'yellow',
} as const;

const verdictWords: Readonly<Record<Explanation['verdict'], string>> = {
  forwarded: 'forwarded',
  untouched: 'left as it is',
  rejected: 'refused',
  dropped: 'dropped',
  unknown: 'not understood',
  mixed: 'ends in several ways',
};

function headline({ packet, verdict, service }: Explanation, paint: Paint): string {
  const name = service && printable(servicePortName(service.key, service.portName));
  const owner = name === undefined ? '' : ` for Service ${name}`;
  const words = paint(verdictStyles[verdict], verdictWords[verdict]);
  return `${paint('bold', packetText(packet))}${owner}: ${words}`;
}

/** `10.244.1.13 -> tcp 10.96.0.10:80`, with `node` before its own address. */
export function packetText({ origin, source, destination, protocol, port }: Packet): string {
  const from = origin === 'node' ? `node ${source}` : source;
  return `${from} -> ${protocol} ${hostPort(destination, port)}`;
}

function section(title: string, lines: readonly string[], paint: Paint): readonly string[] {
  if (lines.length === 0) return [];
  return ['', paint('bold', title), ...lines.map((line) => `  ${line}`)];
}

// More are counted: nobody reads a thousand endpoints, and the JSON has them all.
const mostLines = 12;

function fewOf(lines: readonly string[]): readonly string[] {
  if (lines.length <= mostLines) return lines;
  return [...lines.slice(0, mostLines - 1), `and ${lines.length - mostLines + 1} more`];
}

function poolLines({ members, skipped }: ExplainedPool, paint: Paint): readonly string[] {
  const used = members.map(
    (member) => `${paint('green', percent(member.share))}  ${endpointText(member)}`,
  );
  const unused = skipped.map(({ reason, ip, port }) => {
    const where = printable(hostPort(ip, port));
    return `${paint('dim', 'skipped ')}  ${where}  ${skipWords[reason.kind]} (${causeText(reason)})`;
  });
  return [...fewOf(used), ...fewOf(unused)];
}

function endpointText({ ip, port, isLocal, nodeName, slice }: ExplainedEndpoint): string {
  const node = nodeName === '' ? 'on a node that is not told' : `on ${nodeName}`;
  const where = isLocal ? 'on this node' : node;
  return printable(`${hostPort(ip, port)}  ${where} (EndpointSlice ${slice})`);
}

// In iptables mode each endpoint takes several.
const mostRules = 40;

function ruleLines(rules: readonly MetRule[], paint: Paint): readonly string[] {
  let place = '';
  const more = rules.length - mostRules;
  const lines = rules.slice(0, mostRules).flatMap(({ table, chain, text, elements, share }) => {
    const here = printable(`table ${table}, chain ${chain}`);
    const head = here === place ? [] : [paint('dim', here)];
    place = here;
    const part = share < 1 ? `  ${paint('dim', `# ${percent(share).trim()}`)}` : '';
    return [
      ...head,
      `  ${printable(text)}${part}`,
      ...fewOf(elements.map((element) => `    ${printable(element)}`)),
    ];
  });
  return more > 0 ? [...lines, `and ${more} more rules: --output json has them all`] : lines;
}

function endText({ verdict, endpoint, share, after }: End): string {
  const part = percent(share);
  if (after === undefined) {
    const at = endpoint === undefined ? '' : `, sent to ${hostPort(endpoint.ip, endpoint.port)}`;
    return `${part}  ${verdictWords[verdict]}${at}`;
  }
  const source = after.source === 'node' ? 'an address of this node' : after.source;
  const to = hostPort(after.destination, after.port);
  const words = verdict === 'untouched' ? `  (${verdictWords.untouched})` : '';
  return `${part}  ${source} -> ${to}${words}`;
}

/** A share as people read it, in six columns: ` 33.3 %`. */
export function percent(share: number): string {
  return `${(share * 100).toFixed(1).padStart(5)} %`;
}

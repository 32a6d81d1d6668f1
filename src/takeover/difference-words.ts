// Packets that are handled differently, in words for the log and for reports.
import { hostPort } from '../model/forwarding.ts';
import type { Difference } from '../netfilter/kube-proxy/compare.ts';
import { forwardReasons } from '../netfilter/kube-proxy/forward-filter.ts';
import type { TracedOutcome } from '../netfilter/kube-proxy/outcome.ts';
import type { ShadowReport } from './shadow.ts';

/** Who sends, to where, what happens now, and what under our rules. */
export function differenceWords({
  packet,
  theirs,
  ours,
}: Difference): readonly [from: string, to: string, now: string, then: string] {
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
  if (endpoint === undefined || verdict !== 'forwarded') return verdict;
  const where = hostPort(endpoint.ip, endpoint.port);
  return isMasqueraded ? `${where} masqueraded` : where;
}

/** What all reports come to. */
export type Total = {
  /** Whose rules ours take the place of: `kube-proxy in iptables mode`; '' for nobody's. */
  readonly whose: string;
  readonly packets: number;
  readonly differences: number;
  /** Those that changes in the cluster, or the proxy mode, explain. */
  readonly explained: number;
};

/** Sums them up. */
export function totalOf(reports: readonly ShadowReport[]): Total {
  const all = reports.flatMap(({ differences }) => differences);
  const whose = new Set(reports.flatMap((report) => report.whose || []));
  return {
    whose: [...whose].join(' and '),
    packets: reports.reduce((sum, { packets }) => sum + packets, 0),
    differences: all.length,
    explained: all.filter(({ isExplained }) => isExplained).length,
  };
}

/** Whether ours may take their place without anybody's leave: alike, but for what is explained. */
export function isAlike(reports: readonly ShadowReport[]): boolean {
  const { differences, explained } = totalOf(reports);
  return differences === explained;
}

/** Why `sluice run` does not start, or would not, in a line. */
export function refusalWords(reports: readonly ShadowReport[]): string {
  const { whose, packets, differences, explained } = totalOf(reports);
  const count = `${differences - explained} of ${packets} packets`;
  return `${count} would be handled differently than by the rules of ${whose}`;
}

const shownInLog = 5;

/** The first of the packets that are handled differently, a line each, and what to do about FORWARD. */
export function refusalDetails(reports: readonly ShadowReport[]): readonly string[] {
  const all = reports.flatMap(({ differences }) => differences);
  const unexplained = all.filter(({ isExplained }) => !isExplained);
  const lines = unexplained.slice(0, shownInLog).map((one) => {
    const [from, to, now, then] = differenceWords(one);
    return `  ${from} to ${to}: now ${now}, then ${then}`;
  });
  const more = unexplained.length - lines.length;
  return [...lines, ...(more > 0 ? [`  and ${more} more`] : []), ...takeoverHints(reports)];
}

/** What to do about differences whose reason is known. */
export function takeoverHints(reports: readonly ShadowReport[]): readonly string[] {
  return [...forwardHint(reports), ...nodePortHint(reports)];
}

function nodePortHint(reports: readonly ShadowReport[]): readonly string[] {
  const isLost = reports.some(({ differences }) =>
    differences.some(({ isExplained, theirs, ours }) => {
      const isUntouched = ours.every(({ verdict }) => verdict === 'untouched');
      return !isExplained && isUntouched && theirs.some(({ verdict }) => verdict === 'forwarded');
    }),
  );
  return isLost
    ? [
        'node ports answer only at addresses that nodePortAddresses allows, in nftables mode those of the Node; ' +
          'to keep all: --nodeport-addresses 0.0.0.0/0,::/0',
      ]
    : [];
}

/** How to let packets pass that FORWARD stops once KUBE-FORWARD is gone; nothing where it stops none. */
function forwardHint(reports: readonly ShadowReport[]): readonly string[] {
  return reports.flatMap(({ family, differences }) => {
    const isStopped = differences.some(({ ours }) =>
      ours.some(({ why }) => why.at(-1) === forwardReasons.gone),
    );
    if (!isStopped) return [];
    const tool = family === 'IPv4' ? 'iptables' : 'ip6tables';
    return [
      `${family}: the chain FORWARD of ${tool} stops Service traffic when KUBE-FORWARD is removed, ` +
        `and no rule of nftables mode can accept it there; to let it pass: ${tool} ${forwardFix}`,
    ];
  });
}

const forwardFix = '-I FORWARD -m conntrack --ctstate DNAT -j ACCEPT';

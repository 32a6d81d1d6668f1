// One line of `nft monitor trace` read: what a traced packet met. Pure.
import type { Ip } from '../model/ip.ts';
import { parseIp } from '../model/ip.ts';

/** Where a traced packet was. */
export type TracePlace = {
  /** `ip`, `ip6`, `inet`, `bridge`, ... */
  readonly family: string;
  readonly table: string;
  readonly chain: string;
};

/** One thing that happened to a traced packet; lines with one id are of one way through the kernel. */
export type TraceEvent = TracePlace & { readonly id: string } & (
    | { readonly kind: 'packet'; readonly packet: TracedPacket }
    /** A rule that fit; the verdict is such as `continue`, `drop`, `jump KUBE-SERVICES`. */
    | { readonly kind: 'rule'; readonly text: string; readonly verdict: string }
    | { readonly kind: 'policy'; readonly verdict: string }
  );

/** A packet as it was at one place; what a line does not say is undefined. */
export type TracedPacket = {
  readonly inInterface: string | undefined;
  readonly outInterface: string | undefined;
  readonly source: Ip | undefined;
  readonly destination: Ip | undefined;
  readonly sourcePort: number | undefined;
  readonly port: number | undefined;
};

const place = /^trace id ([0-9a-f]+) (\S+) (\S+) (\S+) (packet: |rule |unknown rule |policy )(.*)$/;
const ruleEnd = /^(.*?)\s*\(verdict ([^()]*)\)\s*$/;

/** The event of a line; undefined where it says nothing that counts. */
export function parseTraceLine(line: string): TraceEvent | undefined {
  const [, id, family, table, chain, what, rest = ''] = place.exec(line) ?? [];
  if (id === undefined || family === undefined || table === undefined || chain === undefined) {
    return undefined;
  }
  const at = { id, family, table, chain };
  if (what === 'packet: ') return { ...at, kind: 'packet', packet: parsePacket(rest) };
  if (what === 'policy ') return { ...at, kind: 'policy', verdict: rest.trim() };
  const [, text = rest, verdict = ''] = ruleEnd.exec(rest) ?? [];
  // A rule that came after nft began to look has no text.
  const shown = what === 'rule ' ? text : `a rule that is new (${text})`;
  return { ...at, kind: 'rule', text: shown, verdict };
}

function parsePacket(text: string): TracedPacket {
  const first = (pattern: RegExp): string | undefined => pattern.exec(text)?.[1];
  const number = (found: string | undefined): number | undefined =>
    found === undefined ? undefined : Number(found);
  return {
    inInterface: first(/\biif "([^"]*)"/),
    outInterface: first(/\boif "([^"]*)"/),
    source: parseIp(first(/\bip6? saddr (\S+)/) ?? ''),
    destination: parseIp(first(/\bip6? daddr (\S+)/) ?? ''),
    sourcePort: number(first(/\b(?:tcp|udp|sctp|th) sport (\d+)/)),
    port: number(first(/\b(?:tcp|udp|sctp|th) dport (\d+)/)),
  };
}

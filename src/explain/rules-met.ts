// The very rules that a packet meets, in order and as the backend spells them, with what becomes of the
// packet there. A second reading of the same intent: not what was decided, but what was written. Pure.
import type { TracedOutcome } from '../netfilter/kube-proxy/outcome.ts';
import type { Step, Walk } from '../netfilter/kube-proxy/walk.ts';
import { toNumber } from '../netfilter/kube-proxy/fraction.ts';
import type { Packet } from '../netfilter/trace.ts';

/** One rule that applied to the packet, or to a part of all such packets. */
export type MetRule = {
  /** `ip sluice` in nftables mode, `nat` or `filter` in iptables mode. */
  readonly table: string;
  readonly chain: string;
  /** As a listing shows it. */
  readonly text: string;
  /** Elements of sets and maps that the rule found, as a listing shows them. */
  readonly elements: readonly string[];
  /** The part of all such packets that come to the rule and fit it, above 0 and up to 1. */
  readonly share: number;
};

/** What a backend's rules do with one packet. */
export type RulesMet = {
  readonly rules: readonly MetRule[];
  readonly outcomes: readonly TracedOutcome[];
};

/** Sends packets through one family's rules. */
export type RuleTracer = (packet: Packet) => RulesMet;

/** Where a rule stands, and how it is spelled. */
export type PlacedRule = Pick<MetRule, 'table' | 'chain' | 'text'>;

type Met = PlacedRule & { elements: string[]; share: number; readonly leadsTo: Set<string> };

/** Takes down what a tracer tells of. Invariant: a rule is in #met once, where it was met first. */
export class Notes<R extends object> {
  readonly #met = new Map<R, Met>();
  readonly #placeOf: (rule: R) => PlacedRule | undefined;

  constructor(placeOf: (rule: R) => PlacedRule | undefined) {
    this.#placeOf = placeOf;
  }

  /** Takes down that a rule was met; `elements` are those that it found. */
  note(
    rule: R,
    {
      walk,
      ways,
      elements = [],
    }: { walk: Walk; ways: readonly Step[]; elements?: readonly string[] },
  ): void {
    const place = this.#placeOf(rule);
    if (place === undefined) return;
    const met = this.#met.get(rule) ?? { ...place, elements: [], share: 0, leadsTo: new Set() };
    this.#met.set(rule, met);
    for (const text of elements) if (!met.elements.includes(text)) met.elements.push(text);
    const taken = ways.filter((way) => !isPassedBy(way, walk));
    met.share += taken.length === 0 ? shareOf(walk) : sum(taken.map((way) => shareOf(way.walk)));
    for (const { then } of taken) {
      if (then.kind === 'jump' || then.kind === 'goto') met.leadsTo.add(then.chain);
    }
  }

  /** The rules in order, without jumps to chains that did nothing. */
  rules(): readonly MetRule[] {
    const kept: MetRule[] = [];
    const entered = new Set<string>();
    for (const { leadsTo, ...met } of [...this.#met.values()].toReversed()) {
      const isEmpty = leadsTo.size > 0 && ![...leadsTo].some((chain) => entered.has(chain));
      if (isEmpty) continue;
      entered.add(met.chain);
      kept.push(met);
    }
    return kept.toReversed();
  }
}

function isPassedBy({ walk: after, then }: Step, before: Walk): boolean {
  if (then.kind !== 'next') return false;
  return after.mark === before.mark && after.endpoint === before.endpoint;
}

function shareOf({ share }: Walk): number {
  return toNumber(share);
}

function sum(shares: readonly number[]): number {
  return shares.reduce((total, share) => total + share, 0);
}

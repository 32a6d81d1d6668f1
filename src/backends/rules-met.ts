// The rules that a packet matches, in order and as the backend spells them, with what each does to the packet.
// A second reading of the same intent: not what was decided, but what was written. Pure.
import type { ChainPlace } from '../model/chain-path.ts';
import type { Family, Ip } from '../model/ip.ts';
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
  /** The chains that all such packets pass before an endpoint is chosen, in order. */
  readonly chains: readonly ChainPlace[];
  readonly outcomes: readonly TracedOutcome[];
};

/** Where rules are traced. */
export type TracedHost = {
  readonly family: Family;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

/** Sends packets through one family's rules. */
export type RuleTracer = (packet: Packet) => RulesMet;

/** Where a rule stands, and how it is spelled. */
export type PlacedRule = Pick<MetRule, 'table' | 'chain' | 'text'>;

type Met = {
  readonly rule: PlacedRule & { readonly elements: string[]; share: number };
  readonly leadsTo: Set<string>;
  /** No endpoint was chosen when the packet came to the rule. */
  readonly isBeforeChoice: boolean;
};

/** Takes down what a tracer reports. Invariant: a rule is in #met once, where it was met first. */
export class Notes<R extends object> {
  readonly #met = new Map<R, Met>();
  /** The part of all packets that jumps lead to a chain. */
  readonly #led = new Map<string, number>();
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
    const met = this.#met.get(rule) ?? newMet(place, walk);
    this.#met.set(rule, met);
    for (const text of elements) {
      if (!met.rule.elements.includes(text)) met.rule.elements.push(text);
    }
    const taken = ways.filter((way) => !isPassedBy(way, walk));
    met.rule.share +=
      taken.length === 0 ? shareOf(walk) : sum(taken.map((way) => shareOf(way.walk)));
    for (const way of taken) {
      const { then } = way;
      if (then.kind !== 'jump' && then.kind !== 'goto') continue;
      const chain = placeId({ table: place.table, chain: then.chain });
      met.leadsTo.add(chain);
      this.#led.set(chain, (this.#led.get(chain) ?? 0) + shareOf(way.walk));
    }
  }

  /** The rules in order, and the chains that all packets pass. */
  met(): Pick<RulesMet, 'rules' | 'chains'> {
    const met = this.#effective();
    const chains = new Map<string, ChainPlace>();
    for (const { rule, isBeforeChoice } of met) {
      const id = placeId(rule);
      // The chains of hooks are entered without a jump.
      const isForAll = (this.#led.get(id) ?? 1) > 1 - roundingError;
      if (isBeforeChoice && isForAll) {
        chains.set(id, { table: rule.table, chain: rule.chain });
      }
    }
    return { rules: met.map(({ rule }) => rule), chains: [...chains.values()] };
  }

  /** All in order, without jumps to chains that did nothing. */
  #effective(): readonly Met[] {
    const kept: Met[] = [];
    const entered = new Set<string>();
    for (const met of [...this.#met.values()].toReversed()) {
      const { rule, leadsTo } = met;
      const isEmpty = leadsTo.size > 0 && ![...leadsTo].some((next) => entered.has(next));
      if (isEmpty) continue;
      entered.add(placeId(rule));
      kept.push(met);
    }
    return kept.toReversed();
  }
}

/** A chain among those of all tables. */
function placeId({ table, chain }: ChainPlace): string {
  return `${table} ${chain}`;
}

// Shares of many ways are sums that round.
const roundingError = 1e-9;

function newMet(place: PlacedRule, { endpoint }: Walk): Met {
  const isBeforeChoice = endpoint === undefined;
  return { rule: { ...place, elements: [], share: 0 }, leadsTo: new Set(), isBeforeChoice };
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

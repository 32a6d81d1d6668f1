// What becomes of a packet under the rules that kube-proxy left in iptables. Pure.
import type { Ip } from '../../model/ip.ts';
import { cidrContains } from '../../model/ip.ts';
import type { Packet } from '../trace.ts';
import type { Fraction } from './fraction.ts';
import { whole, without } from './fraction.ts';
import type { IptablesMatch, IptablesRule, IptablesTarget } from './iptables/rule.ts';
import type { TracedOutcome } from './outcome.ts';
import type { IptablesRules, IptablesTable } from './read-iptables.ts';
import { portKey } from './read-iptables.ts';
import type { Ended, Language, NetfilterHook, OnRule, Step, Walk } from './walk.ts';
import { because, heardBy, isLocalAddress, newBudget, part, runChain, traceHooks } from './walk.ts';

/** One family's rules on a host. */
export type IptablesHost = {
  readonly rules: IptablesRules;
  /** All addresses on the host's interfaces; loopback counts as local without being named. */
  readonly hostIps: readonly Ip[];
  /** Hears of every rule that a walk comes to, and of the ways on from there. */
  readonly onRule?: OnRule<IptablesRule>;
};

/** All ends that the first connection of a client may come to; their shares add up to 1. */
export function traceIptables(host: IptablesHost, packet: Packet): readonly TracedOutcome[] {
  const budget = newBudget();
  return traceHooks({ packet, hostIps: host.hostIps }, (hook, walk) => {
    let ended: readonly Ended[] = [{ walk, end: undefined }];
    for (const table of tablesAt[hook]) {
      const chains = host.rules[table];
      const builtIn = hook.toUpperCase();
      if (!chains.has(builtIn)) continue;
      const run = { language: languageOf(host, table), budget };
      ended = ended.flatMap((one) =>
        one.end === undefined || one.end === 'accepted' ? runChain(run, builtIn, one.walk) : [one],
      );
    }
    return ended;
  });
}

/** The tables that have a chain at a hook, in the order in which the kernel calls them. */
const tablesAt: Readonly<Record<NetfilterHook, readonly IptablesTable[]>> = {
  prerouting: ['nat'],
  input: ['filter', 'nat'],
  forward: ['filter'],
  output: ['nat', 'filter'],
  postrouting: ['nat'],
};

function languageOf(
  { rules, hostIps, onRule }: IptablesHost,
  table: IptablesTable,
): Language<IptablesRule> {
  return {
    rulesOf: (chain, walk) => rulesFor(rules[table].get(chain), walk),
    step: heardBy(onRule, (rule, walk) => step(rule, walk, hostIps)),
  };
}

/** The rules of a chain but for those that name another address, or another port. */
function rulesFor(
  chain: ReturnType<IptablesRules[IptablesTable]['get']>,
  { destination, port, packet }: Walk,
): readonly IptablesRule[] | undefined {
  if (chain === undefined) return undefined;
  const { rules, general, byDestination, byPort } = chain;
  if (general.length === rules.length) return rules;
  const named = [
    ...(byDestination.get(destination) ?? []),
    ...(byPort.get(portKey(packet.protocol, port)) ?? []),
  ];
  const indexes = [...general, ...named].toSorted((left, right) => left - right);
  return indexes.flatMap((index) => rules[index] ?? []);
}

function step(rule: IptablesRule, walk: Walk, hostIps: readonly Ip[]): readonly Step[] {
  const passed: Step = { walk, then: { kind: 'next' } };
  let share = whole;
  const unread: string[] = [];
  for (const match of rule.matches) {
    if (match.kind === 'random') share = match.share;
    else if (match.kind === 'unknown') unread.push(match.text);
    else if (!fits(match, walk, hostIps)) return [passed];
  }
  const taken = part(walk, share);
  const fitting = unread.length === 0 ? act(rule, taken) : notUnderstood(rule, taken);
  const others = part(walk, without(share));
  return [
    ...(isNothing(taken.share) ? [] : [fitting]),
    ...(isNothing(others.share) ? [] : [{ ...passed, walk: others }]),
  ];
}

function isNothing({ numerator }: Fraction): boolean {
  return numerator === 0n;
}

function notUnderstood({ text }: IptablesRule, walk: Walk): Step {
  return { walk: because(walk, text), then: { kind: 'end', end: 'unknown' } };
}

function fits(
  match: Exclude<IptablesMatch, { kind: 'random' | 'unknown' }>,
  walk: Walk,
  hostIps: readonly Ip[],
): boolean {
  return holds(match, walk, hostIps) === match.is;
}

function holds(
  match: Exclude<IptablesMatch, { kind: 'random' | 'unknown' }>,
  { packet, destination, port, mark, endpoint }: Walk,
  hostIps: readonly Ip[],
): boolean {
  switch (match.kind) {
    case 'source':
      return cidrContains(match.cidr, packet.source);
    case 'destination':
      return cidrContains(match.cidr, destination);
    case 'in-interface':
      return isInterface(match.name, packet.interface);
    case 'protocol':
      return match.protocol === packet.protocol;
    case 'port':
      return match.first <= port && port <= match.last;
    case 'mark':
      return (mark & match.mask) >>> 0 === match.value;
    case 'state':
      // A first packet; that its connection was translated is a state too.
      return (
        match.states.includes('NEW') || (endpoint !== undefined && match.states.includes('DNAT'))
      );
    case 'local':
      return isLocalAddress(match.end === 'source' ? packet.source : destination, hostIps);
    case 'recent':
      // Nobody who connects for the first time is on a list.
      return match.use === 'set';
  }
}

function isInterface(pattern: string, name: string): boolean {
  return pattern.endsWith('+') ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}

const ends = { accept: 'accepted', drop: 'dropped', reject: 'rejected' } as const;

function act(rule: IptablesRule, walk: Walk): Step {
  const { target } = rule;
  const why = because(walk, rule.comment === '' ? rule.text : rule.comment);
  switch (target.kind) {
    case 'none':
      return { walk, then: { kind: 'next' } };
    case 'jump':
    case 'goto':
      return { walk: why, then: target };
    case 'return':
      return { walk, then: { kind: 'return' } };
    case 'accept':
    case 'drop':
    case 'reject':
      return { walk: why, then: { kind: 'end', end: ends[target.kind] } };
    case 'masquerade':
      return { walk: { ...why, isMasqueraded: true }, then: { kind: 'end', end: 'accepted' } };
    case 'mark':
      return { walk: { ...why, mark: marked(walk.mark, target) }, then: { kind: 'next' } };
    case 'dnat': {
      const endpoint = { ip: target.ip, port: target.port ?? walk.port };
      const sent = { ...why, endpoint, destination: endpoint.ip, port: endpoint.port };
      return { walk: sent, then: { kind: 'end', end: 'accepted' } };
    }
    case 'unknown':
      return notUnderstood(rule, walk);
  }
}

function marked(mark: number, { keep, flip }: Extract<IptablesTarget, { kind: 'mark' }>): number {
  return ((mark & keep) ^ flip) >>> 0;
}

// The rule book as iptables units: the fixed chains with the jumps to them, and for each Service its
// chains and its entries for the dispatch trees. Pure; comments and rules are kube-proxy's.
import type { Pool } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import type {
  DispatchEntry,
  DispatchName,
  Hook,
  Part,
  PartName,
  Rule,
  ServiceChain,
  ServiceRules,
} from '../../model/ruleset.ts';
import { compileRule, rejectTarget } from './compile-rule.ts';
import type { DispatchRule } from './dispatch-tree.ts';
import type { TableName } from './names.ts';
import { endpointChainName, fixedChains, serviceChainName } from './names.ts';
import {
  commentMatch,
  flipMark,
  hostCidr,
  markMatch,
  oneOf,
  portMatch,
  protocolMatch,
  ruleText,
  setMark,
  stateMatch,
} from './rule-text.ts';
import type { ChainUnit, IptablesUnit } from './unit.ts';
import { chainUnit, jumpUnit } from './unit.ts';

/** What one Service needs: chains of its own, and its entries in each dispatch. */
export type Piece = {
  readonly chains: readonly ChainUnit[];
  readonly entries: Readonly<Record<DispatchName, readonly DispatchRule[]>>;
};

type Place = { readonly table: TableName; readonly chain: string; readonly comment: string };

/** Where each part stands; undefined for what kube-proxy's iptables mode does not do. */
const places: Readonly<Record<PartName, Place | undefined>> = {
  services: { table: 'nat', chain: fixedChains.services, comment: 'kubernetes service portals' },
  'no-endpoints': {
    table: 'filter',
    chain: fixedChains.services,
    comment: 'kubernetes service portals',
  },
  'cluster-ips': undefined,
  forward: { table: 'filter', chain: fixedChains.forward, comment: 'kubernetes forwarding rules' },
  masquerading: {
    table: 'nat',
    chain: fixedChains.postrouting,
    comment: 'kubernetes postrouting rules',
  },
};

// The order of insertion, each above those before: the rules end up in kube-proxy's order. It does not
// enter KUBE-SERVICES from INPUT, so that a ClusterIP bound on the node (a DNS cache's) stays usable.
const jumps: readonly (readonly [PartName, Hook])[] = [
  ['no-endpoints', 'filter-forward'],
  ['no-endpoints', 'filter-output'],
  ['forward', 'filter-forward'],
  ['services', 'nat-output'],
  ['services', 'nat-prerouting'],
  ['masquerading', 'nat-postrouting'],
];

/** Everything that does not depend on Services, except the dispatch trees. */
export function compileFrame(family: Family, parts: readonly Part[]): readonly IptablesUnit[] {
  const entered = jumps.flatMap(([name, hook]) =>
    parts
      .filter((part) => part.name === name && part.hooks.includes(hook))
      .flatMap((part) => compileJump(part, hook)),
  );
  return [...entered, ...parts.flatMap((part) => compilePart(family, part))];
}

function compileJump({ name, newConnectionsOnly }: Part, hook: Hook): IptablesUnit[] {
  const place = places[name];
  if (place === undefined) return [];
  const { table, chain: target, comment } = place;
  const matches = [newConnectionsOnly ? stateMatch('NEW') : '', commentMatch(comment)];
  const builtIn = hook.slice(hook.indexOf('-') + 1).toUpperCase();
  return [jumpUnit(table, builtIn, { target, rules: [ruleText({ matches, jump: target })] })];
}

function compilePart(family: Family, { name, rules }: Part): ChainUnit[] {
  const place = places[name];
  // The chain of a dispatch is the root of its tree.
  if (place === undefined || rules.some(({ then }) => then.kind === 'dispatch')) return [];
  const texts = rules.flatMap((rule) => frameRules(family, rule));
  const masquerade = rules.find(({ then }) => then.kind === 'masquerade')?.then;
  return [
    chainUnit(place.table, place.chain, { rules: texts }),
    ...(masquerade?.kind === 'masquerade' ? [markingChain(masquerade.mark)] : []),
  ];
}

function frameRules(family: Family, rule: Rule): string[] {
  // Each endpoint's chain asks for this itself.
  if (rule.when.some(({ kind }) => kind === 'hairpin')) return [];
  if (rule.then.kind === 'masquerade') return masqueradeRules(rule.then.mark, rule.why);
  return [compileRule(family, rule)];
}

function markingChain(mark: number): ChainUnit {
  return chainUnit('nat', fixedChains.markMasquerade, {
    rules: [ruleText({ jump: setMark(mark) })],
  });
}

// The mark is taken off first: the packet may pass here again inside a tunnel (an overlay network),
// and must not be masqueraded twice. Ports are picked at random, so that fewer connections that are
// made at once clash.
function masqueradeRules(mark: number, why: string): string[] {
  return [
    ruleText({ matches: [markMatch(mark, false)], jump: 'RETURN' }),
    ruleText({ jump: flipMark(mark) }),
    ruleText({ matches: [commentMatch(why)], jump: 'MASQUERADE --random-fully' }),
  ];
}

/** The chains and entries of one Service. */
export function compileService({ service, family, entries }: ServiceRules): Piece {
  const chains = entries.flatMap((entry) =>
    'verdict' in entry.to ? [] : serviceChains(family, entry, entry.to),
  );
  const entriesOf = (name: DispatchName): DispatchRule[] =>
    entries
      .filter(({ dispatch }) => dispatch === name)
      .map((entry) => ({ address: entry.address, text: entryText(family, entry) }));
  return {
    chains: chains.map(([chain, rules]) => chainUnit('nat', chain, { rules, owner: service })),
    entries: { services: entriesOf('services'), 'no-endpoints': entriesOf('no-endpoints') },
  };
}

function entryText(family: Family, { address, to, why }: DispatchEntry): string {
  const { ip, protocol, port } = address;
  return ruleText({
    destination: { value: hostCidr(ip), is: true },
    protocol,
    matches: [commentMatch(why), portMatch(protocol, port)],
    jump: entryTarget(family, to),
  });
}

function entryTarget(family: Family, to: DispatchEntry['to']): string {
  if (!('verdict' in to)) return serviceChainName(to);
  return to.verdict === 'reject' ? rejectTarget(family) : 'DROP';
}

type NamedRules = readonly [chain: string, rules: readonly string[]];

function serviceChains(family: Family, { why }: DispatchEntry, to: ServiceChain): NamedRules[] {
  const pools = to.rules.flatMap(({ then }) => (then.kind === 'balance' ? [then.pool] : []));
  const rules = to.rules.flatMap((rule) =>
    rule.then.kind === 'balance'
      ? balanceRules(to, rule.then.pool)
      : [compileRule(family, rule, why)],
  );
  return [[serviceChainName(to), rules], ...pools.flatMap((pool) => endpointChains(to, pool))];
}

// Each rule takes its share of what the rules before it left.
function balanceRules(to: ServiceChain, { members }: Pool): string[] {
  const name = servicePortName(to.service, to.portName);
  return members.map((endpoint, index) => {
    const comment = commentMatch(`${name} -> ${hostPort(endpoint.ip, endpoint.port)}`);
    const left = members.length - index;
    const matches = left === 1 ? [comment] : [comment, oneOf(left)];
    return ruleText({ matches, jump: endpointChainName(to, endpoint) });
  });
}

function endpointChains(to: ServiceChain, { members }: Pool): NamedRules[] {
  const { protocol } = to;
  const comment = commentMatch(servicePortName(to.service, to.portName));
  return members.map((endpoint) => [
    endpointChainName(to, endpoint),
    [
      // An endpoint that reaches itself would answer itself directly, past the translation.
      ruleText({
        source: { value: hostCidr(endpoint.ip), is: true },
        matches: [comment],
        jump: fixedChains.markMasquerade,
      }),
      ruleText({
        protocol,
        matches: [comment, protocolMatch(protocol)],
        jump: `DNAT --to-destination ${hostPort(endpoint.ip, endpoint.port)}`,
      }),
    ],
  ]);
}

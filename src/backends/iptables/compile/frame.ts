// What does not depend on Services as iptables units: the fixed chains, the jumps to them, and what the
// roots of the dispatch trees end with. Pure; comments and rules are kube-proxy's.
import type { Family } from '../../../model/ip.ts';
import type { DispatchRule, Hook, Part, PartName } from '../../../model/ruleset.ts';
import { isDispatch } from '../../../model/ruleset.ts';
import { compileRule, jumpRule, nodePortRules } from './rule.ts';
import type { TreeName } from '../dispatch/places.ts';
import { treeName, treePlaces } from '../dispatch/places.ts';
import type { TableName } from '../names.ts';
import { fixedChains, kubeletFirewall } from '../names.ts';
import { commentMatch, flipMark, markMatch, ruleText, setMark, stateMatch } from '../rule-text.ts';
import type { IptablesUnit } from '../unit.ts';
import { chainUnit, jumpUnit, sharedChainUnit, sharedRuleUnit } from '../unit.ts';

type PartChain = { readonly table: TableName; readonly chain: string; readonly comment: string };

/** Where each part stands; undefined for what kube-proxy's iptables mode does not do. */
const places: Readonly<Record<PartName, PartChain | undefined>> = {
  services: { table: 'nat', chain: fixedChains.services, comment: 'kubernetes service portals' },
  'no-endpoints': {
    table: 'filter',
    chain: fixedChains.services,
    comment: 'kubernetes service portals',
  },
  'no-external-endpoints': {
    table: 'filter',
    chain: fixedChains.externalServices,
    comment: 'kubernetes externally-visible service portals',
  },
  'source-ranges': {
    table: 'filter',
    chain: fixedChains.proxyFirewall,
    comment: 'kubernetes load balancer firewall',
  },
  'health-ports': {
    table: 'filter',
    chain: fixedChains.nodePorts,
    comment: 'kubernetes health check service ports',
  },
  localnet: { table: 'filter', chain: kubeletFirewall, comment: '' },
  'cluster-ips': undefined,
  forward: { table: 'filter', chain: fixedChains.forward, comment: 'kubernetes forwarding rules' },
  masquerading: {
    table: 'nat',
    chain: fixedChains.postrouting,
    comment: 'kubernetes postrouting rules',
  },
};

// In kube-proxy's order. It does not enter KUBE-SERVICES from INPUT, so that a ClusterIP bound on the node (a DNS
// cache's) stays usable. What source ranges refuse was not translated, and is met wherever it goes from there.
const jumps: readonly (readonly [part: PartName, chain: string, hook: Hook])[] = [
  ['localnet', 'OUTPUT', 'filter-output'],
  ['localnet', 'INPUT', 'filter-input'],
  ['masquerading', 'POSTROUTING', 'nat-postrouting'],
  ['services', 'PREROUTING', 'nat-prerouting'],
  ['services', 'OUTPUT', 'nat-output'],
  ['source-ranges', 'FORWARD', 'filter-prerouting-pre-dnat'],
  ['source-ranges', 'OUTPUT', 'filter-output-pre-dnat'],
  ['source-ranges', 'INPUT', 'filter-prerouting-pre-dnat'],
  ['forward', 'FORWARD', 'filter-forward'],
  ['no-endpoints', 'OUTPUT', 'filter-output'],
  ['no-endpoints', 'FORWARD', 'filter-forward'],
  ['health-ports', 'INPUT', 'filter-input'],
  ['no-external-endpoints', 'FORWARD', 'filter-forward'],
  ['no-external-endpoints', 'INPUT', 'filter-input'],
];

/** Everything that does not depend on Services, except the dispatch trees. */
export function compileFrame(family: Family, parts: readonly Part[]): readonly IptablesUnit[] {
  const entered = jumps.flatMap(([name, chain, hook]) =>
    parts
      .filter((part) => part.name === name && part.hooks.includes(hook))
      .flatMap((part) => compileJump(part, chain)),
  );
  return [...entered, ...parts.flatMap((part) => compilePart(family, part))];
}

/** For each dispatch tree of these parts the rules that its root ends with, behind the entries. */
export function compileTails(parts: readonly Part[]): ReadonlyMap<TreeName, readonly string[]> {
  const tails = new Map<TreeName, readonly string[]>();
  for (const { name, rules } of parts) {
    const trees = rules.filter(isDispatch);
    for (const [index, { then }] of trees.entries()) {
      const next = trees[index + 1];
      tails.set(treeName(then), next ? tailOf(name, next) : []);
    }
  }
  return tails;
}

const nodePortsComment =
  'kubernetes service nodeports; NOTE: this must be the last rule in this chain';

function tailOf(part: PartName, { when, then, why }: DispatchRule): readonly string[] {
  const [match] = when;
  const { root } = treePlaces[treeName(then)];
  if (match === undefined) return [jumpRule({ when: [], why }, root)];
  if (part === 'services') return nodePortRules(match.addresses, nodePortsComment, root);
  // As kube-proxy: what nothing answers is refused at every address of the host.
  return nodePortRules({ kind: 'any-local', except: undefined }, why, root);
}

function compileJump({ name, newConnectionsOnly }: Part, builtIn: string): IptablesUnit[] {
  const place = places[name];
  if (place === undefined) return [];
  const { table, chain: target, comment } = place;
  const matches = [newConnectionsOnly ? stateMatch('NEW') : '', commentMatch(comment)];
  const rule = ruleText({ matches, jump: target });
  if (target === kubeletFirewall) return [sharedRuleUnit(table, builtIn, rule)];
  return [jumpUnit(table, builtIn, { target, rules: [rule] })];
}

function compilePart(family: Family, part: Part): readonly IptablesUnit[] {
  switch (part.name) {
    case 'masquerading':
      return masqueradingChains(part);
    case 'localnet':
      return [
        sharedChainUnit('filter', kubeletFirewall),
        ...part.rules.map((rule) =>
          sharedRuleUnit('filter', kubeletFirewall, compileRule(family, rule)),
        ),
      ];
    case 'forward': {
      const rules = part.rules.map((rule) => compileRule(family, rule));
      return [chainUnit('filter', fixedChains.forward, { rules })];
    }
    // kube-proxy's iptables mode does not do this.
    case 'cluster-ips':
      return [];
    // The chain of a dispatch is the root of its tree.
    case 'source-ranges':
    case 'services':
    case 'health-ports':
    case 'no-endpoints':
    case 'no-external-endpoints':
      return [];
    default:
      return part satisfies never;
  }
}

function masqueradingChains({ rules }: Part<'masquerading'>): readonly IptablesUnit[] {
  // Each endpoint's chain asks for hairpins itself.
  return rules
    .filter(({ when }) => !when.some(({ kind }) => kind === 'hairpin'))
    .flatMap(({ then: { mark }, why }) => [
      chainUnit('nat', fixedChains.postrouting, { rules: masqueradeRules(mark, why) }),
      markingChain(mark),
    ]);
}

function markingChain(mark: number): IptablesUnit {
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

// The chains of one Service port, all in the nat table: for external traffic, for those who may use a
// load balancer's address, for balancing, and one for each endpoint. Pure; the rules are kube-proxy's.
import type { Endpoint, Pool } from '../../../model/forwarding.ts';
import { hostPort } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import { hostCidr } from '../../../model/ip.ts';
import { servicePortName } from '../../../model/kubernetes.ts';
import type { ServiceChain } from '../../../model/ruleset.ts';
import { balances } from '../../../model/ruleset.ts';
import { compileRule, jumpRule } from './rule.ts';
import type { ServicePortId } from '../names.ts';
import { endpointChainName, endpointComments, fixedChains, serviceChainName } from '../names.ts';
import { commentMatch, oneOf, protocolMatch, recentMatch, ruleText } from '../rule-text.ts';

/** What the entries of one Service port lead to, each with what it says to people and what serves the address. */
export type PortChains = {
  readonly port: ServicePortId;
  readonly chains: readonly {
    readonly to: ServiceChain;
    readonly why: string;
    readonly serving: ServiceChain;
  }[];
};

/** A chain's name and its rules without their `-A CHAIN`. */
export type NamedRules = readonly [chain: string, rules: readonly string[]];

/** The chains of a Service port: each once, however many addresses lead to it. */
export function portChains(family: Family, { port, chains }: PortChains): readonly NamedRules[] {
  const ofKind = (kind: ServiceChain['kind']): PortChains['chains'] =>
    chains.filter(({ to }) => to.kind === kind);
  const internal = ofKind('internal');
  const [external] = ofKind('external');
  const restricted = new Map(
    ofKind('source-ranges').map(({ to, serving }) => [
      firewallChain(serving),
      sourceRangesRules(to, servingChain(serving)),
    ]),
  );
  const pools = new Map(
    [...internal, ...(external === undefined ? [] : [external])]
      .flatMap(({ to }) => balancingPools(to))
      .map((pool) => [balancingChain(pool, port), pool]),
  );
  return [
    ...(external === undefined ? [] : [externalChain(family, external.to)]),
    ...restricted,
    ...[...pools].map(([chain, pool]): NamedRules => {
      const head = internal.filter(({ to }) =>
        balancingPools(to).some(({ policy }) => policy === pool.policy),
      );
      const marking = head.flatMap(({ to, why }) => markRules(family, to, why));
      return [chain, [...marking, ...balanceRules(family, port, pool)]];
    }),
    ...endpointChains(family, port, pools.values()),
  ];
}

/** What the rules of a chain balance over. */
export function balancingPools({ rules }: ServiceChain): readonly Pool[] {
  return rules.flatMap(({ then }) => (then.kind === 'balance' ? [then.pool] : []));
}

/** The chain that balances over a pool: there is one for the cluster's endpoints and one for this node's. */
export function balancingChain({ policy }: Pool, port: ServicePortId): string {
  return serviceChainName(policy === 'Local' ? 'KUBE-SVL' : 'KUBE-SVC', port);
}

/** The chain that serves an address of the Service port: of the inside or of the outside. */
export function servingChain(to: ServiceChain): string {
  if (to.kind === 'external') return serviceChainName('KUBE-EXT', to);
  const [pool] = balancingPools(to);
  if (pool === undefined) throw new Error(`nothing to balance over for ${to.service}`);
  return balancingChain(pool, to);
}

/** The chain that only lets sources to `serving` that may use the address. */
export function firewallChain(serving: ServiceChain): string {
  return serviceChainName(serving.kind === 'external' ? 'KUBE-FW' : 'KUBE-FWC', serving);
}

function externalChain(family: Family, to: ServiceChain): NamedRules {
  const rules = to.rules.map((rule) =>
    balances(rule) ? jumpRule(rule, balancingChain(rule.then.pool, to)) : compileRule(family, rule),
  );
  return [serviceChainName('KUBE-EXT', to), rules];
}

// Whoever may use the address goes on as to any other. All others are dropped in the filter table, as
// dropping is not allowed where addresses are translated.
function sourceRangesRules({ rules }: ServiceChain, serving: string): readonly string[] {
  return rules.map((rule) =>
    rule.then.kind === 'return'
      ? jumpRule(rule, serving)
      : jumpRule(rule, undefined, `${rule.why} will be dropped by ${fixedChains.proxyFirewall}`),
  );
}

function markRules(family: Family, { rules }: ServiceChain, comment: string): readonly string[] {
  return rules.flatMap((rule) => (balances(rule) ? [] : [compileRule(family, rule, comment)]));
}

// First whoever has been here; of all others each rule takes its share of what those before it left.
function balanceRules(family: Family, port: ServicePortId, pool: Pool): readonly string[] {
  const { members, affinitySeconds } = pool;
  const rule = (endpoint: Endpoint, match: string): string => {
    const to = hostPort(endpoint.ip, endpoint.port);
    const comment = commentMatch(endpointComments.write({ ...port, endpoint: to }));
    return ruleText({ matches: [comment, match], jump: endpointChainName(port, endpoint) });
  };
  const returning = members.map((endpoint) => {
    const use = { kind: 'check', seconds: affinitySeconds } as const;
    return rule(endpoint, recentMatch(family, endpointChainName(port, endpoint), use));
  });
  const shares = members.map((endpoint, index) => {
    const left = members.length - index;
    return rule(endpoint, left === 1 ? '' : oneOf(left));
  });
  return [...(affinitySeconds === 0 ? [] : returning), ...shares];
}

// An endpoint of this node is in both pools.
function endpointChains(
  family: Family,
  port: ServicePortId,
  pools: Iterable<Pool>,
): readonly NamedRules[] {
  const chains = new Map<string, readonly string[]>();
  for (const { members, affinitySeconds } of pools) {
    for (const endpoint of members) {
      const chain = endpointChainName(port, endpoint);
      const list = affinitySeconds === 0 ? '' : recentMatch(family, chain, { kind: 'set' });
      chains.set(chain, endpointRules(port, endpoint, list));
    }
  }
  return [...chains];
}

function endpointRules(
  { service, portName, protocol }: ServicePortId,
  { ip, port }: Endpoint,
  list: string,
): readonly string[] {
  const comment = commentMatch(servicePortName(service, portName));
  return [
    // An endpoint that reaches itself would answer itself directly, past the translation.
    ruleText({
      source: { value: hostCidr(ip), is: true },
      matches: [comment],
      jump: fixedChains.markMasquerade,
    }),
    ruleText({
      protocol,
      matches: [comment, list, protocolMatch(protocol)],
      jump: `DNAT --to-destination ${hostPort(ip, port)}`,
    }),
  ];
}

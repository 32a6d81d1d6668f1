// The fixed shape of our table: its name, its sets and maps with what they hold, its base chains.
import type { Family } from '../../model/ip.ts';
import type { ServiceCounters } from '../../model/config.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { Hook } from '../../model/ruleset.ts';
import type { TracePlace } from '../../netfilter/parse-trace.ts';
import type { Expression } from './expression.ts';
import type { LookUp, SharedChain } from './names.ts';

/** Our table, one in family ip and one in ip6; no other table is ever named. */
export const tableName = 'sluice';

/** Whether a chain is in our table. */
export function isOurNftablesChain({ family, table }: TracePlace): boolean {
  return table === tableName && /^ip6?$/.test(family);
}

/** The words that differ between the two families. */
export const familyWords: Readonly<Record<Family, { table: 'ip' | 'ip6'; address: string }>> = {
  IPv4: { table: 'ip', address: 'ipv4_addr' },
  IPv6: { table: 'ip6', address: 'ipv6_addr' },
};

/** One part of a key or of data, by the packet field that it is looked up with. */
export type Field = 'saddr' | 'daddr' | 'l4proto' | 'dport' | 'slot';

/** A named set, or a map where it has data. */
export type Container = {
  readonly name: string;
  readonly key: readonly Field[];
  readonly data?: 'verdict' | readonly Field[];
  /** Whose ports `dport` stands for; of any protocol where it is absent. */
  readonly protocol?: Protocol;
  /** Packets add elements, which leave after this long; absent where we alone add them. */
  readonly timeoutSeconds?: number;
  /** The kernel counts how often each element is found, which is at a connection's first packet. */
  readonly counts?: true;
};

const frontendKey = ['daddr', 'l4proto', 'dport'] as const;
const nodePortKey = ['l4proto', 'dport'] as const;

/** Every set and map that there always is. */
export const containers = {
  clusterIps: { name: 'cluster-ips', key: ['daddr'] },
  nodePortIps: { name: 'nodeport-ips', key: ['daddr'] },
  hairpinConnections: {
    name: 'hairpin-connections',
    key: ['saddr', 'daddr', 'l4proto', 'dport'],
  },
  /** Frontends by the shared chain that they go to. */
  internalServices: { name: 'internal-services', key: frontendKey },
  externalServices: { name: 'external-services', key: frontendKey },
  externalLocalServices: { name: 'external-local-services', key: frontendKey },
  nodePortServices: { name: 'nodeport-services', key: nodePortKey },
  nodePortLocalServices: { name: 'nodeport-local-services', key: nodePortKey },
  /** Frontend to the chain of its Service alone, where it needs one. */
  serviceIps: { name: 'service-ips', key: frontendKey, data: 'verdict' },
  serviceNodePorts: { name: 'service-nodeports', key: nodePortKey, data: 'verdict' },
  firewallIps: { name: 'firewall-ips', key: frontendKey, data: 'verdict' },
  rejectedServices: { name: 'rejected-services', key: frontendKey },
  droppedServices: { name: 'dropped-services', key: frontendKey },
  rejectedNodePorts: { name: 'rejected-nodeports', key: nodePortKey },
  droppedNodePorts: { name: 'dropped-nodeports', key: nodePortKey },
} as const satisfies Record<string, Container>;

/**
 * Who goes to each shared chain. Sets, as a map to verdicts would be slow: the kernel follows all verdicts
 * of a table anew whenever one is added (nft_table_validate), 18 ms at 50,000 Services.
 */
export const servicesOf: Readonly<Record<SharedChain, Container>> = {
  'KUBE-SVC': containers.internalServices,
  'KUBE-EXT': containers.externalServices,
  'KUBE-EXT-LOCAL': containers.externalLocalServices,
  'KUBE-NODEPORT': containers.nodePortServices,
  'KUBE-NODEPORT-LOCAL': containers.nodePortLocalServices,
};

const serviceContainers: ReadonlySet<string> = new Set(
  [...Object.values(servicesOf), containers.serviceIps, containers.serviceNodePorts].map(
    ({ name }) => name,
  ),
);

/** The container as it is declared where `counters` are wanted. */
export function counting<C extends Container>(container: C, counters: ServiceCounters): C {
  const isWanted =
    (counters !== 'off' && serviceContainers.has(container.name)) ||
    (counters === 'endpoints' && endpointsMapNamed(container.name) !== undefined);
  return isWanted ? { ...container, counts: true } : container;
}

/** The chains where the number of a frontend's endpoints is found. */
export const balanceChains = [
  'endpoints',
  'local-endpoints',
  'nodeport-endpoints',
  'nodeport-local-endpoints',
] as const;

export type BalanceChain = (typeof balanceChains)[number];

/** The chain that balances frontends looked up so, over this node's endpoints alone or over all. */
export function balanceChain(by: LookUp, isLocal: boolean): BalanceChain {
  const name = isLocal ? 'local-endpoints' : 'endpoints';
  return by === 'address' ? name : `nodeport-${name}`;
}

/** The slots of all frontends with `size` endpoints; the chain that picks one has the same name. */
export type EndpointsMap = Container & {
  /** The chain that it is asked from. */
  readonly chain: BalanceChain;
  readonly protocol: Protocol;
  readonly size: number;
  readonly isLocal: boolean;
};

/**
 * Frontend and slot to endpoint: a frontend of n endpoints has the slots 0 to n-1. There is a map for
 * each protocol because a port must be a protocol's own here: with `th dport` in its data, nft (1.0.6
 * to 1.1.3) refuses every rule that is added once the map stands, "conflicting protocols specified:
 * tcp vs. th". And there is one for each number of endpoints because the kernel walks all elements of
 * a map when another chain begins to use it (nf_tables_bind_set), 70 ms at 50,000 Services: a new
 * number begins with an empty map.
 */
export function endpointsMap(
  chain: BalanceChain,
  { protocol, size }: { readonly protocol: Protocol; readonly size: number },
): EndpointsMap {
  const isNodePort = chain.startsWith('nodeport-');
  return {
    name: `${chain}-${protocol}-${size}`,
    key: isNodePort ? ['dport', 'slot'] : ['daddr', 'dport', 'slot'],
    data: ['daddr', 'dport'],
    chain,
    protocol,
    size,
    isLocal: chain.endsWith('local-endpoints'),
  };
}

/** The map that endpointsMap named so; undefined for any other name. */
export function endpointsMapNamed(name: string): EndpointsMap | undefined {
  const [, chain, protocol, size] =
    /^((?:nodeport-)?(?:local-)?endpoints)-(tcp|udp|sctp)-([1-9]\d*)$/.exec(name) ?? [];
  if (chain === undefined) return undefined;
  return endpointsMap(chain as BalanceChain, {
    protocol: protocol as Protocol,
    size: Number(size),
  });
}

/** The clients of one endpoint of a Service with session affinity; each leaves `seconds` after its last connection. */
export function affinitySet(name: string, seconds: number): Container {
  return { name, key: ['saddr'], timeoutSeconds: seconds };
}

/** Base chains: priorities are kube-proxy's, so that other programs' order with it holds with us. */
export const baseChains: Readonly<Record<Hook, { type: string; hook: string; prio: number }>> = {
  'filter-prerouting-pre-dnat': { type: 'filter', hook: 'prerouting', prio: -110 },
  'filter-output-pre-dnat': { type: 'filter', hook: 'output', prio: -110 },
  'nat-prerouting': { type: 'nat', hook: 'prerouting', prio: -100 },
  'nat-output': { type: 'nat', hook: 'output', prio: -100 },
  'nat-postrouting': { type: 'nat', hook: 'postrouting', prio: 100 },
  'filter-input': { type: 'filter', hook: 'input', prio: 0 },
  'filter-forward': { type: 'filter', hook: 'forward', prio: 0 },
  'filter-output': { type: 'filter', hook: 'output', prio: 0 },
};

/** The packet field of each part; `protocol` is the one whose ports are meant. */
export function fieldExpressions(
  family: Family,
  fields: readonly Field[],
  protocol: Protocol | 'th' = 'th',
): readonly Expression[] {
  const { table } = familyWords[family];
  const expressions: Readonly<Record<Field, Expression>> = {
    saddr: { payload: { protocol: table, field: 'saddr' } },
    daddr: { payload: { protocol: table, field: 'daddr' } },
    l4proto: { meta: { key: 'l4proto' } },
    dport: { payload: { protocol, field: 'dport' } },
    slot: { numgen: { mode: 'random', mod: 65536, offset: 0 } },
  };
  return fields.map((field) => expressions[field]);
}

/** nft's type names of these parts in one family, such as `ipv4_addr . inet_service`. */
export function typeNames(family: Family, fields: readonly Field[]): string {
  const { address } = familyWords[family];
  const names: Readonly<Record<Field, string>> = {
    saddr: address,
    daddr: address,
    l4proto: 'inet_proto',
    dport: 'inet_service',
    slot: 'integer',
  };
  return fields.map((field) => names[field]).join(' . ');
}

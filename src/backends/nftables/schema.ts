// The fixed shape of our table: its name, its sets and maps with what they hold, its base chains.
import type { Family } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { Hook } from '../../model/ruleset.ts';
import type { Expression } from './expression.ts';

/** Our table, one in family ip and one in ip6; no other table is ever named. */
export const tableName = 'sluice';

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
};

const frontendKey = ['daddr', 'l4proto', 'dport'] as const;
const nodePortKey = ['l4proto', 'dport'] as const;

/** Every set and map that there always is; most Services add elements to these and nothing else. */
export const containers = {
  clusterIps: { name: 'cluster-ips', key: ['daddr'] },
  nodePortIps: { name: 'nodeport-ips', key: ['daddr'] },
  hairpinConnections: {
    name: 'hairpin-connections',
    key: ['saddr', 'daddr', 'l4proto', 'dport'],
  },
  /** Frontend to the chain for its shape, or for its Service alone. */
  serviceIps: { name: 'service-ips', key: frontendKey, data: 'verdict' },
  serviceNodePorts: { name: 'service-nodeports', key: nodePortKey, data: 'verdict' },
  noEndpointServices: { name: 'no-endpoint-services', key: frontendKey, data: 'verdict' },
  noEndpointNodePorts: { name: 'no-endpoint-nodeports', key: nodePortKey, data: 'verdict' },
  firewallIps: { name: 'firewall-ips', key: frontendKey, data: 'verdict' },
  tcpEndpoints: endpointsOf('address', 'tcp'),
  udpEndpoints: endpointsOf('address', 'udp'),
  sctpEndpoints: endpointsOf('address', 'sctp'),
  tcpNodePortEndpoints: endpointsOf('node-port', 'tcp'),
  udpNodePortEndpoints: endpointsOf('node-port', 'udp'),
  sctpNodePortEndpoints: endpointsOf('node-port', 'sctp'),
} as const satisfies Record<string, Container>;

/** How a frontend is looked up: by address, protocol and port, or without the address. */
export type LookUp = 'address' | 'node-port';

/** The name of the map of slots for frontends of one protocol. */
export function endpointsName(by: LookUp, protocol: Protocol): string {
  return by === 'address' ? `endpoints-${protocol}` : `nodeport-endpoints-${protocol}`;
}

/**
 * Frontend and slot to endpoint: a frontend of n endpoints has the slots 0 to n-1. There is a map for
 * each protocol because a port must be a protocol's own here: with `th dport` in its data, nft (1.0.6
 * to 1.1.3) refuses every rule that is added once the map stands, "conflicting protocols specified:
 * tcp vs. th".
 */
function endpointsOf(by: LookUp, protocol: Protocol): Container {
  return {
    name: endpointsName(by, protocol),
    key: by === 'address' ? ['daddr', 'dport', 'slot'] : ['dport', 'slot'],
    data: ['daddr', 'dport'],
    protocol,
  };
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

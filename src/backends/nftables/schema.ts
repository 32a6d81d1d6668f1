// The fixed shape of our table: its name, its sets and maps with their types, its base chains.
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

/** The type of one part of a key, as nft names it; `address` stands for the family's own. */
export type KeyType = 'address' | 'inet_proto' | 'inet_service' | 'integer';

/** A named set, or a map where it has data. */
export type Container = {
  readonly name: string;
  readonly key: readonly KeyType[];
  readonly data?: 'verdict' | readonly KeyType[];
  /**
   * Declared by `typeof` with the ports of this protocol, because a part made by numgen has no type
   * name of its own (man nft, "typeof"). The port must be a protocol's own, and so there is a map for
   * each: with `th dport`, nft (1.0.6 to 1.1.3) refuses every rule that is added once the map stands,
   * "conflicting protocols specified: tcp vs. th".
   */
  readonly typeofProtocol?: Protocol;
};

const frontendKey = ['address', 'inet_proto', 'inet_service'] as const;

/** Every set and map; a Service adds elements to these and nothing else. */
export const containers = {
  clusterIps: { name: 'cluster-ips', key: ['address'] },
  hairpinConnections: {
    name: 'hairpin-connections',
    key: ['address', 'address', 'inet_proto', 'inet_service'],
  },
  /** Frontend to the chain for its number of endpoints. */
  serviceIps: { name: 'service-ips', key: frontendKey, data: 'verdict' },
  noEndpointServices: { name: 'no-endpoint-services', key: frontendKey, data: 'verdict' },
  /** Frontend and slot to endpoint; a frontend of n endpoints has the slots 0 to n-1. */
  tcpEndpoints: endpointsOf('tcp'),
  udpEndpoints: endpointsOf('udp'),
  sctpEndpoints: endpointsOf('sctp'),
} as const satisfies Record<string, Container>;

/** The name of the map of slots for frontends of one protocol. */
export function endpointsName(protocol: Protocol | ''): string {
  return `endpoints-${protocol}`;
}

function endpointsOf(protocol: Protocol): Container {
  return {
    name: endpointsName(protocol),
    key: ['address', 'inet_service', 'integer'],
    data: ['address', 'inet_service'],
    typeofProtocol: protocol,
  };
}

/** Base chains: priorities are kube-proxy's, so that other programs' order with it holds with us. */
export const baseChains: Readonly<Record<Hook, { type: string; hook: string; prio: number }>> = {
  'nat-prerouting': { type: 'nat', hook: 'prerouting', prio: -100 },
  'nat-output': { type: 'nat', hook: 'output', prio: -100 },
  'nat-postrouting': { type: 'nat', hook: 'postrouting', prio: 100 },
  'filter-input': { type: 'filter', hook: 'input', prio: 0 },
  'filter-forward': { type: 'filter', hook: 'forward', prio: 0 },
  'filter-output': { type: 'filter', hook: 'output', prio: 0 },
};

/** The packet fields that a frontend is looked up by. */
export function frontendFields(family: Family): readonly Expression[] {
  return [
    { payload: { protocol: familyWords[family].table, field: 'daddr' } },
    { meta: { key: 'l4proto' } },
    { payload: { protocol: 'th', field: 'dport' } },
  ];
}

/** The type names of a key or of data in one family, such as `ipv4_addr . inet_service`. */
export function typeNames(family: Family, types: readonly KeyType[]): readonly string[] {
  return types.map((type) => (type === 'address' ? familyWords[family].address : type));
}

/** A packet expression of each type, for a declaration by `typeof`. */
export function typeofFields(
  family: Family,
  types: readonly KeyType[],
  protocol: Protocol,
): readonly Expression[] {
  const fields: Record<KeyType, Expression> = {
    address: { payload: { protocol: familyWords[family].table, field: 'daddr' } },
    inet_proto: { meta: { key: 'l4proto' } },
    inet_service: { payload: { protocol, field: 'dport' } },
    integer: { numgen: { mode: 'random', mod: 65536, offset: 0 } },
  };
  return types.map((type) => fields[type]);
}

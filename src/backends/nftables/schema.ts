// The fixed shape of our table: its name, its sets and maps with what they hold, its base chains.
import type { Family } from '../../model/ip.ts';
import type { ServiceCounters } from '../../model/config.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { Hook } from '../../model/ruleset.ts';
import type { TracePlace } from '../../netfilter/parse-trace.ts';
import type { Expression } from './expression.ts';
import type { LookUp } from './names.ts';

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
  /** Frontend to the chain that serves it: the one look-up that a packet for no Service meets. */
  serviceIps: { name: 'service-ips', key: frontendKey, data: 'verdict' },
  serviceNodePorts: { name: 'service-nodeports', key: nodePortKey, data: 'verdict' },
  /** Endpoints whose clients are remembered: others are passed with one look-up. */
  affinityEndpoints: { name: 'affinity-endpoints', key: frontendKey },
  firewallIps: { name: 'firewall-ips', key: frontendKey, data: 'verdict' },
  noEndpointServices: { name: 'no-endpoint-services', key: frontendKey, data: 'verdict' },
  noEndpointNodePorts: { name: 'no-endpoint-nodeports', key: nodePortKey, data: 'verdict' },
} as const satisfies Record<string, Container>;

const serviceContainers: ReadonlySet<string> = new Set([
  containers.serviceIps.name,
  containers.serviceNodePorts.name,
]);

/** The container as it is declared where `counters` are wanted. */
export function counting<C extends Container>(container: C, counters: ServiceCounters): C {
  const isWanted =
    (counters !== 'off' && serviceContainers.has(container.name)) ||
    (counters === 'endpoints' && slotMapNamed(container.name) !== undefined);
  return isWanted ? { ...container, counts: true } : container;
}

/** Whose slots: of frontends by address or by node port, in the whole cluster or on this node alone. */
const slotsNames = [
  'endpoints',
  'local-endpoints',
  'nodeport-endpoints',
  'nodeport-local-endpoints',
] as const;

export type SlotsName = (typeof slotsNames)[number];

/** The slots of frontends that are looked up so, of this node's endpoints alone or of all. */
export function slotsName(by: LookUp, isLocal: boolean): SlotsName {
  const name = isLocal ? 'local-endpoints' : 'endpoints';
  return by === 'address' ? name : `nodeport-${name}`;
}

/** Frontend and slot to endpoint: a frontend of n endpoints has the slots 0 to n-1. */
export type SlotMap = Container & {
  readonly slots: SlotsName;
  readonly protocol: Protocol;
  readonly isLocal: boolean;
};

/** Whose ports there are. */
export const protocols: readonly Protocol[] = ['tcp', 'udp', 'sctp'];

/**
 * There is a map for each protocol because a port must be a protocol's own here: with `th dport` in its
 * data, nft (1.0.6 to 1.1.3) refuses every rule that is added once the map stands, "conflicting protocols
 * specified: tcp vs. th".
 */
export const slotMaps: readonly SlotMap[] = slotsNames.flatMap((slots) =>
  protocols.map((protocol): SlotMap => ({
    name: `${slots}-${protocol}`,
    key: slots.startsWith('nodeport-') ? ['dport', 'slot'] : ['daddr', 'dport', 'slot'],
    data: ['daddr', 'dport'],
    slots,
    protocol,
    isLocal: slots.endsWith('local-endpoints'),
  })),
);

const slotMapsByName: ReadonlyMap<string, SlotMap> = new Map(
  slotMaps.map((map) => [map.name, map]),
);

/** The map of slots with this name; undefined for any other name. */
export function slotMapNamed(name: string): SlotMap | undefined {
  return slotMapsByName.get(name);
}

/** The map of these slots. */
export function slotMap(slots: SlotsName, protocol: Protocol): SlotMap {
  const map = slotMapNamed(`${slots}-${protocol}`);
  if (map === undefined) throw new RangeError(`no slots for ${protocol}`);
  return map;
}

/**
 * The clients of endpoints of one Service port at one port; each leaves `seconds` after its last connection. The
 * port is in the name alone: nft 1.0.6 has no registers for an IPv6 address with a port as data of an update
 * (it aborts, "Assertion `dreg < ctx->reg_low' failed").
 */
export function affinityMap(name: string, seconds: number): Container {
  return { name, key: ['saddr'], data: ['daddr'], timeoutSeconds: seconds };
}

/**
 * Frontends whose clients are remembered, to the chain that does it: by what the client asked for; a node port
 * by the endpoint that it got and the port that it asked for.
 */
export const affinityMaps: readonly Container[] = protocols.flatMap((protocol) => [
  affinityFrontends('address', protocol),
  affinityFrontends('node-port', protocol),
]);

/** That of frontends that are looked up so. */
export function affinityFrontends(by: LookUp, protocol: Protocol): Container {
  return by === 'address'
    ? { name: `affinity-ips-${protocol}`, key: ['daddr', 'dport'], data: 'verdict', protocol }
    : {
        name: `affinity-nodeports-${protocol}`,
        key: ['daddr', 'dport', 'dport'],
        data: 'verdict',
        protocol,
      };
}

/** A base chain of ours: at the hooks of the rule book, and where clients of endpoints on this host's own addresses come by. */
export type BaseChain = Hook | 'nat-input';

/** Base chains: priorities are kube-proxy's, so that other programs' order with it holds with us. */
export const baseChains: Readonly<Record<BaseChain, { type: string; hook: string; prio: number }>> =
  {
    'filter-prerouting-pre-dnat': { type: 'filter', hook: 'prerouting', prio: -110 },
    'filter-output-pre-dnat': { type: 'filter', hook: 'output', prio: -110 },
    'nat-prerouting': { type: 'nat', hook: 'prerouting', prio: -100 },
    'nat-output': { type: 'nat', hook: 'output', prio: -100 },
    'nat-postrouting': { type: 'nat', hook: 'postrouting', prio: 100 },
    'nat-input': { type: 'nat', hook: 'input', prio: 0 },
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

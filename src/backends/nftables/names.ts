// Names of chains and maps: in go the shapes of Services, or Service ports, out come names that are the same
// on every node and in every run. What belongs to one Service port is named as kube-proxy's nftables mode
// names it.
import type { Protocol, ServiceKey, TrafficPolicy } from '../../model/kubernetes.ts';
import type { Part, ServiceChain } from '../../model/ruleset.ts';
import { shortHash } from '../short-hash.ts';
import type { Spelling } from '../spelling.ts';

/** The parts of the rule book but for what only kube-proxy's iptables mode does. */
export type NftPart = Exclude<Part, { name: 'localnet' }>;

/** The chain of each part, named as kube-proxy's nftables mode names it. */
export const partChains: Readonly<Record<NftPart['name'], string>> = {
  'source-ranges': 'firewall-check',
  services: 'services',
  'health-ports': 'health-ports-check',
  'no-external-endpoints': 'nodeport-endpoints-check',
  'no-endpoints': 'service-endpoints-check',
  'cluster-ips': 'cluster-ips-check',
  forward: 'forward-check',
  masquerading: 'masquerading',
};

/** How a frontend is looked up: by address, protocol and port, or without the address. */
export type LookUp = 'address' | 'node-port';

/** What identifies a Service port. */
export type ServicePortId = Pick<ServiceChain, 'service' | 'portName' | 'protocol'>;

/** What kind of frontend a chain that Services share is for; `LOCAL` where not all senders get the same endpoints. */
const sharedKinds = [
  'KUBE-SVC',
  'KUBE-EXT',
  'KUBE-EXT-LOCAL',
  'KUBE-NODEPORT',
  'KUBE-NODEPORT-LOCAL',
] as const;

export type SharedKind = (typeof sharedKinds)[number];

/** The kind of all frontends like this one; `isSplit` where this node and its pods reach endpoints of the whole cluster, and all others those of this node. */
export function sharedKind(
  { kind }: Pick<ServiceChain, 'kind'>,
  by: LookUp,
  isSplit: boolean,
): SharedKind {
  if (kind === 'internal') return 'KUBE-SVC';
  const name = by === 'address' ? 'KUBE-EXT' : 'KUBE-NODEPORT';
  return isSplit ? `${name}-LOCAL` : name;
}

/** What traffic to such a frontend meets before an endpoint is drawn, which Services share. */
export type SharedChain = {
  readonly kind: SharedKind;
  readonly protocol: Protocol;
  /** Out of how many slots is drawn, as capacityOf has it; 0 where there is no endpoint. */
  readonly capacity: number;
  /** Likewise for those who get this node's endpoints alone; undefined where all get the same. */
  readonly localCapacity: number | undefined;
};

/** `KUBE-SVC-tcp-8`, `KUBE-EXT-LOCAL-udp-12-2`. */
export const sharedChainNames: Spelling<SharedChain> = {
  write: ({ kind, protocol, capacity, localCapacity }) =>
    [kind, protocol, capacity, ...(localCapacity === undefined ? [] : [localCapacity])].join('-'),
  read: (text) => {
    const [, kind, protocol, capacity, localCapacity] =
      /^(KUBE-(?:SVC|(?:EXT|NODEPORT)(?:-LOCAL)?))-(tcp|udp|sctp)-(\d+)(?:-(\d+))?$/.exec(text) ??
      [];
    if (kind === undefined) return undefined;
    return {
      kind: kind as SharedKind,
      protocol: protocol as Protocol,
      capacity: Number(capacity),
      localCapacity: localCapacity === undefined ? undefined : Number(localCapacity),
    };
  },
};

/** What a chain or map of one Service port is for. */
type Use = Entry | 'remember' | 'affinity' | 'local-affinity';

/** Where a Service port is entered: at its ClusterIP, at its other addresses, at its node port, or where these are restricted. */
type Entry = 'internal' | 'external' | 'nodeport' | 'firewall';

/** The name of what belongs to one Service port. */
type PortName = ServicePortId & { readonly use: Use; readonly clients: ClientsOf | undefined };

/**
 * Whose clients a map has: those of endpoints at one port. The timeout is part of the name, so that another one
 * is another map: not every kernel can change that of a map that stands.
 */
type ClientsOf = { readonly seconds: number; readonly port: number };

const portName =
  /^(?:(internal|external|nodeport|firewall|remember)|((?:local-)?affinity)-([1-9]\d*)s-(\d+))-[A-Z2-7]{8}-([^/]+\/[^/]+)\/(tcp|udp|sctp)\/(.*)$/;

/** What belongs to one Service port. */
export const portNames: Spelling<PortName> = {
  write: ({ use, clients, service, portName: name, protocol }) =>
    named(
      clients === undefined ? use : `${use}-${clients.seconds}s-${clients.port}`,
      `${service}/${protocol}/${name}`,
    ),
  read: (text) => {
    const [, chain, map, seconds, port, service, protocol, name] = portName.exec(text) ?? [];
    if (name === undefined) return undefined;
    return {
      use: (chain ?? map) as Use,
      clients: map === undefined ? undefined : { seconds: Number(seconds), port: Number(port) },
      service: service as ServiceKey,
      portName: name,
      protocol: protocol as Protocol,
    };
  },
};

/** The chain where a Service port that has chains of its own is entered. */
export function entryChainName({ kind, ...port }: EntryPort, by: LookUp): string {
  return portNames.write({ ...port, use: entryUse(kind, by), clients: undefined });
}

type EntryPort = Pick<ServiceChain, 'kind'> & ServicePortId;

function entryUse(kind: ServiceChain['kind'], by: LookUp): Entry {
  if (kind === 'source-ranges') return 'firewall';
  if (kind === 'internal') return 'internal';
  return by === 'address' ? 'external' : 'nodeport';
}

/** The chain that rejects what no endpoint answers. */
export const rejectChain = 'reject-chain';

/** The chain where all clients that are to be remembered come by. */
export const clientsChain = 'affinity-clients';

/** The chain that remembers where the clients of a Service port were sent. */
export function rememberChainName(port: ServicePortId): string {
  return portNames.write({ ...port, use: 'remember', clients: undefined });
}

/** The map of a Service port's clients to endpoints at one port: in the whole cluster, or on this node alone. */
export function affinityMapName(
  port: ServicePortId,
  policy: TrafficPolicy,
  clients: ClientsOf,
): string {
  const use = policy === 'Local' ? 'local-affinity' : 'affinity';
  return portNames.write({ ...port, use, clients });
}

// The kernel takes 255 characters. What is cut off is still told apart by the hash.
const longestName = 240;

function named(prefix: string, text: string): string {
  const name = `${prefix}-${shortHash(text, 8)}-${text}`;
  return name.length <= longestName ? name : `${name.slice(0, longestName - 3)}...`;
}

// Names of chains and sets: in go the shapes of Services, or Service ports and endpoints, out come names
// that are the same on every node and in every run. What belongs to one Service port is named as
// kube-proxy's nftables mode names it.
import type { Endpoint, Pool } from '../../model/forwarding.ts';
import type { Protocol, ServiceKey } from '../../model/kubernetes.ts';
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

/** The chains that Services share: what traffic to one kind of frontend meets before an endpoint is picked. */
export const sharedChains = [
  'KUBE-SVC',
  'KUBE-EXT',
  'KUBE-EXT-LOCAL',
  'KUBE-NODEPORT',
  'KUBE-NODEPORT-LOCAL',
] as const;

export type SharedChain = (typeof sharedChains)[number];

/**
 * The chain for all frontends of one kind; `isSplit` where this node and its pods reach endpoints of the
 * whole cluster, and all others those of this node.
 */
export function sharedChainName(
  { kind }: Pick<ServiceChain, 'kind'>,
  by: LookUp,
  isSplit: boolean,
): SharedChain {
  if (kind === 'internal') return 'KUBE-SVC';
  const name = by === 'address' ? 'KUBE-EXT' : 'KUBE-NODEPORT';
  return isSplit ? `${name}-LOCAL` : name;
}

/** What a chain or set of one Service port is for; `affinity` is the clients of one of its endpoints. */
type Use = (typeof entryUses)[ServiceChain['kind']] | 'service' | 'local' | 'endpoint' | 'affinity';

/**
 * The name of what belongs to one Service port. `seconds` is the timeout of clients: it is part of the
 * name, so that another timeout is another set: not every kernel can change that of a set that stands.
 */
type PortName = ServicePortId & { readonly use: Use; readonly seconds?: number | undefined };

/** Where a Service port is entered: at its ClusterIP, at its other addresses, or where these are restricted. */
const entryUses = {
  internal: 'internal',
  external: 'external',
  'source-ranges': 'firewall',
} as const satisfies Record<ServiceChain['kind'], string>;

const portName =
  /^(?:(internal|external|firewall|service|local|endpoint)|(affinity)-([1-9]\d*)s)-[A-Z2-7]{8}-([^/]+\/[^/]+)\/(tcp|udp|sctp)\/(.*?)(?:__.*)?$/;

/** What belongs to one Service port; an endpoint is not read back, as it is where a long name is cut. */
export const portNames: Spelling<PortName & { readonly endpoint?: Endpoint }, PortName> = {
  write: ({ use, seconds, endpoint, service, portName: name, protocol }) => {
    const prefix = seconds === undefined ? use : `${use}-${seconds}s`;
    const port = `${service}/${protocol}/${name}`;
    // nft takes no colon in a name.
    const at = endpoint && `__${endpoint.ip.replaceAll(':', '.')}/${endpoint.port}`;
    return named(prefix, at === undefined ? port : `${port}${at}`);
  },
  read: (text) => {
    const [, chain, set, seconds, service, protocol, name] = portName.exec(text) ?? [];
    if (name === undefined) return undefined;
    return {
      use: (chain ?? set) as Use,
      seconds: seconds === undefined ? undefined : Number(seconds),
      service: service as ServiceKey,
      portName: name,
      protocol: protocol as Protocol,
    };
  },
};

/** The chain where a Service port that has chains of its own is entered. */
export function entryChainName({
  kind,
  ...port
}: Pick<ServiceChain, 'kind'> & ServicePortId): string {
  return portNames.write({ ...port, use: entryUses[kind] });
}

/** The chain that balances a Service port over a pool of its own. */
export function policyChainName({ policy }: Pick<Pool, 'policy'>, port: ServicePortId): string {
  return portNames.write({ ...port, use: policy === 'Local' ? 'local' : 'service' });
}

/** The chain that sends a Service port's connections to one endpoint, and remembers their clients. */
export function endpointChainName(port: ServicePortId, endpoint: Endpoint): string {
  return portNames.write({ ...port, use: 'endpoint', endpoint });
}

/** The set of an endpoint's clients. */
export function affinitySetName(port: ServicePortId, endpoint: Endpoint, seconds: number): string {
  return portNames.write({ ...port, use: 'affinity', seconds, endpoint });
}

// The kernel takes 255 characters. What is cut off is still told apart by the hash.
const longestName = 240;

function named(prefix: string, text: string): string {
  const name = `${prefix}-${shortHash(text, 8)}-${text}`;
  return name.length <= longestName ? name : `${name.slice(0, longestName - 3)}...`;
}

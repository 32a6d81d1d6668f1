// The names of chains: in go Service ports, endpoints and address prefixes, out come names that are the
// same on every node and in every run. Must not name a Service's chain otherwise than kube-proxy does:
// runbooks know these names, and a node taken over from it has its chains replaced in place.
import type { Endpoint } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import { servicePortName, servicePortNamed } from '../../model/kubernetes.ts';
import type { ServiceChain } from '../../model/ruleset.ts';
import type { TracePlace } from '../../netfilter/parse-trace.ts';
import { shortHash } from '../short-hash.ts';
import type { Spelling } from '../spelling.ts';

/**
 * The two tables that Services are programmed in, in the order of every transaction; in the third
 * nothing of ours stands, but kube-proxy's canary may.
 */
export type TableName = 'filter' | 'nat' | 'mangle';

/** The chains that there is one of. */
export const fixedChains = {
  services: 'KUBE-SERVICES',
  nodePorts: 'KUBE-NODEPORTS',
  externalServices: 'KUBE-EXTERNAL-SERVICES',
  /** Ours alone: kube-proxy has these rules in KUBE-EXTERNAL-SERVICES. */
  externalNodePorts: 'KUBE-EXTERNAL-NODEPORTS',
  proxyFirewall: 'KUBE-PROXY-FIREWALL',
  postrouting: 'KUBE-POSTROUTING',
  markMasquerade: 'KUBE-MARK-MASQ',
  forward: 'KUBE-FORWARD',
} as const;

/** The kubelet's chain in the filter table; we put a rule there, and leave all that is in it. */
export const kubeletFirewall = 'KUBE-FIREWALL';

/** Ours alone, and empty (canary.ts). */
export const canaryChain = 'SLUICE-CANARY';

/** What identifies a Service port. */
export type ServicePortId = Pick<ServiceChain, 'service' | 'portName' | 'protocol'>;

// Kubernetes' own limit for a chain name is the kernel's, 28 characters; 16 of base32 fit every prefix.
const hashLength = 16;

/**
 * What a chain of a Service port does: balance over the endpoints of the cluster or of this node, take
 * external traffic, or ask who may use a load balancer's address.
 */
export type ServiceChainPrefix = 'KUBE-SVC' | 'KUBE-SVL' | 'KUBE-EXT' | 'KUBE-FW';

/** What the names of chains of one Service port begin with; KUBE-XLB is kube-proxy's before 1.24. */
export const perService = /^KUBE-(SVC|SVL|EXT|FW|SEP|XLB)-/;

/** A chain of one Service port, such as `KUBE-SVC-NPX46M4PTMTKRN6Y`. */
export function serviceChainName(
  prefix: ServiceChainPrefix,
  { service, portName, protocol }: ServicePortId,
): string {
  return `${prefix}-${shortHash(`${servicePortName(service, portName)}${protocol}`, hashLength)}`;
}

/** The chain that sends a Service port's connections to one endpoint, such as `KUBE-SEP-SXIVWICOYRO3J4NJ`. */
export function endpointChainName(
  { service, portName, protocol }: ServicePortId,
  { ip, port }: Endpoint,
): string {
  const portText = `${servicePortName(service, portName)}${protocol}`;
  return `KUBE-SEP-${shortHash(`${portText}${hostPort(ip, port)}`, hashLength)}`;
}

/** What a rule from a Service port's chain to an endpoint says: `web/shop:http -> 10.0.0.1:8080`. */
export const endpointComments: Spelling<{
  readonly service: ServiceKey;
  readonly portName: string;
  readonly endpoint: string;
}> = {
  write: ({ service, portName, endpoint }) =>
    `${servicePortName(service, portName)} -> ${endpoint}`,
  read: (text) => {
    const [, name = '', endpoint] = /^(\S+) -> (\S+)$/.exec(text) ?? [];
    const named = servicePortNamed(name);
    return named === undefined || endpoint === undefined ? undefined : { ...named, endpoint };
  },
};

/** Of which dispatch tree a branch is: no two trees of a table share one. */
export type BranchPrefix = 'KUBE-SVCS' | 'KUBE-NPS' | 'KUBE-EXTS' | 'KUBE-ENPS' | 'KUBE-FWS';

/**
 * The chain with the entries under a prefix of digits (dispatch/address-prefix, dispatch/port-prefix):
 * the digits themselves (`KUBE-SVCS-0A60` for 10.96.0.0/16), or a hash of those too long for a name.
 * The two cannot meet: they differ in length. No name begins as a Service port's does.
 */
export function branchChainName(prefix: BranchPrefix, digits: string): string {
  const suffix = digits.length < hashLength ? digits.toUpperCase() : shortHash(digits, hashLength);
  return `${prefix}-${suffix}`;
}

// What the names above look like. kube-proxy's chains are ours too: taking a node over, or cleaning it, deals
// with all of them. KUBE-XLB is that of its releases before 1.24.
const hashed = '[A-Z2-7]{16}';
const branch = '[0-9A-Z]{1,16}';
const ourNames: Readonly<Record<TableName, RegExp>> = {
  nat: new RegExp(
    `^KUBE-(SERVICES|NODEPORTS|POSTROUTING|MARK-MASQ|PROXY-CANARY|(SVCS|NPS)-${branch}|(SVC|SVL|EXT|FW|SEP|XLB)-${hashed})$`,
  ),
  filter: new RegExp(
    `^KUBE-(SERVICES|EXTERNAL-(SERVICES|NODEPORTS)|FORWARD|NODEPORTS|PROXY-(FIREWALL|CANARY)|(SVCS|EXTS|ENPS|NPS|FWS)-${branch})$`,
  ),
  mangle: /^KUBE-PROXY-CANARY$/,
};

/** The kernel's own chains. */
export const builtInChains: ReadonlySet<string> = new Set([
  'PREROUTING',
  'INPUT',
  'FORWARD',
  'OUTPUT',
  'POSTROUTING',
]);

/** Whether a chain of this table is ours, or kube-proxy's, and nobody else's. */
export function isOurChain(table: TableName, name: string): boolean {
  return name === canaryChain || ourNames[table].test(name);
}

/** The same for a chain in the tables that iptables-nft has in nftables. */
export function isOurIptablesChain({ family, table, chain }: TracePlace): boolean {
  const isTable = table === 'nat' || table === 'filter' || table === 'mangle';
  return isTable && /^ip6?$/.test(family) && isOurChain(table, chain);
}

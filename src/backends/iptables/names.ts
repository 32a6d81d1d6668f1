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

/** The chains that there is one of, with the tables that they are in. */
const fixed = {
  services: ['KUBE-SERVICES', 'nat', 'filter'],
  nodePorts: ['KUBE-NODEPORTS', 'nat', 'filter'],
  externalServices: ['KUBE-EXTERNAL-SERVICES', 'filter'],
  /** Ours alone: kube-proxy has these rules in KUBE-EXTERNAL-SERVICES. */
  externalNodePorts: ['KUBE-EXTERNAL-NODEPORTS', 'filter'],
  proxyFirewall: ['KUBE-PROXY-FIREWALL', 'filter'],
  postrouting: ['KUBE-POSTROUTING', 'nat'],
  markMasquerade: ['KUBE-MARK-MASQ', 'nat'],
  forward: ['KUBE-FORWARD', 'filter'],
  /** Ours alone, and empty (canary.ts). */
  canary: ['SLUICE-CANARY', 'filter', 'nat', 'mangle'],
  /** Ours alone: the rule that we put into the kubelet's chain, where that cannot be looked at (render.ts). */
  renderedFirewall: ['SLUICE-FIREWALL', 'filter'],
  /** Kube-proxy's alone. */
  proxyCanary: ['KUBE-PROXY-CANARY', 'filter', 'nat', 'mangle'],
} as const satisfies Record<string, readonly [string, ...TableName[]]>;

/**
 * What the names of all other chains begin with, with what follows it and the tables that they are in.
 * Kube-proxy's chains are among them: taking a node over, or cleaning it, deals with all of them.
 */
const prefixes = {
  'KUBE-SVC': ['port', 'nat'],
  'KUBE-SVL': ['port', 'nat'],
  'KUBE-EXT': ['port', 'nat'],
  'KUBE-FW': ['port', 'nat'],
  /** Ours alone: KUBE-FW for a ClusterIP that is a load balancer's address too. */
  'KUBE-FWC': ['port', 'nat'],
  'KUBE-SEP': ['port', 'nat'],
  /** Kube-proxy's before 1.24. */
  'KUBE-XLB': ['port', 'nat'],
  'KUBE-SVCS': ['branch', 'nat', 'filter'],
  'KUBE-NPS': ['branch', 'nat', 'filter'],
  'KUBE-EXTS': ['branch', 'filter'],
  'KUBE-ENPS': ['branch', 'filter'],
  'KUBE-FWS': ['branch', 'filter'],
} as const satisfies Record<string, readonly [keyof typeof suffixes, ...TableName[]]>;

type Prefix = keyof typeof prefixes;
type PrefixOf<Kind> = { [P in Prefix]: (typeof prefixes)[P][0] extends Kind ? P : never }[Prefix];

// Kubernetes' own limit for a chain name is the kernel's, 28 characters; 16 of base32 fit every prefix.
const hashLength = 16;

/** What follows a prefix: the hash of a Service port, or digits, or a hash of those. */
const suffixes = { port: /^[A-Z2-7]{16}$/, branch: /^[0-9A-Z]{1,16}$/ };

/** The name of each chain that there is one of. */
export const fixedChains = Object.fromEntries(
  Object.entries(fixed).map(([key, [chain]]) => [key, chain]),
) as { readonly [K in keyof typeof fixed]: (typeof fixed)[K][0] };

/** The kubelet's chain in the filter table; we put a rule there, and leave all that is in it. */
export const kubeletFirewall = 'KUBE-FIREWALL';

/** The kubelet's alone: they show which variant of iptables it uses. */
export const kubeletChains = ['KUBE-IPTABLES-HINT', 'KUBE-KUBELET-CANARY'] as const;

/** What identifies a Service port. */
export type ServicePortId = Pick<ServiceChain, 'service' | 'portName' | 'protocol'>;

/** What a chain of a Service port does; KUBE-SEP sends its connections to one endpoint. */
export type PortPrefix = PrefixOf<'port'>;

/**
 * Those that Services have whatever their endpoints: balance over the endpoints of the cluster or of this
 * node, take external traffic, or ask who may use a load balancer's address.
 */
export type ServiceChainPrefix = Exclude<PortPrefix, 'KUBE-SEP' | 'KUBE-XLB'>;

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
  return `${endpointPrefix}-${shortHash(`${portText}${hostPort(ip, port)}`, hashLength)}`;
}

const endpointPrefix = 'KUBE-SEP' satisfies PortPrefix;

/** What the chain of a Service port with this name does; undefined for the name of any other chain. */
export function portPrefixOf(chain: string): PortPrefix | undefined {
  const prefix = prefixIn(chain);
  return prefix !== undefined && isPortPrefix(prefix) ? prefix : undefined;
}

function prefixIn(chain: string): Prefix | undefined {
  const prefix = chain.slice(0, Math.max(chain.lastIndexOf('-'), 0));
  return Object.hasOwn(prefixes, prefix) ? (prefix as Prefix) : undefined;
}

function isPortPrefix(prefix: Prefix): prefix is PortPrefix {
  return prefixes[prefix][0] === 'port';
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
export type BranchPrefix = PrefixOf<'branch'>;

/**
 * The chain with the entries under a prefix of digits (dispatch/address-prefix, dispatch/port-prefix):
 * the digits themselves (`KUBE-SVCS-0A60` for 10.96.0.0/16), or a hash of those too long for a name.
 * The two cannot meet: they differ in length. No name begins as a Service port's does.
 */
export function branchChainName(prefix: BranchPrefix, digits: string): string {
  const suffix = digits.length < hashLength ? digits.toUpperCase() : shortHash(digits, hashLength);
  return `${prefix}-${suffix}`;
}

/** Whether this is the name of a branch: kube-proxy has no such chains. */
export function isBranchChain(chain: string): boolean {
  const prefix = prefixIn(chain);
  return prefix !== undefined && !isPortPrefix(prefix);
}

/** The kernel's own chains. */
export const builtInChains: ReadonlySet<string> = new Set([
  'PREROUTING',
  'INPUT',
  'FORWARD',
  'OUTPUT',
  'POSTROUTING',
]);

const fixedTables: ReadonlyMap<string, readonly TableName[]> = new Map(
  Object.values(fixed).map(([chain, ...tables]) => [chain, tables]),
);

/** Whether a chain of this table is ours, or kube-proxy's, and nobody else's. */
export function isOurChain(table: TableName, name: string): boolean {
  const prefix = prefixIn(name);
  if (prefix === undefined) return fixedTables.get(name)?.includes(table) === true;
  const [suffix, ...tables] = prefixes[prefix];
  const isThere: readonly TableName[] = tables;
  return isThere.includes(table) && suffixes[suffix].test(name.slice(prefix.length + 1));
}

/**
 * What grep -E finds in the lines of iptables-save that make these chains, are in them, or lead to them;
 * it does not look at tables.
 */
export const ourLines = `(^:|^-A |-[jg] )(${fixedChains.canary}|${fixedChains.renderedFirewall}|KUBE-(${[
  ...restsOf(Object.values(fixedChains)),
  `(${restsOf(Object.keys(prefixes)).join('|')})-[0-9A-Z]+`,
].join('|')}))( |$)`;

function restsOf(names: readonly string[]): readonly string[] {
  return names.flatMap((name) => /^KUBE-(.*)$/.exec(name)?.[1] ?? []);
}

/** The same for a chain in the tables that iptables-nft has in nftables. */
export function isOurIptablesChain({ family, table, chain }: TracePlace): boolean {
  const isTable = table === 'nat' || table === 'filter' || table === 'mangle';
  return isTable && /^ip6?$/.test(family) && isOurChain(table, chain);
}

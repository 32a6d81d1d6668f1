// What is the same for every Service on a node and decides how rules are built: one value a family,
// made from the Config, the Node and the traits of the backend by resolve/settings.
import type { ProxyMode } from './config.ts';
import type { Cidr, Family, Ip } from './ip.ts';
import { cidrContains } from './ip.ts';

/** How traffic of pods is distinguished from other traffic (kube-proxy's detectLocalMode). */
export type PodSource =
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'interface-prefix'; readonly prefix: string };

/** Which of the node's own addresses take node ports (kube-proxy's nodePortAddresses). */
export type NodePortAddresses =
  /** Every local address, but for those in `except` (loopback). */
  | { readonly kind: 'any-local'; readonly except: Cidr | undefined }
  | { readonly kind: 'addresses'; readonly ips: readonly Ip[] };

/** What the rules of a proxy mode do, where kube-proxy's modes differ. */
export type RuleTraits = {
  /** Refuse ports of ClusterIPs that no Service port has, and drop unused addresses of ServiceCIDRs. */
  readonly guardsClusterIps: boolean;
  /** Accept forwarded Service traffic (KUBE-FORWARD). */
  readonly acceptsForwarded: boolean;
  /**
   * A frontend that nothing answers is refused wherever its packets pass. Otherwise ClusterIPs are not
   * refused on input, and external addresses not on output (kube-proxy's iptables mode).
   */
  readonly refusesAtEveryHook: boolean;
  /**
   * Whose connections to themselves are masqueraded. Those of endpoints on other nodes do not pass here
   * unless somebody routes them so.
   */
  readonly hairpins: 'on-this-node' | 'all';
  /** Accept connections to healthCheckNodePorts, for hosts whose INPUT policy would drop them. */
  readonly acceptsHealthChecks: boolean;
};

/** kube-proxy's metrics of one mode, by their names. */
export type MetricTraits = {
  readonly failures: string;
  /** Failures of passes that wrote what changed alone; absent where they are not counted apart. */
  readonly partialFailures?: string;
  /** Rules by table, in all and written last; absent where tables do not hold rules by Service. */
  readonly rules?: {
    readonly total: string;
    readonly last: string;
    readonly tables: readonly string[];
  };
};

/** All traits of a proxy mode. */
export type Traits = {
  readonly mode: ProxyMode;
  readonly rules: RuleTraits;
  /** IPv4 node ports can answer at 127.0.0.1, which needs route_localnet. */
  readonly hasLocalhostNodePorts: boolean;
  /** Which addresses take node ports where nothing is configured. */
  readonly nodePortAddresses: 'primary' | 'all';
  /** New connections are counted whatever --service-counters says. */
  readonly alwaysCounts: boolean;
  /** Whose rules these are in a list of all Service rules of a host. */
  readonly owner: string;
  /** kube-proxy gives its rules the same names, so the maker cannot be seen from them. */
  readonly sharesNames: boolean;
  /** One input of its tool may have the rules of both families. */
  readonly takesBothFamilies: boolean;
  /** What shows people the rules on a host. */
  readonly listCommand: string;
  readonly metrics: MetricTraits;
};

/** What the rules of one family depend on besides the Services. */
export type FamilySettings = RuleTraits & {
  readonly family: Family;
  /** The packet mark bit that asks for masquerade, as a mask: 1 << masqueradeBit. */
  readonly masqueradeMark: number;
  readonly masqueradeAll: boolean;
  /** Undefined where pods cannot be distinguished: then nothing is masqueraded for being from outside. */
  readonly podSource: PodSource | undefined;
  /** Before Service traffic is accepted, drop what conntrack calls INVALID: it would leave with its translation undone. */
  readonly dropsInvalid: boolean;
  readonly serviceCidrs: readonly Cidr[];
  readonly nodePorts: NodePortAddresses;
  /**
   * This host's own addresses that take node ports, as far as others can claim them: link-local ones come and go
   * with every pod, and are left out.
   */
  readonly nodePortIps: readonly Ip[];
  /** Node ports answer at 127.0.0.1 too, which needs route_localnet and a rule that guards it. */
  readonly localhostNodePorts: boolean;
  /** Where this node reaches the API server, as frontendId has it: no Service may take that from it. */
  readonly apiServers: readonly string[];
};

/** Whether node ports answer at `ip` on a host that has `hostIps`; loopback need not be among them. */
export function takesNodePorts(
  addresses: NodePortAddresses,
  ip: Ip,
  hostIps: readonly Ip[],
): boolean {
  if (addresses.kind === 'addresses') return addresses.ips.includes(ip);
  const isExcepted = addresses.except !== undefined && cidrContains(addresses.except, ip);
  return isLocalAddress(ip, hostIps) && !isExcepted;
}

/** Whether `ip` is one of this host's own addresses. */
export function isLocalAddress(ip: Ip, hostIps: readonly Ip[]): boolean {
  return hostIps.includes(ip) || ip === '::1' || ip.startsWith('127.');
}

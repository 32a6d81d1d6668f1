// What is the same for every Service on a node and decides how rules are built: one value a family,
// made from the Config and the Node by resolve/settings.
import type { Cidr, Family, Ip } from './ip.ts';

/** How traffic of pods is told from other traffic (kube-proxy's detectLocalMode). */
export type PodSource =
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'interface-prefix'; readonly prefix: string };

/** Which of the node's own addresses take node ports (kube-proxy's nodePortAddresses). */
export type NodePortAddresses =
  /** Every local address, but for those in `except` (loopback). */
  | { readonly kind: 'any-local'; readonly except: Cidr | undefined }
  | { readonly kind: 'addresses'; readonly ips: readonly Ip[] };

/** What the rules of one family depend on besides the Services. */
export type FamilySettings = {
  readonly family: Family;
  /** The packet mark bit that asks for masquerade, as a mask: 1 << masqueradeBit. */
  readonly masqueradeMark: number;
  readonly masqueradeAll: boolean;
  /** Undefined where pods cannot be told apart: then nothing is masqueraded for being from outside. */
  readonly podSource: PodSource | undefined;
  /** Refuse ports of ClusterIPs that no Service port has, and drop unused addresses of ServiceCIDRs. */
  readonly guardsClusterIps: boolean;
  /** Accept forwarded Service traffic (KUBE-FORWARD). */
  readonly acceptsForwarded: boolean;
  /** Before that, drop what conntrack calls INVALID: it would leave with its translation undone. */
  readonly dropsInvalid: boolean;
  readonly serviceCidrs: readonly Cidr[];
  readonly nodePorts: NodePortAddresses;
  /** Node ports answer at 127.0.0.1 too, which needs route_localnet and a rule that guards it. */
  readonly localhostNodePorts: boolean;
  /**
   * A frontend that nothing answers is refused wherever its packets pass. Otherwise ClusterIPs are not
   * refused on input, and external addresses not on output (kube-proxy's iptables mode).
   */
  readonly refusesAtEveryHook: boolean;
  /**
   * Whose connections to themselves are masqueraded. Those of endpoints on other nodes do not pass here
   * unless somebody routes them so (kube-proxy's modes differ in this).
   */
  readonly hairpins: 'on-this-node' | 'all';
  /** Accept connections to healthCheckNodePorts, for hosts whose INPUT policy would drop them. */
  readonly acceptsHealthChecks: boolean;
};

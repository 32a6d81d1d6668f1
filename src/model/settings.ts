// What is the same for every Service on a node and decides how rules are built: one value a family,
// made from the Config and the Node by resolve/settings.
import type { Cidr, Family } from './ip.ts';

/** How traffic of pods is told from other traffic (kube-proxy's detectLocalMode). */
export type PodSource =
  | { readonly kind: 'cidr'; readonly cidr: Cidr }
  | { readonly kind: 'interface'; readonly name: string }
  | { readonly kind: 'interface-prefix'; readonly prefix: string };

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
  /** Accept forwarded Service traffic and drop packets that conntrack calls INVALID (KUBE-FORWARD). */
  readonly acceptsForwarded: boolean;
  readonly serviceCidrs: readonly Cidr[];
};

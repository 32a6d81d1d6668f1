// The frozen configuration that every command gets. Made and validated by config/ alone; names are
// KubeProxyConfiguration's wherever it has the field.
import type { Cidr } from './ip.ts';

export type ProxyMode = 'nftables' | 'iptables';

/** How pods are told from others: KubeProxyConfiguration.detectLocalMode with its argument. */
export type DetectLocal =
  /** clusterCIDR: at most one a family. */
  | { readonly mode: 'ClusterCIDR'; readonly clusterCidrs: readonly Cidr[] }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly name: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly prefix: string };

/** How nft is written to; `auto` means JSON where a probe proves that this nft takes it. */
export type NftInput = 'auto' | 'json' | 'text';

export type Config = {
  readonly proxyMode: ProxyMode;
  /** hostnameOverride, or the host's name: trimmed and in lower case. */
  readonly nodeName: string;
  readonly detectLocal: DetectLocal;
  readonly masqueradeAll: boolean;
  /** 0 to 31. */
  readonly masqueradeBit: number;
  readonly nftInput: NftInput;
};

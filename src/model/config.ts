// The frozen configuration that every command gets. Made and validated by config/ alone; names are
// KubeProxyConfiguration's wherever it has the field.
import type { Cidr, Ip } from './ip.ts';

export type ProxyMode = 'nftables' | 'iptables';

/** The mode that is used unless another one is asked for. */
export const defaultProxyMode: ProxyMode = 'nftables';

/** How pods are distinguished from others: KubeProxyConfiguration.detectLocalMode with its argument. */
export type DetectLocal =
  /** clusterCIDR: at most one a family. */
  | { readonly mode: 'ClusterCIDR'; readonly clusterCidrs: readonly Cidr[] }
  | { readonly mode: 'NodeCIDR' }
  | { readonly mode: 'BridgeInterface'; readonly name: string }
  | { readonly mode: 'InterfaceNamePrefix'; readonly prefix: string };

/** How nft is written to; `auto` means JSON where a probe proves that this nft takes it. */
export type NftInput = 'auto' | 'json' | 'text';

/** For what the kernel counts new connections, in nftables mode; iptables counts each rule anyway. */
export const serviceCounters = ['off', 'services', 'endpoints'] as const;
export type ServiceCounters = (typeof serviceCounters)[number];

/** Where a server listens. */
export type SocketAddress = { readonly ip: Ip; readonly port: number };

/** How the API server is reached. */
export type ClientConnection = {
  /** A kubeconfig file; with neither this nor `master`, the pod's service account. */
  readonly kubeconfig: string | undefined;
  /** The flag --master: the address to use in place of the configured one. */
  readonly master: string | undefined;
};

/** Sysctls of connection tracking; 0 and false leave the kernel's value alone. */
export type ConntrackConfig = {
  readonly maxPerCore: number;
  readonly min: number;
  readonly tcpEstablishedTimeoutMs: number;
  readonly tcpCloseWaitTimeoutMs: number;
  readonly tcpBeLiberal: boolean;
  readonly udpTimeoutMs: number;
  readonly udpStreamTimeoutMs: number;
};

/** What is logged. */
export type LoggingConfig = {
  /** auto: text on a terminal, JSON elsewhere. */
  readonly format: 'auto' | 'text' | 'json';
  /** As kube-proxy's -v. */
  readonly verbosity: number;
};

/** What is obeyed of flags and file: a field without effect is in the document alone. */
export type Config = {
  readonly proxyMode: ProxyMode;
  /** hostnameOverride, or the host's name: trimmed and in lower case. */
  readonly nodeName: string;
  readonly detectLocal: DetectLocal;
  readonly masqueradeAll: boolean;
  /**
   * Whose addresses take node ports. `primary` is the Node's own address of each family; an empty list
   * stands for every local address.
   */
  readonly nodePortAddresses: 'primary' | readonly Cidr[];
  /** iptables mode alone: node ports answer at 127.0.0.1 where nodePortAddresses allow it. */
  readonly localhostNodePorts: boolean;
  /** 0 to 31. */
  readonly masqueradeBit: number;
  readonly nftInput: NftInput;
  readonly serviceCounters: ServiceCounters;
  /** Takes the place of the Node's first address, unless it is 0.0.0.0 or ::; nothing is bound to it. */
  readonly bindAddress: Ip;
  /** Undefined: no health server. */
  readonly healthzBindAddress: SocketAddress | undefined;
  readonly metricsBindAddress: SocketAddress;
  /** The flag --debug-bind-address: of the page, and of what shows objects and rules. */
  readonly debugBindAddress: SocketAddress;
  /** End where one of these cannot be bound. */
  readonly bindAddressHardFail: boolean;
  readonly clientConnection: ClientConnection;
  /** How often the rules in the kernel are checked; half of how long a change may wait in a healthy proxy. */
  readonly syncPeriodMs: number;
  readonly conntrack: ConntrackConfig;
  /** -1000 to 1000. */
  readonly oomScoreAdj: number;
  readonly logging: LoggingConfig;
  /** The v1alpha1 object that this is made of, with all defaults: what /configz shows. */
  readonly document: KubeProxyConfiguration;
};

/** KubeProxyConfiguration (kubeproxy.config.k8s.io/v1alpha1) as JSON. */
export type KubeProxyConfiguration = { readonly [field: string]: unknown };

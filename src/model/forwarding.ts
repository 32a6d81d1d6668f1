// The decisions: which endpoints may answer for which Service address, and why. Pure data; every
// backend spells it, none decides again.
import type { Cidr, Family, Ip } from './ip.ts';
import type { Protocol, ServiceKey, TrafficPolicy } from './kubernetes.ts';
import type {
  Cause,
  OpenToKind,
  PolicyKind,
  PoolKind,
  Reason,
  SkipKind,
  SourceKind,
} from './reason.ts';

/** A place where traffic for a Service arrives: one address, protocol and port. */
export type FrontendAddress = {
  /** Undefined for a node port: then it is any of the node's own addresses that take node ports. */
  readonly ip: Ip | undefined;
  readonly protocol: Protocol;
  readonly port: number;
};

/** One usable endpoint: an address and a port in the pod network. */
export type Endpoint = { readonly ip: Ip; readonly port: number; readonly isLocal: boolean };

/** The endpoints that share a frontend's traffic, sorted by `ip:port` as text, and those skipped. */
export type Pool = {
  readonly members: readonly Endpoint[];
  readonly skipped: readonly {
    readonly endpoint: Endpoint;
    readonly reason: Reason<SkipKind>;
  }[];
  /** Whether endpoints of the whole cluster or of this node alone were looked at. */
  readonly policy: TrafficPolicy;
  /** Seconds for which a client's new connections stay with its endpoint; 0: no affinity. */
  readonly affinitySeconds: number;
  /** What the choice rests on, in the order in which it was made; those skipped have their own. */
  readonly reasons: readonly Reason<PoolKind>[];
};

/** Whose source address is replaced by the node's on the way to the endpoint. */
export type Masquerade = 'all' | 'from-outside-the-pod-network' | 'none';

/** Who sends, as far as routes differ by it. */
export type Sender = 'pod' | 'node' | 'outside';

/** What source address the endpoints see of each sender, and the field that says so. */
export type Sourcing = {
  readonly source: Readonly<Record<Sender, SourceKind>>;
  readonly sourceCause: Cause;
};

/** What happens to new connections at a frontend; `policy` says which endpoints count, and why. */
export type Route = { readonly pool: Pool; readonly policy: Reason<PolicyKind> } & (
  | ({ readonly kind: 'forward'; readonly masquerade: Masquerade } & Sourcing)
  /**
   * externalTrafficPolicy Local: others reach the endpoints on this node with their own source address,
   * and are dropped where `pool` has no members; pods and this node itself reach all endpoints, in
   * `cluster`, this node masqueraded.
   */
  | ({ readonly kind: 'forward-local'; readonly cluster: Pool } & Sourcing)
  /** Endpoints exist, but none that the policy allows here. */
  | { readonly kind: 'drop' }
  | { readonly kind: 'reject' }
);

/** What sort of address a frontend has. */
export type FrontendKind = 'ClusterIP' | 'ExternalIP' | 'LoadBalancer' | 'NodePort';

/** One Service address with its decision. */
export type Frontend = {
  readonly kind: FrontendKind;
  readonly address: FrontendAddress;
  readonly service: ServiceKey;
  /** spec.ports[].name, or '' where the port has no name. */
  readonly portName: string;
  readonly route: Route;
  /** The only sources that may use this frontend; undefined where all may. */
  readonly allowFrom: readonly Cidr[] | undefined;
  /** One reason for each of those sources, or one for all; none where nothing is said of sources. */
  readonly openTo: readonly Reason<OpenToKind>[];
};

/** What a load balancer that asks at spec.healthCheckNodePort is answered. */
export type HealthCheck = {
  readonly port: number;
  /** Distinct addresses of ready endpoints on this node. */
  readonly localEndpoints: number;
};

/** What one Service means in one family. */
export type ServiceForwarding = {
  readonly service: ServiceKey;
  readonly family: Family;
  readonly frontends: readonly Frontend[];
  readonly healthCheck: HealthCheck | undefined;
};

/** The text that identifies a frontend, such as `tcp 10.96.0.1 80`, or `tcp node 30080`. */
export function frontendId({ ip, protocol, port }: FrontendAddress): string {
  return `${protocol} ${ip ?? 'node'} ${port}`;
}

/** `ip:port`, with brackets round an IPv6 address, as Kubernetes prints endpoints. */
export function hostPort(ip: Ip, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

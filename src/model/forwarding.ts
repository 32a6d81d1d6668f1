// The decisions: which endpoints may answer for which Service address, and why. Pure data; every
// backend spells it, none decides again.
import type { Cidr, Family, Ip } from './ip.ts';
import type { Protocol, ServiceKey, TrafficPolicy } from './kubernetes.ts';

/** A place where traffic for a Service arrives: one address, protocol and port. */
export type FrontendAddress = {
  /** Undefined for a node port: then it is any of the node's own addresses that take node ports. */
  readonly ip: Ip | undefined;
  readonly protocol: Protocol;
  readonly port: number;
};

/** One usable endpoint: an address and a port in the pod network. */
export type Endpoint = { readonly ip: Ip; readonly port: number; readonly isLocal: boolean };

/** Why an endpoint gets no traffic. */
export type Reason =
  | { readonly kind: 'not-ready' }
  | { readonly kind: 'terminating-beside-ready' }
  | { readonly kind: 'terminating-not-serving' }
  /** The traffic policy is Local and the endpoint is on another node, or its node is not known. */
  | { readonly kind: 'not-local' }
  /** All endpoints have hints and some are meant for this zone (or node), but not this one. */
  | { readonly kind: 'other-zone'; readonly zones: readonly string[] }
  | { readonly kind: 'other-node'; readonly nodes: readonly string[] };

/** The endpoints that share a frontend's traffic, sorted by `ip:port` as text, and those left out. */
export type Pool = {
  readonly members: readonly Endpoint[];
  readonly excluded: readonly { readonly endpoint: Endpoint; readonly reason: Reason }[];
  /** Whether endpoints of the whole cluster or of this node alone were looked at. */
  readonly policy: TrafficPolicy;
  /** Seconds for which a client's new connections stay with its endpoint; 0: no affinity. */
  readonly affinitySeconds: number;
};

/** Whose source address is replaced by the node's on the way to the endpoint. */
export type Masquerade = 'all' | 'from-outside-the-pod-network' | 'none';

/** What happens to new connections at a frontend. */
export type Route =
  | { readonly kind: 'forward'; readonly pool: Pool; readonly masquerade: Masquerade }
  /**
   * externalTrafficPolicy Local: others reach the endpoints on this node with their own source address,
   * and are dropped where `pool` has no members; pods and this node itself reach all endpoints, in
   * `cluster`, this node masqueraded.
   */
  | { readonly kind: 'forward-local'; readonly pool: Pool; readonly cluster: Pool }
  /** Endpoints exist, but none that the policy allows here. */
  | { readonly kind: 'drop'; readonly pool: Pool }
  | { readonly kind: 'reject'; readonly pool: Pool };

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
};

/** What a load balancer that asks at spec.healthCheckNodePort is told. */
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

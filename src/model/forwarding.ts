// The decisions: which endpoints may answer for which Service address, and why. Pure data; every
// backend spells it, none decides again.
import type { Family, Ip } from './ip.ts';
import type { Protocol, ServiceKey } from './kubernetes.ts';

/** A place where traffic for a Service arrives: one address, protocol and port. */
export type FrontendAddress = {
  readonly ip: Ip;
  readonly protocol: Protocol;
  readonly port: number;
};

/** One usable endpoint: an address and a port in the pod network. */
export type Endpoint = { readonly ip: Ip; readonly port: number; readonly isLocal: boolean };

/** Why an endpoint gets no traffic. */
export type Reason =
  | { readonly kind: 'not-ready' }
  | { readonly kind: 'terminating-beside-ready' }
  | { readonly kind: 'terminating-not-serving' };

/** The endpoints that share a frontend's traffic, sorted by `ip:port` as text, and those left out. */
export type Pool = {
  readonly members: readonly Endpoint[];
  readonly excluded: readonly { readonly endpoint: Endpoint; readonly reason: Reason }[];
};

/** Whose source address is replaced by the node's on the way to the endpoint. */
export type Masquerade = 'all' | 'from-outside-the-pod-network' | 'none';

/** What happens to new connections at a frontend. */
export type Route =
  | { readonly kind: 'forward'; readonly pool: Pool; readonly masquerade: Masquerade }
  | { readonly kind: 'reject'; readonly pool: Pool };

/** One Service address with its decision. */
export type Frontend = {
  readonly kind: 'ClusterIP';
  readonly address: FrontendAddress;
  readonly service: ServiceKey;
  /** spec.ports[].name, or '' where the port has no name. */
  readonly portName: string;
  readonly route: Route;
};

/** What one Service means in one family. */
export type ServiceForwarding = {
  readonly service: ServiceKey;
  readonly family: Family;
  readonly frontends: readonly Frontend[];
};

/** The text that identifies a frontend, such as `tcp 10.96.0.1 80`. */
export function frontendId({ ip, protocol, port }: FrontendAddress): string {
  return `${protocol} ${ip} ${port}`;
}

/** `ip:port`, with brackets round an IPv6 address, as Kubernetes prints endpoints. */
export function hostPort(ip: Ip, port: number): string {
  return ip.includes(':') ? `[${ip}]:${port}` : `${ip}:${port}`;
}

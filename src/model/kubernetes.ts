// The Kubernetes objects, reduced to the fields that a Service proxy reads, already validated and
// completed with the API server's defaults. Made by cluster/decode; nothing here keeps raw API text.
import type { Cidr, Family, Ip } from './ip.ts';

declare const serviceKeyBrand: unique symbol;

/** `namespace/name` of a Service. */
export type ServiceKey = string & { readonly [serviceKeyBrand]: true };

/** Transport protocol in lower case, as netfilter spells it. */
export type Protocol = 'tcp' | 'udp' | 'sctp';

export type ServiceType = 'ClusterIP' | 'NodePort' | 'LoadBalancer' | 'ExternalName';
export type TrafficPolicy = 'Cluster' | 'Local';

/** One entry of spec.ports. Endpoints are matched to it by name and protocol, never by number. */
export type ServicePort = {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
};

/** A Service that has addresses for a proxy; headless and ExternalName ones never become one. */
export type Service = {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly name: string;
  /** metadata.creationTimestamp as it came (RFC 3339, sorts as text), or '' where there is none. */
  readonly createdAt: string;
  readonly type: ServiceType;
  /** spec.clusterIPs: at most one a family. */
  readonly clusterIps: readonly Ip[];
  readonly ports: readonly ServicePort[];
};

/** One address of a slice with its three conditions, defaults filled in as kube-proxy does. */
export type SliceEndpoint = {
  readonly ip: Ip;
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
};

/** One entry of a slice's ports. */
export type SlicePort = {
  readonly name: string;
  readonly protocol: Protocol;
  readonly port: number;
};

/** An EndpointSlice of one family that names its Service. */
export type EndpointSlice = {
  readonly namespace: string;
  readonly name: string;
  readonly service: ServiceKey;
  readonly family: Family;
  readonly ports: readonly SlicePort[];
  readonly endpoints: readonly SliceEndpoint[];
};

/** The fields read of a Node. */
export type Node = { readonly name: string; readonly podCidrs: readonly Cidr[] };

/** The fields read of a ServiceCIDR. */
export type ServiceCidr = { readonly name: string; readonly cidrs: readonly Cidr[] };

/** An object that a proxy reads, with the identity by which a later version replaces it. */
export type ClusterObject =
  | { readonly kind: 'Service'; readonly id: string; readonly value: Service }
  | { readonly kind: 'EndpointSlice'; readonly id: string; readonly value: EndpointSlice }
  | { readonly kind: 'Node'; readonly id: string; readonly value: Node }
  | { readonly kind: 'ServiceCIDR'; readonly id: string; readonly value: ServiceCidr };

/** What a source says happened: an object as it is now, or the identity of one that is gone. */
export type ClusterChange =
  | { readonly op: 'set'; readonly object: ClusterObject }
  | { readonly op: 'delete'; readonly kind: ClusterObject['kind']; readonly id: string };

/** The key of a Service, from a namespace and a name that were validated. */
export function serviceKey(namespace: string, name: string): ServiceKey {
  return `${namespace}/${name}` as ServiceKey;
}

/** How a Service port is named to people, as kube-proxy does: `namespace/name` or `namespace/name:port`. */
export function servicePortName(service: ServiceKey, portName: string): string {
  return portName === '' ? service : `${service}:${portName}`;
}

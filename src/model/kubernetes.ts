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
  /** 0 where the port has no node port. */
  readonly nodePort: number;
};

/** A Service that has addresses for a proxy; headless and ExternalName ones never become one. */
export type Service = {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly name: string;
  /** metadata.creationTimestamp in UTC, to the second (sorts as text), or '' where there is none. */
  readonly createdAt: string;
  readonly type: ServiceType;
  /** spec.clusterIPs: at most one a family. */
  readonly clusterIps: readonly Ip[];
  readonly ports: readonly ServicePort[];
  /** spec.externalIPs, of both families. */
  readonly externalIps: readonly Ip[];
  /** status.loadBalancer.ingress[].ip, where ipMode is VIP. */
  readonly loadBalancerIps: readonly Ip[];
  /** spec.loadBalancerSourceRanges, of both families. */
  readonly sourceRanges: readonly Cidr[];
  readonly internalTrafficPolicy: TrafficPolicy;
  /** Local only where the Service's type lets the outside reach it (kube-proxy's ExternalPolicyLocal). */
  readonly externalTrafficPolicy: TrafficPolicy;
  /** Seconds for which a client stays with its endpoint; 0 where sessionAffinity is not ClientIP. */
  readonly affinitySeconds: number;
  /** 0 unless a load balancer asks this node whether it has endpoints (type LoadBalancer, Local). */
  readonly healthCheckNodePort: number;
};

/** What a slice says of an endpoint besides its address: the same of very many. */
export type EndpointState = {
  readonly nodeName: string | undefined;
  readonly ready: boolean;
  readonly serving: boolean;
  readonly terminating: boolean;
  /** hints.forZones[].name; empty where there is no such hint. */
  readonly zoneHints: readonly string[];
  /** hints.forNodes[].name; empty where there is no such hint. */
  readonly nodeHints: readonly string[];
};

/** One address of a slice with its three conditions, defaults filled in as kube-proxy does. */
export type SliceEndpoint = { readonly ip: Ip; readonly state: EndpointState };

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
  /** When what led to this version happened, in milliseconds since the epoch, where that is known. */
  readonly triggeredAtMs?: number;
};

/** The fields read of a Node. */
export type Node = {
  readonly name: string;
  readonly podCidrs: readonly Cidr[];
  /**
   * The first of status.addresses (internal ones before external ones), then the first of the other
   * family: at most one a family (kube-proxy's GetNodeHostIPs).
   */
  readonly ips: readonly Ip[];
  /** Label topology.kubernetes.io/zone, or ''. */
  readonly zone: string;
  /** It is not being deleted, and the cluster autoscaler is not about to: load balancers may use it. */
  readonly isEligible: boolean;
};

/** The fields read of a ServiceCIDR. */
export type ServiceCidr = { readonly name: string; readonly cidrs: readonly Cidr[] };

/** Where this node reached the API server: no object of the cluster, but as much a fact of it as its Node. */
export type ApiServer = {
  readonly addresses: readonly { readonly ip: Ip; readonly port: number }[];
};

/** An object that a proxy reads, with the identity by which a later version replaces it. */
export type ClusterObject =
  | { readonly kind: 'Service'; readonly id: string; readonly value: Service }
  | { readonly kind: 'EndpointSlice'; readonly id: string; readonly value: EndpointSlice }
  | { readonly kind: 'Node'; readonly id: string; readonly value: Node }
  | { readonly kind: 'ServiceCIDR'; readonly id: string; readonly value: ServiceCidr }
  /** There is one; its id is ''. */
  | { readonly kind: 'APIServer'; readonly id: string; readonly value: ApiServer };

/** The kinds of objects that the API has, or a manifest. */
export type ReadKind = Exclude<ClusterObject['kind'], 'APIServer'>;

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

const label = '[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?';
const servicePortWord = new RegExp(`(?:^| )(${label}/${label})(?::([^ ]*))?(?: |$)`);

/** The Service port that a comment names as servicePortName does, whatever stands around it. */
export function servicePortNamed(
  comment: string,
): { readonly service: ServiceKey; readonly portName: string } | undefined {
  const [, service, portName = ''] = servicePortWord.exec(comment) ?? [];
  return service === undefined ? undefined : { service: service as ServiceKey, portName };
}

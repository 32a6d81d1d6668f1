// Services with their endpoints in a few words, as the Kubernetes objects that stand for them: as
// manifest text, and decoded.
import { stringify } from 'yaml';
import { decodeObject } from '../../src/cluster/decode/object.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';

/** A Service of namespace `default` with one port that has no name, or several that have. */
export type ServiceSpec = {
  readonly name: string;
  readonly ip: string;
  readonly protocol?: 'TCP' | 'UDP' | 'SCTP';
  /** 80 unless told: the first one. */
  readonly port?: number;
  /** How many ports it has; one unless told. */
  readonly ports?: number;
  /** Further fields of the Service's spec. */
  readonly spec?: object;
  /** Addresses of pods, each on node-2 unless it is among `local`. */
  readonly endpoints: readonly string[];
  /** Those of the endpoints that are on node-1. */
  readonly local?: readonly string[];
  /** 8080 unless told: that of the first port. */
  readonly endpointPort?: number;
  readonly createdAt?: string;
};

/** The Service and its one EndpointSlice. */
export function serviceObjects(spec: ServiceSpec): readonly [service: object, slice: object] {
  const { name, ip, protocol = 'TCP', port = 80, endpointPort = 8080, createdAt } = spec;
  const portsFrom = (first: number): readonly object[] =>
    Array.from({ length: spec.ports ?? 1 }, (_, index) => ({
      ...(spec.ports === undefined ? {} : { name: `port-${index}` }),
      port: first + index,
      protocol,
    }));
  const age = createdAt === undefined ? {} : { creationTimestamp: createdAt };
  const service = {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, ...age },
    spec: { clusterIP: ip, ports: portsFrom(port), ...spec.spec },
  };
  const slice = {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: { name: `${name}-1`, labels: { 'kubernetes.io/service-name': name } },
    addressType: ip.includes(':') ? 'IPv6' : 'IPv4',
    ports: portsFrom(endpointPort),
    endpoints: spec.endpoints.map((address) => ({
      addresses: [address],
      nodeName: spec.local?.includes(address) === true ? 'node-1' : 'node-2',
    })),
  };
  return [service, slice];
}

/** A manifest of these Services. */
export function manifestOf(services: readonly ServiceSpec[]): string {
  return services
    .flatMap(serviceObjects)
    .map((object) => stringify(object))
    .join('---\n');
}

/** The objects of these Services, decoded. */
export function clusterObjects(services: readonly ServiceSpec[]): readonly ClusterObject[] {
  return services.flatMap(serviceObjects).map((raw) => {
    const decoded = decodeObject(raw);
    if (decoded.kind === 'object') return decoded.object;
    throw new Error(`no object: ${JSON.stringify(decoded)}`);
  });
}

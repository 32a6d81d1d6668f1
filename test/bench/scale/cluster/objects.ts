// A cluster's Services as the API has them. Pure.
import type { KindName, RawObject } from '../../../cluster/stand-in/kinds.ts';
import {
  affinitySeconds,
  endpointIp,
  endpointIpV6,
  endpointNode,
  endpointsOf,
  nodeIp,
  nodeName,
  serviceRange,
  type BenchService,
} from './services.ts';

/** An object with its kind, as the API server's store takes it. */
export type StoredObject = { readonly kind: KindName; readonly object: RawObject };

/** All objects of a cluster, the Node first. */
export function* objectsOf(services: readonly BenchService[]): Generator<StoredObject> {
  yield { kind: 'Node', object: node };
  yield { kind: 'ServiceCIDR', object: serviceCidr };
  for (const service of services) {
    yield serviceObject(service);
    yield* slicesOf(service, endpointsOf(service));
  }
}

const node: RawObject = {
  metadata: {
    name: nodeName,
    labels: { 'kubernetes.io/hostname': nodeName, 'topology.kubernetes.io/zone': 'zone-a' },
  },
  spec: { podCIDR: '10.128.0.0/24', podCIDRs: ['10.128.0.0/24'] },
  status: { addresses: [{ type: 'InternalIP', address: nodeIp }] },
};

const serviceCidr: RawObject = {
  metadata: { name: 'kubernetes' },
  spec: { cidrs: [serviceRange, 'fd00:96::/108'] },
};

// As deployments have them: what a real object says beside what a proxy reads has its cost as well.
const managedFields = (manager: string): readonly object[] => [
  {
    manager,
    operation: 'Update',
    apiVersion: 'v1',
    time: '2026-01-01T00:00:00Z',
    fieldsType: 'FieldsV1',
    fieldsV1: {
      'f:metadata': { 'f:labels': { '.': {}, 'f:app': {} } },
      'f:spec': { 'f:ports': {} },
    },
  },
];

/** A Service. */
export function serviceObject(service: BenchService): StoredObject {
  const { index, name, namespace, type, clusterIps, loadBalancerIp } = service;
  const isDual = clusterIps.length > 1;
  const object = {
    metadata: {
      name,
      namespace,
      uid: uid(index, 1),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: name },
      managedFields: managedFields('kubectl'),
    },
    spec: {
      type,
      clusterIP: clusterIps[0],
      clusterIPs: clusterIps,
      internalTrafficPolicy: 'Cluster',
      ...(type === 'ClusterIP'
        ? {}
        : { externalTrafficPolicy: service.isLocal ? 'Local' : 'Cluster' }),
      ipFamilies: isDual ? ['IPv4', 'IPv6'] : ['IPv4'],
      ipFamilyPolicy: isDual ? 'RequireDualStack' : 'SingleStack',
      ports: service.ports,
      selector: { app: name },
      ...affinityOf(service),
    },
    status: {
      loadBalancer:
        loadBalancerIp === undefined ? {} : { ingress: [{ ip: loadBalancerIp, ipMode: 'VIP' }] },
    },
  };
  return { kind: 'Service', object };
}

function affinityOf({ hasAffinity }: BenchService): object {
  if (!hasAffinity) return { sessionAffinity: 'None' };
  const clientIP = { timeoutSeconds: affinitySeconds };
  return { sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP } };
}

/** As many as the API server's own controller puts into one slice. */
export const endpointsInSlice = 100;

/** The slices of a Service with these endpoints, in each of its families. */
export function* slicesOf(
  service: BenchService,
  endpoints: readonly number[],
): Generator<StoredObject> {
  const families = ['IPv4', 'IPv6'] as const;
  for (const family of families.slice(0, service.clusterIps.length)) {
    for (let at = 0; at < endpoints.length; at += endpointsInSlice) {
      const some = endpoints.slice(at, at + endpointsInSlice);
      yield sliceObject({ service, family, at, some });
    }
  }
}

/** What a slice is made of. */
export type Slice = {
  readonly service: BenchService;
  readonly family: 'IPv4' | 'IPv6';
  /** Which of the Service's endpoints is the first in it. */
  readonly at: number;
  readonly some: readonly number[];
};

/** One slice. */
export function sliceObject({ service, family, at, some }: Slice): StoredObject {
  const { index, name, namespace, ports } = service;
  const ip = family === 'IPv4' ? endpointIp : endpointIpV6;
  const object = {
    metadata: {
      name: `${name}-${family.toLowerCase()}-${at}`,
      namespace,
      uid: uid(index, at * 2 + (family === 'IPv4' ? 2 : 3)),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app: name, 'kubernetes.io/service-name': name },
      managedFields: managedFields('kube-controller-manager'),
    },
    addressType: family,
    ports: ports.map((port) => ({
      name: port.name,
      port: port.targetPort,
      protocol: port.protocol,
    })),
    endpoints: some.map((number, n) => ({
      addresses: [ip(number)],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: endpointNode(service, at + n),
      targetRef: { kind: 'Pod', name: `${name}-${at + n}`, namespace, uid: uid(index, 4 + at + n) },
      zone: 'zone-b',
    })),
  };
  return { kind: 'EndpointSlice', object };
}

function uid(index: number, part: number): string {
  return `00000000-0000-4000-8000-${(index * 4096 + part).toString(16).padStart(12, '0')}`;
}

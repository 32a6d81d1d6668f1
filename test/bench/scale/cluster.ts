// A cluster of a given size as the API has it: Services with five endpoints each, and a few that get
// endpoints while they are watched. What is drawn by lot in a real one follows from the number here.
import type { KindName, RawObject } from '../../cluster/stand-in/kinds.ts';

/** An object with its kind, as the API server's store takes it. */
export type StoredObject = { readonly kind: KindName; readonly object: RawObject };

/** A Service whose endpoints come and go. */
export type Probe = { readonly index: number; readonly ip: string };

/** How many endpoints each Service has. */
export const endpointsEach = 5;
export const servicePort = 80;
export const endpointPort = 8080;
/** What counts as pods' own addresses. */
export const podRange = '10.128.0.0/9';
export const serviceRange = '10.96.0.0/12';
export const nodeName = 'node-1';

/** All Services are in it. */
export const namespace = 'bench';
const mostProbes = 50;
// Where the endpoints of probes are: no other Service has any there.
const probePods = 255;

/** How many of so many Services are probes. */
export function probeCount(services: number): number {
  return Math.min(mostProbes, Math.floor(services / 10));
}

/** The Services whose endpoints come and go: the last ones, and they have none at first. */
export function probesOf(services: number): readonly Probe[] {
  return Array.from({ length: probeCount(services) }, (_, n) => {
    const index = services - probeCount(services) + n;
    return { index, ip: clusterIp(index) };
  });
}

/** The address of a Service. */
export function clusterIp(index: number): string {
  const place = index + 257;
  return `10.${96 + (place >> 16)}.${(place >> 8) & 255}.${place & 255}`;
}

/** The endpoints that a Service has unless told otherwise. */
export function endpointsOf(index: number): readonly string[] {
  return Array.from({ length: endpointsEach }, (_, n) => {
    const place = index * endpointsEach + n + 257;
    return `10.${128 + (place >> 16)}.${(place >> 8) & 255}.${place & 255}`;
  });
}

/** An endpoint that a probe gets the n-th time; it did not have it the times before. */
export function probeEndpoint({ index }: Probe, n: number): string {
  return `10.${probePods}.${(index + 7 * n) & 255}.${(n % 250) + 1}`;
}

/** All objects of the cluster, the Node first. */
export function* clusterObjects(services: number): Generator<StoredObject> {
  yield { kind: 'Node', object: node };
  yield { kind: 'ServiceCIDR', object: serviceCidr };
  const withEndpoints = services - probeCount(services);
  for (let index = 0; index < services; index += 1) {
    yield serviceObject(index);
    yield sliceObject(index, index < withEndpoints ? endpointsOf(index) : []);
  }
}

/** A manifest of a cluster, as `kubectl get -o json` or `-o yaml` gives it. */
export function manifestText(services: number, form: 'json' | 'yaml'): string {
  const items = [...clusterObjects(services)].map(({ kind, object }) =>
    Object.assign({ apiVersion: apiVersions[kind], kind }, object),
  );
  if (form === 'json') return `{"apiVersion":"v1","kind":"List","items":[${jsonLines(items)}]}\n`;
  return items.map((item) => `---\n${yamlOf(item, '')}`).join('');
}

const apiVersions: Readonly<Record<KindName, string>> = {
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
  Node: 'v1',
  ServiceCIDR: 'networking.k8s.io/v1',
};

function jsonLines(items: readonly object[]): string {
  return items.map((item) => JSON.stringify(item)).join(',\n');
}

// In block style, as all tools write it; a library takes minutes to write as much.
function yamlOf(value: object, indent: string): string {
  return Object.entries(value)
    .map(([key, field]) => `${indent}${key}:${yamlValue(field, indent)}`)
    .join('');
}

function yamlValue(value: unknown, indent: string): string {
  if (typeof value !== 'object' || value === null) return ` ${JSON.stringify(value)}\n`;
  if (!Array.isArray(value)) return `\n${yamlOf(value, `${indent}  `)}`;
  if (value.length === 0) return ' []\n';
  const entries = value.map((entry: unknown) =>
    typeof entry === 'object' && entry !== null
      ? `${indent}- ${yamlOf(entry, `${indent}  `).trimStart()}`
      : `${indent}- ${JSON.stringify(entry)}\n`,
  );
  return `\n${entries.join('')}`;
}

const node: RawObject = {
  metadata: { name: nodeName, labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  spec: { podCIDR: '10.244.0.0/24', podCIDRs: ['10.244.0.0/24'] },
  status: { addresses: [{ type: 'InternalIP', address: '192.0.2.1' }] },
};

const serviceCidr: RawObject = {
  metadata: { name: 'kubernetes' },
  spec: { cidrs: [serviceRange] },
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

function serviceObject(index: number): StoredObject {
  const app = `web-${index}`;
  const object = {
    metadata: {
      name: app,
      namespace,
      uid: uid(index, 1),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app },
      managedFields: managedFields('kubectl'),
    },
    spec: {
      type: 'ClusterIP',
      clusterIP: clusterIp(index),
      clusterIPs: [clusterIp(index)],
      internalTrafficPolicy: 'Cluster',
      ipFamilies: ['IPv4'],
      ipFamilyPolicy: 'SingleStack',
      ports: [{ name: 'http', port: servicePort, protocol: 'TCP', targetPort: endpointPort }],
      selector: { app },
      sessionAffinity: 'None',
    },
    status: { loadBalancer: {} },
  };
  return { kind: 'Service', object };
}

/** The slice of a Service with these endpoints. */
export function sliceObject(index: number, endpoints: readonly string[]): StoredObject {
  const app = `web-${index}`;
  const object = {
    metadata: {
      name: `${app}-a`,
      namespace,
      uid: uid(index, 2),
      creationTimestamp: '2026-01-01T00:00:00Z',
      labels: { app, 'kubernetes.io/service-name': app },
      managedFields: managedFields('kube-controller-manager'),
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: endpointPort, protocol: 'TCP' }],
    endpoints: endpoints.map((address, n) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: `node-${2 + ((index + n) % 50)}`,
      targetRef: { kind: 'Pod', name: `${app}-${n}`, namespace, uid: uid(index, 3 + n) },
      zone: 'zone-b',
    })),
  };
  return { kind: 'EndpointSlice', object };
}

function uid(index: number, part: number): string {
  return `00000000-0000-4000-8000-${(index * 16 + part).toString(16).padStart(12, '0')}`;
}

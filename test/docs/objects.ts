// The objects that the examples of the documents are about.
import { stringify } from 'yaml';

type Port = { readonly name?: string; readonly port: number; readonly protocol?: string };
type Endpoint = { readonly ip: string; readonly node: 'node-1' | 'node-2' };

function metadata(key: string, labels?: object) {
  const [namespace, name] = key.split('/');
  return { namespace, name, ...(labels === undefined ? {} : { labels }) };
}

function service(key: string, spec: object, address?: string): object {
  const ingress = address === undefined ? {} : { loadBalancer: { ingress: [{ ip: address }] } };
  return { apiVersion: 'v1', kind: 'Service', metadata: metadata(key), spec, status: ingress };
}

function slice(key: string, port: Port, endpoints: readonly Endpoint[]): object {
  const [, name] = key.split('/');
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: metadata(`${key}-1`, { 'kubernetes.io/service-name': name }),
    addressType: 'IPv4',
    ports: [port],
    endpoints: endpoints.map(({ ip, node }) => ({ addresses: [ip], nodeName: node })),
  };
}

// The Node that runs the commands.
const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1' },
  spec: { podCIDRs: ['10.244.1.0/24'] },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.10.11' }] },
};

function manifest(...objects: readonly object[]): string {
  return [node, ...objects].map((object) => stringify(object)).join('---\n');
}

const http = { name: 'http', port: 80, targetPort: 8080 };
const httpEndpoints = { name: 'http', port: 8080 };
const on2 = (ip: string): Endpoint => ({ ip, node: 'node-2' });

function dns(...ips: readonly string[]): readonly object[] {
  const port = { name: 'dns', port: 53, targetPort: 5353, protocol: 'UDP' };
  const behind = { name: 'dns', port: 5353, protocol: 'UDP' };
  return [
    service('kube-system/dns', { clusterIP: '10.96.0.53', ports: [port] }),
    slice('kube-system/dns', behind, ips.map(on2)),
  ];
}

function shopWeb(nodePort: number, ...ips: readonly string[]): readonly object[] {
  const spec = { type: 'NodePort', clusterIP: '10.96.0.10', ports: [{ ...http, nodePort }] };
  return [service('shop/web', spec), slice('shop/web', httpEndpoints, ips.map(on2))];
}

/** The shop before an edit, and after it. */
export const shop = {
  before: manifest(
    service('shop/old', { clusterIP: '10.96.0.77', ports: [{ port: 80 }] }),
    ...dns('10.244.1.53', '10.244.2.53'),
    ...shopWeb(30_080, '10.244.1.11', '10.244.1.12', '10.244.2.13'),
  ),
  after: manifest(
    ...dns('10.244.1.53'),
    ...shopWeb(30_081, '10.244.1.11', '10.244.1.12'),
    service('shop/new', { clusterIP: '10.96.0.78', ports: [http] }),
    slice('shop/new', httpEndpoints, [on2('10.244.2.14')]),
  ),
};

/** A load balancer with policy Local. */
export const local = manifest(
  service(
    'demo/web',
    {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.10',
      externalTrafficPolicy: 'Local',
      allocateLoadBalancerNodePorts: false,
      ports: [http],
    },
    '192.0.2.10',
  ),
  slice('demo/web', httpEndpoints, [{ ip: '10.244.1.11', node: 'node-1' }, on2('10.244.2.11')]),
);

/** A Service of two endpoints. */
export const two = manifest(
  service('demo/web', { clusterIP: '10.96.0.10', ports: [http] }),
  slice('demo/web', httpEndpoints, [on2('10.244.2.11'), on2('10.244.2.12')]),
);

// One Service with every kind of address and its endpoints, and short questions about it. L is an
// endpoint on this node, R one on another.
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import type { Stand } from './packets.ts';
import { answersTo, decodeAll } from './packets.ts';

/** An endpoint on node-1, and one on node-2. */
export const [L, R] = ['10.244.1.11', '10.244.2.11'];
/** Who asks, in the words of packets.ts. */
export const clients = {
  pod: 'pod 10.244.1.13',
  node: 'node 192.168.10.11',
  localhost: 'node 127.0.0.1',
  outside: 'outside 192.168.10.99',
} as const;
/** What is asked. */
export const targets = {
  clusterIP: 'tcp 10.96.0.10 80',
  nodePort: 'tcp 192.168.10.11 30080',
  vip: 'tcp 192.0.2.10 80',
  externalIP: 'tcp 203.0.113.5 80',
} as const;

/** An entry of the slice; on the node that its address says, unless one is named. */
export type Endpoint = {
  readonly ip: string;
  readonly node?: string;
  readonly conditions?: object;
};

/** The node that all is seen from. */
export const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
  spec: { podCIDRs: ['10.244.1.0/24'] },
  status: { addresses: [{ type: 'InternalIP', address: '192.168.10.11' }] },
};

/** The Service: of every kind of address, with changes of its spec. */
export function service(
  spec: object = {},
  ingress: readonly object[] = [{ ip: '192.0.2.10' }],
): object {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'demo' },
    spec: {
      type: 'LoadBalancer',
      clusterIP: '10.96.0.10',
      externalIPs: ['203.0.113.5'],
      ports: [{ name: 'http', port: 80, nodePort: 30080 }],
      ...spec,
    },
    status: { loadBalancer: { ingress } },
  };
}

/** Its slice. */
export function slice(endpoints: readonly Endpoint[]): object {
  return {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'web-1',
      namespace: 'demo',
      labels: { 'kubernetes.io/service-name': 'web' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'http', port: 8080 }],
    endpoints: endpoints.map(({ ip, node: nodeName, conditions }) => ({
      addresses: [ip],
      nodeName: nodeName ?? (ip.startsWith('10.244.1.') ? 'node-1' : 'node-2'),
      ...(conditions && { conditions }),
    })),
  };
}

/** One endpoint here, one elsewhere. */
export const both = [{ ip: L }, { ip: R }];
/** Conditions of an endpoint that ends but still serves. */
export const terminating = { ready: false, serving: true, terminating: true };
/** Conditions of an endpoint that ends and serves no more. */
export const unusable = { ready: false, serving: false, terminating: true };

/** Endpoints as `L R`, and ` m` where masqueraded; a verdict as it is. */
export function short(answers: readonly string[]): string {
  const names = answers.map((answer) => {
    const ip = /(\S+):8080/.exec(answer)?.[1];
    return { [L]: 'L', [R]: 'R' }[ip ?? ''] ?? ip ?? answer;
  });
  const masqueraded = answers.filter((answer) => answer.endsWith(' masqueraded')).length;
  if (masqueraded !== 0 && masqueraded !== answers.length) return answers.join();
  return names.join(' ') + (masqueraded > 0 ? ' m' : '');
}

/** Asks about the Service and slice of `stand`, or the plain ones; localhost asks at 127.0.0.1. */
export function ask(
  stand: Partial<Stand> & Pick<Stand, 'mode'>,
  client: keyof typeof clients,
  target: keyof typeof targets,
): string {
  const objects = stand.objects ?? decodeAll([node, service(), slice(both)]);
  const to = client === 'localhost' ? 'tcp 127.0.0.1 30080' : targets[target];
  return short(answersTo({ ...stand, objects }, clients[client], to));
}

/** The objects of a Service with such a spec and endpoints. */
export function standOf(
  spec: object,
  endpoints: readonly Endpoint[] = both,
): { readonly objects: readonly ClusterObject[] } {
  return { objects: decodeAll([node, service(spec), slice(endpoints)]) };
}

// Objects for the stand-in, in a few words.
import type { RawObject } from './stand-in/kinds.ts';

/** A Service of namespace `default`; `port` tells its versions apart. */
export function rawService(name: string, port = 80, extra: object = {}): RawObject {
  return {
    metadata: { name, namespace: 'default', creationTimestamp: '2026-11-20T13:09:49Z' },
    spec: {
      ports: [{ name: 'http', protocol: 'TCP', port, targetPort: 8080 }],
      clusterIP: '10.96.20.1',
      clusterIPs: ['10.96.20.1'],
      type: 'ClusterIP',
      ...extra,
    },
    status: { loadBalancer: {} },
  };
}

/** A slice of that Service. */
export function rawSlice(service: string, addresses: readonly string[]): RawObject {
  return {
    metadata: {
      name: `${service}-1`,
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': service },
    },
    addressType: 'IPv4',
    endpoints: addresses.map((address) => ({
      addresses: [address],
      conditions: { ready: true, serving: true, terminating: false },
      nodeName: 'node-1',
    })),
    ports: [{ name: 'http', protocol: 'TCP', port: 8080 }],
  };
}

/** A Node with an address, unless told that it has none. */
export function rawNode(name: string, addresses: readonly string[] = ['192.168.10.11']): RawObject {
  return {
    metadata: { name, labels: { 'topology.kubernetes.io/zone': 'zone-a' } },
    spec: { podCIDR: '10.244.1.0/24', podCIDRs: ['10.244.1.0/24'] },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  };
}

/** The ranges of Service addresses. */
export const rawServiceCidr: RawObject = {
  metadata: { name: 'kubernetes' },
  spec: { cidrs: ['10.96.0.0/12'] },
};

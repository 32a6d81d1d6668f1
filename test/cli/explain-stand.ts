// A node with Services to explain, and a client on its LAN.
import { networkNamespace, type NetworkNamespace } from '../support/network-namespace.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { apply, standWith, type Stand } from './stand.ts';

/** One Service with an endpoint, one without, a headless one, and one of UDP over IPv6. */
export const manifest = `
apiVersion: v1
kind: Service
metadata: { name: shop, namespace: web }
spec: { clusterIP: 10.96.0.10, ports: [{ name: http, port: 80 }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: shop-1, namespace: web, labels: { kubernetes.io/service-name: shop } }
addressType: IPv4
ports: [{ name: http, port: 8080 }]
endpoints:
  - { addresses: [10.244.2.11], nodeName: node-2, targetRef: { kind: Pod, name: shop-a } }
  - { addresses: [10.244.2.12], nodeName: node-2, conditions: { ready: false } }
---
apiVersion: v1
kind: Service
metadata: { name: idle, namespace: web }
spec: { clusterIP: 10.96.0.30, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: db, namespace: web }
spec: { clusterIP: None }
---
apiVersion: v1
kind: Service
metadata: { name: dns, namespace: web }
spec: { clusterIP: "fd00:96::53", ports: [{ port: 53, protocol: UDP }] }
---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: dns-1, namespace: web, labels: { kubernetes.io/service-name: dns } }
addressType: IPv6
ports: [{ port: 5353, protocol: UDP }]
endpoints: [{ addresses: ["fd00:244:2::53"], nodeName: node-2 }]
`;

const nodeScript = `
  sysctl -qw net.ipv4.ip_forward=1 net.ipv4.conf.all.rp_filter=0
  ip link set lo up
  ip addr add 192.168.10.11/24 dev eth0
  ip addr add fd00:10::11/64 dev eth0 nodad
  ip link set eth0 up
  ip route add default via 192.168.10.99
  ip -6 route add default via fd00:10::99`;
const clientScript = `
  ip addr add 192.168.10.99/24 dev eth0
  ip addr add fd00:10::99/64 dev eth0 nodad
  ip link set eth0 up
  ip route add default via 192.168.10.11`;

/** A node with the rules of the manifest, and a client on its LAN, to which all its routes lead. */
export async function nodeWithRules(
  mode: ProxyMode,
  before: readonly string[] = [],
): Promise<{ stand: Stand; client: NetworkNamespace }> {
  const stand = await standWith(mode, manifest);
  const client = await networkNamespace();
  const peer = ['peer', 'name', 'eth0', 'netns', client.name];
  await stand.exec('ip', ['link', 'add', 'eth0', 'type', 'veth', ...peer]);
  await stand.exec('sh', ['-ec', nodeScript]);
  await client.exec('sh', ['-ec', clientScript]);
  const [file, ...args] = before;
  if (file !== undefined) await stand.exec(file, args);
  await apply(stand, mode, manifest);
  return { stand, client };
}

// The two words of a question, and the packet that they mean.
import { expect, test } from 'vitest';
import { decodeAsides } from '../../../src/cluster/decode/aside.ts';
import { questionOf } from '../../../src/explain/question.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { configFor } from '../../support/config.ts';
import { decodeAll } from '../../support/packets.ts';

const node = {
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'node-1' },
  spec: { podCIDRs: ['10.244.1.0/24'] },
  status: {
    addresses: [
      { type: 'InternalIP', address: '192.168.10.11' },
      { type: 'InternalIP', address: 'fd00:10::11' },
    ],
  },
};
const service = (name: string, spec: object): object => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, namespace: 'web' },
  spec,
});
const http = { name: 'http', port: 80 };
const objects = decodeAll([
  node,
  service('shop', {
    clusterIPs: ['10.96.0.10', 'fd00:96::10'],
    clusterIP: '10.96.0.10',
    ports: [http],
  }),
  service('many', { clusterIP: '10.96.0.11', ports: [http, { name: 'admin', port: 9000 }] }),
  service('dns', {
    clusterIP: '10.96.0.53',
    ports: [
      { name: 'dns', port: 53, protocol: 'UDP' },
      { name: 'dns-tcp', port: 53, protocol: 'TCP' },
    ],
  }),
]);
const asides = [
  {
    kind: 'EndpointSlice',
    metadata: {
      name: 'shop-1',
      namespace: 'web',
      labels: { 'kubernetes.io/service-name': 'shop' },
    },
    endpoints: [
      {
        addresses: ['10.244.2.13'],
        nodeName: 'node-2',
        targetRef: { kind: 'Pod', name: 'shop-a' },
      },
      {
        addresses: ['fd00:244:2::13'],
        targetRef: { kind: 'Pod', name: 'shop-a', namespace: 'web' },
      },
    ],
  },
  {
    kind: 'Pod',
    metadata: { name: 'client' },
    status: { podIP: '10.244.1.20' },
    spec: { nodeName: 'node-1' },
  },
  service('db', { clusterIP: 'None' }),
  service('mail', { type: 'ExternalName', externalName: 'mail.example.org' }),
  service('late', { type: 'LoadBalancer' }),
].flatMap(decodeAsides);
const hostIps = ['192.168.10.11', 'fd00:10::11', '127.0.0.1', '::1'] as Ip[];

function asked(from: string, to: string, flags: readonly string[] = []): string {
  const config = configFor('nftables', flags);
  const question = questionOf(from, to, { objects, asides, config, hostIps });
  if (question.kind === 'no-address') return `${question.aside.service} ${question.aside.why}`;
  const { origin, interface: by, source, protocol, destination, port } = question.packet;
  return [origin, by, source, protocol, destination, port].filter((word) => word !== '').join(' ');
}

test.each([
  ['node', '10.96.0.10:80', 'node 192.168.10.11 tcp 10.96.0.10 80'],
  ['node', '[fd00:96::10]:80/udp', 'node fd00:10::11 udp fd00:96::10 80'],
  ['node', '127.0.0.1:30080', 'node 127.0.0.1 tcp 127.0.0.1 30080'],
  ['192.168.10.11', 'web/shop', 'node 192.168.10.11 tcp 10.96.0.10 80'],
  ['outside', 'node:30080', 'elsewhere outside 198.51.100.1 tcp 192.168.10.11 30080'],
  ['outside', 'node:30080/SCTP', 'elsewhere outside 198.51.100.1 sctp 192.168.10.11 30080'],
  ['fd00:10::99', 'node:30080', 'elsewhere outside fd00:10::99 tcp fd00:10::11 30080'],
  ['web/shop-a', 'web/many:admin', 'elsewhere outside 10.244.2.13 tcp 10.96.0.11 9000'],
  ['web/shop-a', '[fd00:96::10]:80', 'elsewhere outside fd00:244:2::13 tcp fd00:96::10 80'],
  ['default/client', 'web/many:80', 'elsewhere pod 10.244.1.20 tcp 10.96.0.11 80'],
  ['10.244.1.77', 'web/dns:53', 'elsewhere pod 10.244.1.77 tcp 10.96.0.53 53'],
  ['10.244.1.77', 'web/dns/udp', 'elsewhere pod 10.244.1.77 udp 10.96.0.53 53'],
  ['[fd00:244:1::7]', 'web/shop:http', 'elsewhere outside fd00:244:1::7 tcp fd00:96::10 80'],
  // What it does not have can be asked for all the same.
  ['node', 'web/shop:81', 'node 192.168.10.11 tcp 10.96.0.10 81'],
  ['node', 'web/db:5432', 'web/db headless'],
  ['node', 'web/mail', 'web/mail external-name'],
  ['node', 'web/late:80', 'web/late no-address'],
])('from %s to %s', (from, to, expected) => expect(asked(from, to)).toBe(expected));

test('pods come in by the interfaces that they are told by', () => {
  const bridge = ['--detect-local-mode', 'BridgeInterface', '--pod-bridge-interface', 'cbr0'];
  expect(asked('10.244.1.7', '10.96.0.10:80', bridge)).toBe(
    'elsewhere cbr0 10.244.1.7 tcp 10.96.0.10 80',
  );
  const prefix = [
    '--detect-local-mode',
    'InterfaceNamePrefix',
    '--pod-interface-name-prefix',
    'veth',
  ];
  expect(asked('10.244.1.7', '10.96.0.10:80', prefix)).toBe(
    'elsewhere veth0 10.244.1.7 tcp 10.96.0.10 80',
  );
});

test.each([
  ['node', 'fd00:96::10:80', 'write an IPv6 address in brackets, as [fd00::1]:80'],
  ['node', '10.96.0.10', 'TO "10.96.0.10": a port is missing: 1 to 65535'],
  ['node', '10.96.0.10:http', 'TO "10.96.0.10": "http" is no port number: 1 to 65535'],
  ['node', '10.96.0.10:65536', 'TO "10.96.0.10": "65536" is no port number: 1 to 65535'],
  ['node', 'shop:80', 'TO "shop" is no address, no namespace/name of a Service, and not node'],
  ['node', 'web/none', 'Service "web/none" is not known'],
  ['node', 'web/many', 'Service web/many has several ports: name one of http/tcp, admin/tcp'],
  ['node', 'web/many:web', 'Service web/many has no port "web", but http/tcp, admin/tcp'],
  ['fd00::1', 'web/many:80', 'Service web/many has no IPv6 address (spec.clusterIPs)'],
  ['fd00::1', '10.96.0.10:80', 'fd00::1 and 10.96.0.10 are not of one family'],
  [
    'web/nobody',
    '10.96.0.10:80',
    "no endpoint or Pod of that name is known here; name the pod's address",
  ],
  [
    'mars',
    '10.96.0.10:80',
    'FROM "mars" is no pod (namespace/name), no address, not node and not outside',
  ],
  ['\u001B[31m', '10.96.0.10:80', 'FROM "\\u001b[31m" is no pod'],
])('from %s to %s is refused', (from, to, message) => {
  expect(() => asked(from, to)).toThrow(message);
});

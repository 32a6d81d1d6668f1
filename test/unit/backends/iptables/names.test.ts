import { expect, test } from 'vitest';
import {
  branchChainName,
  endpointChainName,
  endpointComments,
  serviceChainName,
} from '../../../../src/backends/iptables/names.ts';
import type { Protocol, ServiceKey } from '../../../../src/model/kubernetes.ts';
import { ip } from './fixture.ts';

const port = (service: string, portName: string, protocol: Protocol) => ({
  service: service as ServiceKey,
  portName,
  protocol,
});

// What kube-proxy names these chains on every node of every cluster.
test.each([
  ['ns1/svc1', 'p80', 'tcp', 'KUBE-SVC-XPGD46QRK7WJZT7O'],
  ['ns1/svc1', '', 'tcp', 'KUBE-SVC-AQI2S6QIMU7PVVRP'],
  ['default/kubernetes', 'https', 'tcp', 'KUBE-SVC-NPX46M4PTMTKRN6Y'],
  ['kube-system/kube-dns', 'dns', 'udp', 'KUBE-SVC-TCOU7JCQXEZGVUNU'],
  ['kube-system/kube-dns', 'dns-tcp', 'tcp', 'KUBE-SVC-ERIFXISQEP7F7OF4'],
] as const)('the chain of %s:%s/%s is %s', (service, portName, protocol, name) => {
  expect(serviceChainName('KUBE-SVC', port(service, portName, protocol))).toBe(name);
});

// As kube-proxy named them in test/fixtures/kube-proxy.
test.each([
  ['KUBE-SVL', 'conf/lbl', 'KUBE-SVL-BOJ3KUDRNTTUM2SY'],
  ['KUBE-EXT', 'conf/lbl', 'KUBE-EXT-BOJ3KUDRNTTUM2SY'],
  ['KUBE-FW', 'conf/lbs', 'KUBE-FW-URE4RY24KRDS6GVH'],
] as const)('the %s chain of %s:http/tcp is %s', (prefix, service, name) => {
  expect(serviceChainName(prefix, port(service, 'http', 'tcp'))).toBe(name);
});

test.each([
  ['10.180.0.1', 'KUBE-SEP-SXIVWICOYRO3J4NJ'],
  ['fd00:10:180::1', 'KUBE-SEP-OGYCNMB4EMRUSJ6N'],
])('the chain of endpoint %s is %s', (address, name) => {
  const endpoint = { ip: ip(address), port: 80, isLocal: false };
  expect(endpointChainName(port('ns1/svc1', 'p80', 'tcp'), endpoint)).toBe(name);
});

test('a branch is named by its digits while they fit, then by their hash', () => {
  expect(branchChainName('KUBE-SVCS', '0a60')).toBe('KUBE-SVCS-0A60');
  expect(branchChainName('KUBE-SVCS', 'fd0000960000000')).toBe('KUBE-SVCS-FD0000960000000');
  expect(branchChainName('KUBE-SVCS', 'fd00009600000000')).toBe('KUBE-SVCS-ECH6COVLSQ3UF4TW');
  expect(branchChainName('KUBE-SVCS', 'f'.repeat(32))).toHaveLength(26);
});

test.each([
  ['web/shop', 'http', '10.0.0.1:8080', 'web/shop:http -> 10.0.0.1:8080'],
  ['web/shop', '', '[fd00::1]:8080', 'web/shop -> [fd00::1]:8080'],
])(
  'what leads to an endpoint of %s:%s says so, and is read back',
  (service, name, endpoint, text) => {
    const said = { service: service as ServiceKey, portName: name, endpoint };
    expect(endpointComments.write(said)).toBe(text);
    expect(endpointComments.read(text)).toEqual(said);
    expect(endpointComments.read(`${service} cluster IP`)).toBeUndefined();
  },
);

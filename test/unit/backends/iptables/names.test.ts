import { describe, expect, test } from 'vitest';
import {
  branchChainName,
  builtInChains,
  endpointChainName,
  endpointComments,
  fixedChains,
  isBranchChain,
  isOurChain,
  kubeletChains,
  kubeletFirewall,
  ourLines,
  portPrefixOf,
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

describe('every name is read back', () => {
  const web = port('web/shop', 'http', 'tcp');
  const endpoint = { ip: ip('10.0.0.1'), port: 80, isLocal: false };
  /** Each kind of chain: its name, the tables that it may be in, its prefix, and whether it is a branch. */
  const kinds: readonly (readonly [string, string, string | undefined, boolean])[] = [
    ...(['KUBE-SVC', 'KUBE-SVL', 'KUBE-EXT', 'KUBE-FW'] as const).map(
      (prefix) => [serviceChainName(prefix, web), 'nat', prefix, false] as const,
    ),
    [endpointChainName(web, endpoint), 'nat', 'KUBE-SEP', false],
    ['KUBE-XLB-BOJ3KUDRNTTUM2SY', 'nat', 'KUBE-XLB', false],
    ...['0a60', 'f'.repeat(15), 'f'.repeat(32)].flatMap((digits) => [
      [branchChainName('KUBE-SVCS', digits), 'filter nat', undefined, true] as const,
      [branchChainName('KUBE-NPS', digits), 'filter nat', undefined, true] as const,
      [branchChainName('KUBE-EXTS', digits), 'filter', undefined, true] as const,
      [branchChainName('KUBE-ENPS', digits), 'filter', undefined, true] as const,
      [branchChainName('KUBE-FWS', digits), 'filter', undefined, true] as const,
    ]),
    [fixedChains.services, 'filter nat', undefined, false],
    [fixedChains.nodePorts, 'filter nat', undefined, false],
    [fixedChains.externalServices, 'filter', undefined, false],
    [fixedChains.externalNodePorts, 'filter', undefined, false],
    [fixedChains.proxyFirewall, 'filter', undefined, false],
    [fixedChains.postrouting, 'nat', undefined, false],
    [fixedChains.markMasquerade, 'nat', undefined, false],
    [fixedChains.forward, 'filter', undefined, false],
    [fixedChains.canary, 'filter nat mangle', undefined, false],
    [fixedChains.proxyCanary, 'filter nat mangle', undefined, false],
  ];

  test.each(kinds)('%s', (name, tables, prefix, isBranch) => {
    const found = (['filter', 'nat', 'mangle'] as const).filter((table) => isOurChain(table, name));
    expect([found.join(' '), portPrefixOf(name), isBranchChain(name)]).toEqual([
      tables,
      prefix,
      isBranch,
    ]);
    expect(name.length).toBeLessThanOrEqual(28);
    const isFound = linesOf(name).map((line) => new RegExp(ourLines).test(line));
    expect(isFound).toEqual([true, true, true, true]);
  });

  test('those of others are not ours', () => {
    const others = [
      ...builtInChains,
      ...kubeletChains,
      kubeletFirewall,
      'KUBE-SERVICES-X',
      'KUBE-SVC',
      'KUBE-SVC-lower',
      'KUBE-ROUTER-INPUT',
      'KUBE-POD-FW-BOJ3KUDRNTTUM2SY',
      'X-KUBE-SVC-BOJ3KUDRNTTUM2SY',
      'constructor-1',
      '',
    ];
    const found = others.filter(
      (name) =>
        isOurChain('nat', name) ||
        isOurChain('filter', name) ||
        isBranchChain(name) ||
        linesOf(name).some((line) => new RegExp(ourLines).test(line)),
    );
    expect(found).toEqual([]);
  });
});

/** Lines of iptables-save that name a chain: its declaration, a rule of it, and rules that lead to it. */
function linesOf(chain: string): readonly string[] {
  return [
    `:${chain} - [0:0]`,
    `-A ${chain} -j RETURN`,
    `-A OUTPUT -j ${chain}`,
    `-A X -g ${chain}`,
  ];
}

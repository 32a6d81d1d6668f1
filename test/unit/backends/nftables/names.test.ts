// Names of chains and sets: the same as kube-proxy's where it has them, and always ones that nft takes.
import { expect, test } from 'vitest';
import {
  affinitySetName,
  endpointChainName,
  entryChainName,
  policyChainName,
  portNames,
  sharedChainName,
} from '../../../../src/backends/nftables/names.ts';
import {
  balanceChains,
  endpointsMap,
  endpointsMapNamed,
} from '../../../../src/backends/nftables/schema.ts';
import type { Ip } from '../../../../src/model/ip.ts';
import { serviceKey, type Protocol } from '../../../../src/model/kubernetes.ts';

const sticky = {
  service: serviceKey('conf', 'sticky'),
  portName: 'http',
  protocol: 'tcp' as Protocol,
};
const endpoint = { ip: '10.244.1.11' as Ip, port: 8080, isLocal: true };

test("what belongs to one Service port is named as kube-proxy's nftables mode names it", () => {
  // As a node with kube-proxy 1.36 has them (test/fixtures/kube-proxy).
  expect(policyChainName({ policy: 'Cluster' }, sticky)).toBe(
    'service-DBZ4UMAE-conf/sticky/tcp/http',
  );
  const restricted = { ...sticky, service: serviceKey('conf', 'lbs') };
  expect(entryChainName({ ...restricted, kind: 'source-ranges' })).toBe(
    'firewall-MSM6G2IF-conf/lbs/tcp/http',
  );
  expect(endpointChainName(sticky, endpoint)).toBe(
    'endpoint-7UQOTVO5-conf/sticky/tcp/http__10.244.1.11/8080',
  );
  expect(affinitySetName(sticky, endpoint, 600)).toBe(
    'affinity-600s-7UQOTVO5-conf/sticky/tcp/http__10.244.1.11/8080',
  );
});

test('no colon of an IPv6 address gets into a name', () => {
  const far = { ...endpoint, ip: 'fd00:244:1::11' as Ip };
  expect(endpointChainName(sticky, far)).toMatch(/__fd00\.244\.1\.\.11\/8080$/);
});

test('a name that would be too long is cut, and still differs from its neighbour', () => {
  const long = {
    service: serviceKey('n'.repeat(63), 's'.repeat(63)),
    portName: 'p'.repeat(63),
    protocol: 'sctp' as Protocol,
  };
  const far = { ...endpoint, ip: 'fd00:2441:1111:2222:3333:4444:5555:6666' as Ip, port: 65_535 };
  const name = affinitySetName(long, far, 86_400);
  expect(name).toHaveLength(240);
  expect(name).toMatch(/\.\.\.$/);
  expect(affinitySetName(long, { ...far, port: 65_534 }, 86_400)).not.toBe(name);
  expect(portNames.read(name)).toEqual({ ...long, use: 'affinity', seconds: 86_400 });
});

test('a shared chain is named by the kind of its frontends', () => {
  const external = { kind: 'external' } as const;
  expect(sharedChainName({ kind: 'internal' }, 'address', false)).toBe('KUBE-SVC');
  expect(sharedChainName(external, 'address', false)).toBe('KUBE-EXT');
  expect(sharedChainName(external, 'address', true)).toBe('KUBE-EXT-LOCAL');
  expect(sharedChainName(external, 'node-port', true)).toBe('KUBE-NODEPORT-LOCAL');
});

test('a map of slots is known by its name', () => {
  for (const chain of balanceChains) {
    const map = endpointsMap(chain, { protocol: 'udp', size: 12 });
    expect(map.name).toBe(`${chain}-udp-12`);
    expect(endpointsMapNamed(map.name)).toEqual(map);
  }
  for (const name of ['endpoints', 'endpoints-tcp-0', 'endpoints-tcp-03', 'x-endpoints-tcp-3']) {
    expect(endpointsMapNamed(name)).toBeUndefined();
  }
});

test("kube-proxy's own test vectors", () => {
  const http = {
    service: serviceKey('testing', 'service'),
    portName: 'http',
    protocol: 'tcp' as Protocol,
  };
  const at = (ip: string): string =>
    endpointChainName(http, { ip: ip as Ip, port: 80, isLocal: false });
  expect([
    policyChainName({ policy: 'Cluster' }, http),
    policyChainName({ policy: 'Cluster' }, { ...http, portName: 'https' }),
    at('10.180.0.1'),
    at('10.180.0.2'),
    at('fd80:abcd:12::a1b2:c3d4:e5f6:9999'),
  ]).toEqual([
    'service-P4ZYZVCF-testing/service/tcp/http',
    'service-LZBRENCP-testing/service/tcp/https',
    'endpoint-JO2XBXZR-testing/service/tcp/http__10.180.0.1/80',
    'endpoint-5S6H3H22-testing/service/tcp/http__10.180.0.2/80',
    'endpoint-U7E2ET36-testing/service/tcp/http__fd80.abcd.12..a1b2.c3d4.e5f6.9999/80',
  ]);
});

test('the longest names of a Service port are kept whole', () => {
  const longest = {
    service: serviceKey('n'.repeat(63), 's'.repeat(63)),
    portName: 'p'.repeat(63),
    protocol: 'sctp' as Protocol,
  };
  const name = policyChainName({ policy: 'Local' }, longest);
  expect(name).toMatch(/^local-[A-Z2-7]{8}-n{63}\/s{63}\/sctp\/p{63}$/);
});

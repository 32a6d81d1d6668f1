// Names of chains and sets: the same as kube-proxy's where it has them, and always ones that nft takes.
import { expect, test } from 'vitest';
import {
  affinityMapName,
  entryChainName,
  portNames,
  rememberChainName,
  sharedKind,
} from '../../../../src/backends/nftables/names.ts';
import { slotMap, slotMapNamed, slotMaps } from '../../../../src/backends/nftables/schema.ts';
import { serviceKey, type Protocol } from '../../../../src/model/kubernetes.ts';

const sticky = {
  service: serviceKey('conf', 'sticky'),
  portName: 'http',
  protocol: 'tcp' as Protocol,
};

test("what belongs to one Service port is named as kube-proxy's nftables mode names it", () => {
  // As a node with kube-proxy 1.36 has them (test/fixtures/kube-proxy): the hash is of what follows it.
  expect(rememberChainName(sticky)).toBe('remember-DBZ4UMAE-conf/sticky/tcp/http');
  const restricted = { ...sticky, service: serviceKey('conf', 'lbs') };
  expect(entryChainName({ ...restricted, kind: 'source-ranges' }, 'address')).toBe(
    'firewall-MSM6G2IF-conf/lbs/tcp/http',
  );
  const external = { ...sticky, kind: 'external' } as const;
  expect(entryChainName(external, 'address')).toBe('external-DBZ4UMAE-conf/sticky/tcp/http');
  expect(entryChainName(external, 'node-port')).toBe('nodeport-DBZ4UMAE-conf/sticky/tcp/http');
  expect(affinityMapName(sticky, 'Local', { seconds: 600, port: 8080 })).toBe(
    'local-affinity-600s-8080-DBZ4UMAE-conf/sticky/tcp/http',
  );
});

test('the longest names of a Service port are kept whole', () => {
  const longest = {
    service: serviceKey('n'.repeat(63), 's'.repeat(63)),
    portName: 'p'.repeat(63),
    protocol: 'sctp' as Protocol,
  };
  const clients = { seconds: 86_400, port: 65_535 };
  const name = affinityMapName(longest, 'Local', clients);
  expect(name).toMatch(/^local-affinity-86400s-65535-[A-Z2-7]{8}-n{63}\/s{63}\/sctp\/p{63}$/);
  expect(portNames.read(name)).toEqual({ ...longest, use: 'local-affinity', clients });
});

test('a shared chain is named by the kind of its frontends', () => {
  const external = { kind: 'external' } as const;
  expect(sharedKind({ kind: 'internal' }, 'address', false)).toBe('KUBE-SVC');
  expect(sharedKind(external, 'address', false)).toBe('KUBE-EXT');
  expect(sharedKind(external, 'address', true)).toBe('KUBE-EXT-LOCAL');
  expect(sharedKind(external, 'node-port', true)).toBe('KUBE-NODEPORT-LOCAL');
});

test('a map of slots is known by its name', () => {
  expect(slotMaps).toHaveLength(12);
  for (const map of slotMaps) {
    expect(slotMapNamed(map.name)).toBe(map);
    expect(slotMap(map.slots, map.protocol)).toBe(map);
  }
  for (const name of ['endpoints', 'endpoints-tcp-3', 'x-endpoints-tcp']) {
    expect(slotMapNamed(name)).toBeUndefined();
  }
});

test("kube-proxy's own test vectors", () => {
  const http = {
    service: serviceKey('testing', 'service'),
    portName: 'http',
    protocol: 'tcp' as Protocol,
  };
  expect([rememberChainName(http), rememberChainName({ ...http, portName: 'https' })]).toEqual([
    'remember-P4ZYZVCF-testing/service/tcp/http',
    'remember-LZBRENCP-testing/service/tcp/https',
  ]);
});

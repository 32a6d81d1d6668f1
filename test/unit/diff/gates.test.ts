// Limits to what a change may take away.
import { describe, expect, test } from 'vitest';
import { refusalText } from '../../../src/diff/refusal-text.ts';
import { serviceChanges } from '../../../src/diff/service-change.ts';
import { parseLimit, parsePercent, refusals } from '../../../src/diff/gates.ts';
import type { Gates } from '../../../src/diff/gates.ts';
import type { ServiceChange } from '../../../src/diff/service-change.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ServiceKey } from '../../../src/model/kubernetes.ts';
import type { Served } from '../../../src/netfilter/served.ts';

function change(name: string, before: number, after: number): ServiceChange {
  return {
    service: `shop/${name}` as ServiceKey,
    change: after === -1 ? 'removed' : 'changed',
    addresses: [],
    ports: [],
    endpoints: { before, after: Math.max(after, 0), added: 0, removed: before - after },
  };
}

const changes = [change('a', 10, 7), change('b', 3, 0), change('c', 2, 5), change('gone', 4, -1)];

function refused(gates: Partial<Gates>): readonly string[] {
  const all = { endpointsLost: undefined, servicesLost: undefined, ...gates };
  return refusals(changes, all, 20).map((refusal) =>
    refusal.gate === 'endpoints-lost'
      ? `${refusal.service} ${refusal.lost}/${refusal.of}`
      : `Services ${refusal.lost}/${refusal.of}`,
  );
}

describe('limits', () => {
  test.each<[gates: Partial<Gates>, refused: string[]]>([
    [{}, []],
    [{ endpointsLost: 0 }, ['shop/a 3/10', 'shop/b 3/3', 'shop/gone 4/4']],
    // Just as much as the limit is allowed.
    [{ endpointsLost: 30 }, ['shop/b 3/3', 'shop/gone 4/4']],
    [{ endpointsLost: 29.9 }, ['shop/a 3/10', 'shop/b 3/3', 'shop/gone 4/4']],
    [{ endpointsLost: 100 }, []],
    [{ servicesLost: { kind: 'count', value: 0 } }, ['Services 1/20']],
    [{ servicesLost: { kind: 'count', value: 1 } }, []],
    [{ servicesLost: { kind: 'percent', value: 4 } }, ['Services 1/20']],
    [{ servicesLost: { kind: 'percent', value: 5 } }, []],
    // Whether Services may go has a limit of its own then.
    [{ endpointsLost: 30, servicesLost: { kind: 'count', value: 1 } }, ['shop/b 3/3']],
  ])('%j', (gates, expected) => {
    expect(refused(gates)).toEqual(expected);
  });

  test.each<[text: string, percent: number | undefined, limit: unknown]>([
    ['30%', 30, { kind: 'percent', value: 30 }],
    ['0%', 0, { kind: 'percent', value: 0 }],
    ['100%', 100, { kind: 'percent', value: 100 }],
    ['2.5%', 2.5, { kind: 'percent', value: 2.5 }],
    ['3', undefined, { kind: 'count', value: 3 }],
    ['101%', undefined, undefined],
    ['-1%', undefined, undefined],
    ['', undefined, undefined],
    ['%', undefined, undefined],
    ['30 %', undefined, undefined],
  ])('%j is read', (text, percent, limit) => {
    expect(parsePercent(text)).toBe(percent);
    expect(parseLimit(text)).toEqual(limit);
  });
});

/** One address of shop/web on port 80; a node port without an address. */
function served(ip: string | undefined, of: Partial<Served>): Served {
  return {
    family: 'IPv4',
    address: { ip: ip as Ip | undefined, protocol: 'tcp', port: ip === undefined ? 30080 : 80 },
    service: 'shop/web' as ServiceKey,
    portName: 'http',
    fate: 'forward',
    endpoints: [],
    outside: undefined,
    affinitySeconds: 0,
    allowFrom: undefined,
    masquerade: [],
    ...of,
  };
}

describe('each scope is held against the limit', () => {
  const two = ['10.244.1.1:80', '10.244.1.2:80'];
  const away = ['10.244.2.1:80', '10.244.2.2:80'];
  const clusterIp = served('10.96.0.10', { endpoints: two });

  test.each<[what: string, before: Served[], after: Served[], refused: string[]]>([
    [
      'clients from outside lose all, where the endpoints move to another node',
      [clusterIp, served('192.0.2.10', { endpoints: two, outside: two })],
      [clusterIp, served('192.0.2.10', { endpoints: away, outside: [] })],
      [
        'refused: shop/web would lose 2 of 2 endpoints (100%) at 192.0.2.10:80/tcp from outside, more than 30%',
      ],
    ],
    [
      'pods lose all, where clients from outside keep theirs',
      [served('192.0.2.10', { endpoints: two, outside: two })],
      [served('192.0.2.10', { endpoints: [], outside: two })],
      ['refused: shop/web would lose 2 of 2 endpoints (100%) at 192.0.2.10:80/tcp, more than 30%'],
    ],
    [
      'an address that goes loses all',
      [clusterIp, served(undefined, { endpoints: two })],
      [clusterIp],
      [
        'refused: shop/web would lose 2 of 2 endpoints (100%) at node port 30080/tcp, more than 30%',
      ],
    ],
    [
      'a loss that all share is that of the Service',
      [clusterIp, served(undefined, { endpoints: two })],
      [
        served('10.96.0.10', { endpoints: two.slice(1) }),
        served(undefined, { endpoints: two.slice(1) }),
      ],
      ['refused: shop/web would lose 1 of 2 endpoints (50%), more than 30%'],
    ],
    ['others in their place', [clusterIp], [served('10.96.0.10', { endpoints: away })], []],
    ['an address that had none goes', [clusterIp, served(undefined, {})], [clusterIp], []],
    ['an address comes', [clusterIp], [clusterIp, served(undefined, { endpoints: two })], []],
  ])('%s', (_, before, after, expected) => {
    const gates = { endpointsLost: 30, servicesLost: undefined };
    expect(refusals(serviceChanges(before, after), gates, 1).map(refusalText)).toEqual(expected);
  });
});

// Rates, running totals, and who gets nothing: counters of a kernel in, what a person reads out.
import { describe, expect, test } from 'vitest';
import { countedIn } from '../../../../src/backends/iptables/read/counted.ts';
import type { PortRate } from '../../../../src/cli/status/rates.ts';
import { ratesBetween } from '../../../../src/cli/status/rates.ts';
import type { Connections, PortConnections } from '../../../../src/model/connections.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import type { Counted } from '../../../../src/netfilter/counted.ts';
import { RunningTotals } from '../../../../src/daemon/serving/connections.ts';

const address = { kind: 'address', id: 'tcp 10.96.0.10 80' } as const;
const count = (connections: number, endpoint?: string): Counted => {
  return { of: address, endpoint, connections };
};

describe('running totals', () => {
  test('go on where a counter began anew', () => {
    const totals = new RunningTotals();
    const add = (...said: readonly number[]): readonly number[] =>
      totals.add(said.map((one) => count(one, '10.0.0.1:80'))).map((one) => one.connections);
    expect(add(10, 3)).toEqual([10, 3]);
    expect(add(12, 2)).toEqual([12, 5]);
    expect(add(12)).toEqual([12]);
    expect(add(1, 7)).toEqual([13, 7]);
  });

  test('keep the counters of an address and of its endpoints apart', () => {
    const totals = new RunningTotals();
    totals.add([count(5), count(2, 'a')]);
    expect(totals.add([count(6), count(1, 'a')]).map((one) => one.connections)).toEqual([6, 3]);
  });
});

function port(
  name: string,
  connections: number | undefined,
  endpoints: Readonly<Record<string, number>> = {},
): PortConnections {
  return {
    family: 'IPv4',
    service: `web/${name}` as ServiceKey,
    portName: 'http',
    protocol: 'tcp',
    ...(connections === undefined ? {} : { connections }),
    endpoints: Object.entries(endpoints).map(([endpoint, sum]) => {
      return { endpoint, isLocal: endpoint.startsWith('a'), connections: sum };
    }),
    skipped: 0,
  };
}

function reading(atMs: number, ...ports: readonly PortConnections[]): Connections {
  return { version: 2, mode: 'nftables', counters: 'endpoints', atMs, ports };
}

const before = reading(
  1000,
  port('busy', 100, { a: 60, b: 40, c: 0 }),
  port('quiet', 5),
  port('off', undefined),
);
const after = reading(
  3000,
  port('busy', 300, { a: 200, b: 10, c: 0 }),
  port('fresh', 50, { a: 50 }),
  port('quiet', 9),
  port('off', undefined),
);

describe('rates', () => {
  const [busy, ...others] = ratesBetween(before, after, 'rate') as [PortRate, ...PortRate[]];

  test('are what was counted between two readings, or since a counter began anew', () => {
    expect([busy.perSecond, busy.endpoints.map(({ perSecond }) => perSecond)]).toEqual([
      100,
      [70, 5, 0],
    ]);
    expect(others.map(({ service, perSecond }) => [service, perSecond])).toEqual([
      ['web/quiet', 2],
      ['web/fresh', 0],
      ['web/off', undefined],
    ]);
  });

  test('tell of endpoints that get nothing, and of those that get too much', () => {
    expect(busy.idle).toBe(1);
    expect(busy.imbalance?.toFixed(2)).toBe('2.86');
  });

  test.each([
    ['name', ['busy', 'fresh', 'quiet', 'off']],
    ['total', ['busy', 'fresh', 'quiet', 'off']],
    ['imbalance', ['busy', 'fresh', 'quiet', 'off']],
    ['rate', ['busy', 'quiet', 'fresh', 'off']],
  ] as const)('by %s', (sort, names) => {
    const sorted = ratesBetween(before, after, sort).map(({ service }) => service.slice(4));
    expect(sorted).toEqual(names);
  });
});

test('iptables counts rules that lead to endpoints, and those alone', () => {
  const saved = `
*nat
[9:540] -A KUBE-SERVICES -d 10.96.0.10/32 -p tcp -m comment --comment "web/shop:http cluster IP" -m tcp --dport 80 -j KUBE-SVC-X
[4:240] -A KUBE-SVC-X -m comment --comment "web/shop:http -> 10.0.0.1:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-A
[5:300] -A KUBE-SVC-X -m comment --comment "web/shop:http -> [fd00::1]:8080" -j KUBE-SEP-B
[5:300] -A KUBE-SEP-B -p tcp -m comment --comment "web/shop:http" -m tcp -j DNAT --to-destination 10.0.0.2:8080
`;
  const of = { kind: 'port', service: 'web/shop', portName: 'http' };
  expect(countedIn(saved)).toEqual([
    { of, endpoint: '10.0.0.1:8080', connections: 4 },
    { of, endpoint: '[fd00::1]:8080', connections: 5 },
  ]);
});

// Where a Service is reached: its addresses by kind and family, and who may use them.
import { describe, expect, test } from 'vitest';
import type { Frontend } from '../../../src/model/forwarding.ts';
import { frontendId } from '../../../src/model/forwarding.ts';
import type { Family, Ip } from '../../../src/model/ip.ts';
import { parseIp } from '../../../src/model/ip.ts';
import { decodeObject } from '../../../src/cluster/decode/object.ts';
import type { ResolveContext } from '../../../src/resolve/context.ts';
import { resolveService } from '../../../src/resolve/service.ts';
import { forwardingOf, rawService, serviceOf, view } from './objects.ts';

type Json = Readonly<Record<string, unknown>>;
type Setup = { readonly status?: Json; readonly context?: Partial<ResolveContext> };

const ip = (text: string): Ip => parseIp(text) as Ip;
const ingress = (...list: readonly Json[]): Json => ({ loadBalancer: { ingress: list } });
const dualStack = { clusterIP: '172.30.0.41', clusterIPs: ['172.30.0.41', 'fd00:30::41'] };

function resolve(spec: Json, { status = {}, context = {} }: Setup = {}) {
  return resolveService(serviceOf(spec, { status }), [], { ...view, ...context });
}

/** Where a Service is reached, such as `ClusterIP tcp 172.30.0.41 80`. */
function places(frontends: readonly Frontend[]): readonly string[] {
  return frontends.map(({ kind, address }) => `${kind} ${frontendId(address)}`);
}

/** The places, but for ClusterIPs. */
function external(spec: Json, setup: Setup = {}): readonly string[] {
  return places(resolve(spec, setup).frontends.filter(({ kind }) => kind !== 'ClusterIP'));
}

describe('a Service is reached', () => {
  test('nowhere where there is no Service', () => {
    expect(forwardingOf([])).toEqual([]);
  });

  test.each<[name: string, spec: Json]>([
    ['headless, with a UDP port', { clusterIP: 'None', ports: [{ port: 53, protocol: 'UDP' }] }],
    ['headless, with an SCTP port', { clusterIP: 'None', ports: [{ port: 9, protocol: 'SCTP' }] }],
    ['headless, without ports', { clusterIP: 'None', ports: [] }],
    ['an ExternalName, even with a ClusterIP', { type: 'ExternalName', externalName: 'a.b' }],
    ['without a ClusterIP yet', { clusterIP: '' }],
  ])('nowhere where it is %s', (_, spec) => {
    expect(decodeObject(rawService(spec)).kind).not.toBe('object');
  });

  test.each<[type: string]>([['ClusterIP'], ['NodePort'], ['LoadBalancer']])(
    'at its ClusterIP where its type is %s',
    (type) => {
      expect(places(resolve({ type }).frontends)).toEqual(['ClusterIP tcp 172.30.0.41 80']);
    },
  );

  test('at each of its ports, by name and protocol', () => {
    const ports = [
      { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053 },
      { name: 'dns-tcp', port: 53, protocol: 'TCP', nodePort: 30053 },
    ];
    const { frontends, healthCheck } = resolve({ type: 'NodePort', ports });
    expect(frontends.map(({ portName, address }) => `${portName} ${frontendId(address)}`)).toEqual([
      'dns udp 172.30.0.41 53',
      'dns udp node 30053',
      'dns-tcp tcp 172.30.0.41 53',
      'dns-tcp tcp node 30053',
    ]);
    expect(healthCheck).toBeUndefined();
  });

  test('at its node ports whatever its type', () => {
    const ports = [
      { name: 'a', port: 1234, protocol: 'UDP', nodePort: 4321 },
      { name: 'b', port: 1235, protocol: 'UDP', nodePort: 5321 },
    ];
    expect(places(resolve({ type: 'ClusterIP', ports }).frontends)).toEqual([
      'ClusterIP udp 172.30.0.41 1234',
      'NodePort udp node 4321',
      'ClusterIP udp 172.30.0.41 1235',
      'NodePort udp node 5321',
    ]);
  });

  test('at what the load balancer has, not at what was asked of it', () => {
    const status = ingress({ ip: '10.1.2.4' });
    const spec = { type: 'LoadBalancer', loadBalancerIP: '5.6.7.8' };
    expect(external(spec, { status })).toEqual(['LoadBalancer tcp 10.1.2.4 80']);
  });

  test('at a load balancer that says that it delivers to its own address', () => {
    const status = ingress({ ip: '10.1.2.4', ipMode: 'VIP' });
    expect(external({ type: 'LoadBalancer' }, { status })).toEqual([
      'LoadBalancer tcp 10.1.2.4 80',
    ]);
  });

  test('not at a load balancer that delivers elsewhere', () => {
    const status = ingress({ ip: '10.1.2.4', ipMode: 'Proxy' });
    expect(external({ type: 'LoadBalancer' }, { status })).toEqual([]);
  });

  test('at an address that is of two kinds as at the more restricted one', () => {
    const spec = {
      externalIPs: ['10.1.2.4', '10.1.2.4'],
      loadBalancerSourceRanges: ['10.0.0.0/8'],
    };
    const { frontends } = resolve(spec, { status: ingress({ ip: '10.1.2.4' }) });
    expect(places(frontends)).toEqual([
      'ClusterIP tcp 172.30.0.41 80',
      'LoadBalancer tcp 10.1.2.4 80',
    ]);
    expect(frontends.at(-1)?.allowFrom).toEqual(['10.0.0.0/8']);
  });
});

describe('a family', () => {
  const only = (family: Family): Setup => ({ context: { family } });
  const clusterIps = (spec: Json, family: Family): readonly string[] =>
    places(resolve(spec, only(family)).frontends);
  const [v4, v6] = ['ClusterIP tcp 10.0.0.10 80', 'ClusterIP tcp 2000::1 80'];

  test.each<[name: string, spec: Json, ipv4: readonly string[], ipv6: readonly string[]]>([
    ['an IPv4 ClusterIP alone', { clusterIP: '10.0.0.10' }, [v4], []],
    ['an IPv6 ClusterIP alone', { clusterIP: '2000::1' }, [], [v6]],
    [
      'one IPv4 family',
      { clusterIP: '10.0.0.10', clusterIPs: ['10.0.0.10'], ipFamilies: ['IPv4'] },
      [v4],
      [],
    ],
    [
      'one IPv6 family',
      { clusterIP: '2000::1', clusterIPs: ['2000::1'], ipFamilies: ['IPv6'] },
      [],
      [v6],
    ],
    [
      'both families, IPv4 first',
      {
        clusterIP: '10.0.0.10',
        clusterIPs: ['10.0.0.10', '2000::1'],
        ipFamilies: ['IPv4', 'IPv6'],
      },
      [v4],
      [v6],
    ],
    [
      'both families, IPv6 first',
      { clusterIP: '2000::1', clusterIPs: ['2000::1', '10.0.0.10'], ipFamilies: ['IPv6', 'IPv4'] },
      [v4],
      [v6],
    ],
  ])('has the ClusterIP that is its own: %s', (_, spec, ipv4, ipv6) => {
    expect(clusterIps(spec, 'IPv4')).toEqual(ipv4);
    expect(clusterIps(spec, 'IPv6')).toEqual(ipv6);
  });

  test('without a ClusterIP has nothing, whatever other addresses there are', () => {
    const spec = {
      type: 'LoadBalancer',
      externalTrafficPolicy: 'Local',
      healthCheckNodePort: 345,
      externalIPs: ['2001:db8::5'],
      ports: [{ port: 80, nodePort: 30080 }],
    };
    const status = ingress({ ip: '2001:db8::1' });
    expect(resolve(spec, { status, ...only('IPv6') })).toEqual({
      service: 'ns/svc',
      family: 'IPv6',
      frontends: [],
      healthCheck: undefined,
    });
  });

  const mixed = {
    ...dualStack,
    type: 'LoadBalancer',
    externalIPs: ['8.8.8.8', '2001:db8::5', '8.8.4.4', '2001:db8::6'],
    loadBalancerSourceRanges: [' 0.0.0.0/1', '2001:db8::/32', '128.0.0.0/1'],
  };
  const both = ingress({ ip: '1.2.3.4' }, { ip: '2001:db8::1' });

  test.each<[family: Family, expected: readonly string[], allowFrom: readonly string[]]>([
    [
      'IPv4',
      ['LoadBalancer tcp 1.2.3.4 80', 'ExternalIP tcp 8.8.8.8 80', 'ExternalIP tcp 8.8.4.4 80'],
      ['0.0.0.0/1', '128.0.0.0/1', '1.2.3.4/32'],
    ],
    [
      'IPv6',
      [
        'LoadBalancer tcp 2001:db8::1 80',
        'ExternalIP tcp 2001:db8::5 80',
        'ExternalIP tcp 2001:db8::6 80',
      ],
      ['2001:db8::/32'],
    ],
  ])('%s has the external addresses and ranges that are its own, in order', (...row) => {
    const [family, expected, allowFrom] = row;
    const { frontends } = resolve(mixed, { status: both, ...only(family) });
    const outside = frontends.filter(({ kind }) => kind !== 'ClusterIP');
    expect(places(outside)).toEqual(expected);
    expect(outside[0]?.allowFrom).toEqual(allowFrom);
  });

  test('has no external address where all are of the other one', () => {
    const spec = { ...dualStack, externalIPs: ['2001:db8::5'] };
    expect(external(spec)).toEqual([]);
    expect(external({ ...dualStack, externalIPs: [] })).toEqual([]);
  });
});

describe('a load balancer answers', () => {
  const status = ingress({ ip: '1.2.3.4' }, { ip: '5.6.7.8' }, { ip: '2001:db8::1' });
  const allowFrom = (ranges: readonly string[], nodeIp?: string): unknown => {
    const spec = { ...dualStack, type: 'LoadBalancer', loadBalancerSourceRanges: ranges };
    const context = { nodeIp: nodeIp === undefined ? undefined : ip(nodeIp) };
    const { frontends } = resolve(
      { ...spec, externalIPs: ['9.9.9.9'], ports: [{ port: 80, nodePort: 30080 }] },
      { status, context },
    );
    const [first, ...rest] = frontends.filter(({ kind }) => kind === 'LoadBalancer');
    expect(rest.map((frontend) => frontend.allowFrom)).toEqual([first?.allowFrom]);
    const others = frontends.filter(({ kind }) => kind !== 'LoadBalancer');
    expect(others.map((frontend) => frontend.allowFrom)).toEqual([undefined, undefined, undefined]);
    return first?.allowFrom;
  };

  test.each<[who: string, ranges: readonly string[], expected: readonly string[] | undefined]>([
    ['everyone without ranges', [], undefined],
    ['everyone where a range is of everyone', ['203.0.113.0/25', '0.0.0.0/0'], undefined],
    ['everyone where a range is of everyone, oddly written', ['1.2.3.4/00'], undefined],
    ['everyone where all ranges are of the other family', ['2001:db8::/32'], undefined],
    ['everyone where no range is one', ['nonsense', ''], undefined],
    ['the ranges where everyone of the other family may', ['10.0.0.0/8', '::/0'], ['10.0.0.0/8']],
    ['the ranges, each once', ['172.10.0.0/16', '172.10.9.0/16'], ['172.10.0.0/16']],
    ['the ranges that are ones', ['x', ' 203.0.113.000/025 '], ['203.0.113.0/25']],
  ])('%s', (_, ranges, expected) => {
    expect(allowFrom(ranges, '192.168.0.2')).toEqual(expected);
  });

  test('its own addresses too where the node is in a range', () => {
    expect(allowFrom(['192.168.0.0/24'], '192.168.0.2')).toEqual([
      '192.168.0.0/24',
      '1.2.3.4/32',
      '5.6.7.8/32',
    ]);
    expect(allowFrom(['192.168.0.0/24'], '192.168.1.2')).toEqual(['192.168.0.0/24']);
    expect(allowFrom(['192.168.0.0/24'])).toEqual(['192.168.0.0/24']);
  });
});

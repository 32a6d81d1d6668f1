// Which of the host's addresses take node ports.
import { describe, expect, test } from 'vitest';
import type { Config, ProxyMode } from '../../../src/model/config.ts';
import { families, parseCidr, parseIp } from '../../../src/model/ip.ts';
import type { Cidr, Family, Ip } from '../../../src/model/ip.ts';
import type { NodePortAddresses } from '../../../src/model/settings.ts';
import {
  hasLocalhostNodePorts,
  nodePortCidrs,
  resolveNodePortAddresses,
} from '../../../src/resolve/node-port-addresses.ts';

const ips = (...texts: readonly string[]): readonly Ip[] =>
  texts.map((text) => parseIp(text) as Ip);
const cidrs = (texts: readonly string[]): readonly Cidr[] =>
  texts.map((text) => parseCidr(text) as Cidr);

type How = {
  readonly mode?: ProxyMode;
  readonly localhost?: boolean;
  readonly nodeIps?: readonly string[];
};

function config(addresses: 'primary' | readonly string[], how: How = {}) {
  const { mode = 'iptables', localhost = true } = how;
  return {
    proxyMode: mode,
    localhostNodePorts: localhost,
    nodePortAddresses: addresses === 'primary' ? addresses : cidrs(addresses),
  } satisfies Partial<Config>;
}

/** `everywhere`, with what is left out, or the addresses. */
function text(addresses: NodePortAddresses): string | readonly string[] {
  if (addresses.kind === 'addresses') return addresses.ips;
  return addresses.except === undefined ? 'everywhere' : `everywhere but ${addresses.except}`;
}

function resolve(
  addresses: 'primary' | readonly string[],
  hostIps: readonly string[],
  how: How = {},
) {
  const own = { nodeIps: ips(...(how.nodeIps ?? [])), hostIps: ips(...hostIps) };
  const [ipv4, ipv6] = families.map((family) =>
    text(resolveNodePortAddresses(config(addresses, how), own, family)),
  );
  return { ipv4, ipv6 };
}

type Expected = string | readonly string[];
type Row = [
  name: string,
  addresses: readonly string[],
  hostIps: readonly string[],
  ipv4: Expected,
  ipv6: Expected,
];

const noLoopback6 = 'everywhere but ::1/128';

describe('node ports are taken', () => {
  test.each<Row>([
    [
      'at the addresses in a range; and everywhere in the family without one',
      ['10.20.30.0/24'],
      ['10.20.30.51', '100.200.201.1'],
      ['10.20.30.51'],
      noLoopback6,
    ],
    [
      'everywhere where a range is of everything',
      ['0.0.0.0/0'],
      ['10.20.30.51', '127.0.0.1'],
      'everywhere',
      noLoopback6,
    ],
    [
      'at IPv6 addresses in a range',
      ['2001:db8::/64', '::1/128'],
      ['2001:db8::1', '::1'],
      'everywhere',
      ['2001:db8::1'],
    ],
    [
      'everywhere where a range is of everything in IPv6',
      ['::/0'],
      ['2001:db8::1', '::1'],
      'everywhere',
      noLoopback6,
    ],
    [
      'at loopback alone',
      ['127.0.0.1/32'],
      ['10.20.30.51', '127.0.0.1'],
      ['127.0.0.1'],
      noLoopback6,
    ],
    [
      'at the loopback address that there is',
      ['127.0.0.0/8'],
      ['127.0.1.1'],
      ['127.0.1.1'],
      noLoopback6,
    ],
    [
      'at the addresses of several ranges',
      ['10.20.30.0/24', '100.200.201.0/24'],
      ['10.20.30.51', '100.200.201.1', '10.20.31.1'],
      ['10.20.30.51', '100.200.201.1'],
      noLoopback6,
    ],
    [
      'nowhere where no address is in a range',
      ['10.20.30.0/24', '100.200.201.0/24'],
      ['192.168.1.2', '127.0.0.1'],
      [],
      noLoopback6,
    ],
    ['everywhere without a range', [], ['192.168.1.2', 'fd00::1'], 'everywhere', noLoopback6],
    [
      'everywhere where a range of everything stands behind another',
      ['1.2.3.0/24', '0.0.0.0/0'],
      ['1.2.3.4'],
      'everywhere',
      noLoopback6,
    ],
    [
      'everywhere in IPv4, and at one address in IPv6',
      ['0.0.0.0/0', '1.2.3.0/24', '2001:db8::1/128'],
      ['1.2.3.4', '2001:db8::1'],
      'everywhere',
      ['2001:db8::1'],
    ],
    [
      'everywhere in IPv6, and at one address in IPv4',
      ['::/0', '1.2.3.0/24', '2001:db8::1/128'],
      ['1.2.3.4', '2001:db8::1'],
      ['1.2.3.4'],
      noLoopback6,
    ],
    [
      'at an address once, whatever it is twice in',
      ['1.2.0.0/16', '1.2.3.0/24'],
      ['1.2.3.4', '1.2.3.4', '1.2.1.1'],
      ['1.2.1.1', '1.2.3.4'],
      noLoopback6,
    ],
  ])('%s', (_, addresses, hostIps, ipv4, ipv6) => {
    expect(resolve(addresses, hostIps)).toEqual({ ipv4, ipv6 });
  });

  test.each<[name: string, nodeIps: readonly string[], ipv4: Expected, ipv6: Expected]>([
    ["at the Node's own addresses", ['192.168.0.2', 'fd00::2'], ['192.168.0.2'], ['fd00::2']],
    ['nowhere where no interface has the address of the Node', ['192.168.9.9', 'fd00::9'], [], []],
    [
      'everywhere but at loopback in a family in which the Node has no address',
      ['192.168.0.2'],
      ['192.168.0.2'],
      noLoopback6,
    ],
    [
      'everywhere but at loopback where the Node has no address of use',
      ['127.0.0.1'],
      'everywhere but 127.0.0.0/8',
      noLoopback6,
    ],
  ])('by nftables and primary, %s', (_, nodeIps, ipv4, ipv6) => {
    const hostIps = ['127.0.0.1', '192.168.0.2', '192.168.1.2', '::1', 'fd00::2', 'fd00::3'];
    expect(resolve('primary', hostIps, { mode: 'nftables', nodeIps })).toEqual({ ipv4, ipv6 });
  });

  test('by nftables, never at loopback', () => {
    const nftables = { mode: 'nftables' } as const;
    expect(resolve(['127.0.0.0/8', '10.0.0.0/8'], ['127.0.0.1', '10.1.2.3'], nftables)).toEqual({
      ipv4: ['10.1.2.3'],
      ipv6: noLoopback6,
    });
    expect(resolve(['0.0.0.0/0'], ['127.0.0.1'], nftables).ipv4).toBe('everywhere but 127.0.0.0/8');
  });

  test('by iptables, not at loopback where that is switched off', () => {
    const off = { localhost: false } as const;
    expect(resolve([], ['127.0.0.1'], off).ipv4).toBe('everywhere but 127.0.0.0/8');
    expect(resolve(['127.0.0.0/8', '10.0.0.0/8'], ['127.0.0.1', '10.1.2.3'], off).ipv4).toEqual([
      '10.1.2.3',
    ]);
  });
});

describe('node ports at 127.0.0.1', () => {
  const allowed = (
    addresses: 'primary' | readonly string[],
    { family = 'IPv4', ...how }: How & { family?: Family } = {},
  ): boolean => hasLocalhostNodePorts(config(addresses, how), ips(...(how.nodeIps ?? [])), family);

  test.each<[addresses: readonly string[], isAllowed: boolean]>([
    [[], true],
    [['192.168.0.0/24', '0.0.0.0/0'], true],
    [['192.168.0.0/24', '127.0.0.0/8'], true],
    [['192.168.0.0/24', '127.0.2.0/28'], true],
    [['192.168.0.0/24', '64.0.0.0/2'], true],
    [['192.168.0.0/24', '::/0'], false],
    [['192.168.0.0/24', '::1/128'], false],
    [['192.168.0.0/24', '128.0.2.0/28'], false],
    [['::/0'], true],
  ])('are meant by the ranges %j: %s', (addresses, isAllowed) => {
    expect(allowed(addresses)).toBe(isAllowed);
  });

  test.each<[addresses: readonly string[]]>([[[]], [['::/0']], [['::1/128', '127.0.0.0/8']]])(
    'are none of IPv6, whatever the ranges: %j',
    (addresses) => {
      expect(allowed(addresses, { family: 'IPv6' })).toBe(false);
    },
  );

  test('are none of nftables, nor of a Node address, nor where they are switched off', () => {
    expect(allowed([], { mode: 'nftables' })).toBe(false);
    expect(allowed('primary', { nodeIps: ['192.168.0.2'] })).toBe(false);
    expect(allowed([], { localhost: false })).toBe(false);
  });
});

test('the ranges of a family are its own, or none where one is of everything', () => {
  const ranges = (addresses: 'primary' | readonly string[], nodeIps: readonly string[] = []) =>
    families.map((family) => nodePortCidrs(config(addresses), ips(...nodeIps), family));
  expect(ranges(['10.0.0.0/8', 'fd00::/8', '192.168.0.0/16'])).toEqual([
    ['10.0.0.0/8', '192.168.0.0/16'],
    ['fd00::/8'],
  ]);
  expect(ranges(['10.0.0.0/8', '0.0.0.0/0', 'fd00::/8'])).toEqual([[], ['fd00::/8']]);
  expect(ranges('primary', ['192.168.0.2', '::1'])).toEqual([['192.168.0.2/32'], []]);
});

// What holds for every Service on a node, from the configuration and what the cluster says of it.
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../../src/model/config.ts';
import { families, parseCidr } from '../../../src/model/ip.ts';
import type { Cidr } from '../../../src/model/ip.ts';
import type { Node, ServiceCidr } from '../../../src/model/kubernetes.ts';
import { resolveSettings } from '../../../src/resolve/settings.ts';
import { configFor } from '../../support/config.ts';
import { decoded } from './objects.ts';

const cidrs = (...texts: readonly string[]): readonly Cidr[] =>
  texts.map((text) => parseCidr(text) as Cidr);

function nodeOf(podCIDRs: readonly string[], addresses: readonly string[] = []): Node {
  const object = decoded({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'node-1' },
    spec: { podCIDRs },
    status: { addresses: addresses.map((address) => ({ type: 'InternalIP', address })) },
  });
  if (object.kind === 'Node') return object.value;
  throw new Error(object.kind);
}

type Around = {
  readonly flags?: readonly string[];
  readonly mode?: ProxyMode;
  readonly node?: Node;
  readonly serviceCidrs?: readonly ServiceCidr[];
  readonly isTcpLiberal?: boolean;
};

function settings(given: Around) {
  const { flags = [], mode = 'nftables', node, serviceCidrs = [], isTcpLiberal = false } = given;
  const around = { node, serviceCidrs, isTcpLiberal, hostIps: node?.ips ?? [] };
  return families.map((family) => resolveSettings(configFor(mode, flags), around, family));
}

/** How pods are told from others in each family. */
function podSources(flags: readonly string[], podCidrs?: readonly string[]): readonly unknown[] {
  const node = podCidrs && nodeOf(podCidrs);
  return settings({ flags, ...(node && { node }) }).map(({ podSource }) => podSource);
}

const [v4, v6] = [
  { kind: 'cidr', cidr: '10.0.0.0/14' },
  { kind: 'cidr', cidr: '2002:0:0:1234::/64' },
];

describe('pods are told', () => {
  type Row = [name: string, cidrs: readonly string[], sources: readonly unknown[]];
  const shapes: Row[] = [
    ['IPv4 alone', ['10.0.0.0/14'], [v4, undefined]],
    ['IPv6 alone', ['2002:0:0:1234::/64'], [undefined, v6]],
    ['both, IPv4 first', ['10.0.0.0/14', '2002:0:0:1234::/64'], [v4, v6]],
    ['both, IPv6 first', ['2002:0:0:1234::/64', '10.0.0.0/14'], [v4, v6]],
    ['none', [], [undefined, undefined]],
  ];

  test.each(shapes)("by the cluster's CIDR of each family: %s", (_, own, sources) => {
    expect(podSources([`--cluster-cidr=${own.join(',')}`], ['10.9.0.0/24'])).toEqual(sources);
  });

  test.each(shapes)("by this node's CIDR of each family: %s", (_, own, sources) => {
    const flags = ['--detect-local-mode=NodeCIDR', '--cluster-cidr=10.9.0.0/16,fd09::/48'];
    expect(podSources(flags, own)).toEqual(sources);
  });

  test('by the first CIDR of a family where the node has several', () => {
    const own = ['10.0.0.0/14', '10.244.0.0/16', '2002:0:0:1234::/64', 'fd00::/64'];
    expect(podSources(['--detect-local-mode=NodeCIDR'], own)).toEqual([v4, v6]);
  });

  test('by nothing while the node is not known', () => {
    expect(podSources(['--detect-local-mode=NodeCIDR'])).toEqual([undefined, undefined]);
  });

  test('by the interface that they come in by, in both families', () => {
    const bridge = { kind: 'interface', name: 'cni0' };
    const prefix = { kind: 'interface-prefix', prefix: 'eth' };
    expect(
      podSources(['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cni0']),
    ).toEqual([bridge, bridge]);
    expect(
      podSources(['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=eth']),
    ).toEqual([prefix, prefix]);
  });
});

test("the cluster's ranges of addresses are those of all ServiceCIDRs, by family", () => {
  const serviceCidrs = [
    { name: 'kubernetes', cidrs: cidrs('172.30.0.0/16', 'fd00:30::/112') },
    { name: 'more', cidrs: cidrs('10.96.0.0/16', '172.30.0.0/16') },
    { name: 'empty', cidrs: [] },
  ];
  const of = (all: readonly ServiceCidr[]): readonly unknown[] =>
    settings({ serviceCidrs: all }).map((family) => family.serviceCidrs);
  expect(of(serviceCidrs)).toEqual([['10.96.0.0/16', '172.30.0.0/16'], ['fd00:30::/112']]);
  expect(of(serviceCidrs.toReversed())).toEqual(of(serviceCidrs));
  expect(of([])).toEqual([[], []]);
});

describe('the proxy modes differ as those of kube-proxy do', () => {
  const node = nodeOf([], ['192.168.0.2', 'fd00::2']);
  const flags = ['--detect-local-mode=NodeCIDR'];
  const own = { masqueradeMark: 0x4000, masqueradeAll: false, podSource: undefined };
  const pair = [
    { family: 'IPv4', nodePortIps: ['192.168.0.2'] },
    { family: 'IPv6', nodePortIps: ['fd00::2'] },
  ];

  test('nftables guards ClusterIPs, refuses at every hook, and takes node ports at the Node', () => {
    const nftables = {
      ...own,
      guardsClusterIps: true,
      acceptsForwarded: false,
      dropsInvalid: false,
      serviceCidrs: [],
      localhostNodePorts: false,
      refusesAtEveryHook: true,
      hairpins: 'on-this-node',
      acceptsHealthChecks: false,
      apiServers: [],
    };
    expect(settings({ flags, node })).toEqual([
      { ...pair[0], ...nftables, nodePorts: { kind: 'addresses', ips: ['192.168.0.2'] } },
      { ...pair[1], ...nftables, nodePorts: { kind: 'addresses', ips: ['fd00::2'] } },
    ]);
  });

  test('iptables accepts forwarded traffic and health checks, and takes node ports everywhere', () => {
    const iptables = {
      ...own,
      guardsClusterIps: false,
      acceptsForwarded: true,
      dropsInvalid: true,
      serviceCidrs: [],
      refusesAtEveryHook: false,
      hairpins: 'all',
      acceptsHealthChecks: true,
      apiServers: [],
    };
    const everywhere = { kind: 'any-local', except: undefined };
    const notAtLoopback = { kind: 'any-local', except: '::1/128' };
    expect(settings({ flags, node, mode: 'iptables' })).toEqual([
      { ...pair[0], ...iptables, localhostNodePorts: true, nodePorts: everywhere },
      { ...pair[1], ...iptables, localhostNodePorts: false, nodePorts: notAtLoopback },
    ]);
  });

  test('iptables drops INVALID packets, but not where conntrack is liberal with TCP', () => {
    const drops = (mode: ProxyMode, isTcpLiberal: boolean): readonly boolean[] =>
      settings({ mode, isTcpLiberal }).map(({ dropsInvalid }) => dropsInvalid);
    expect(drops('iptables', false)).toEqual([true, true]);
    expect(drops('iptables', true)).toEqual([false, false]);
    expect(drops('nftables', false)).toEqual([false, false]);
  });
});

test('the packet mark is the bit that was asked for', () => {
  const marks = (bit: number): readonly number[] =>
    settings({ flags: [`--iptables-masquerade-bit=${bit}`] }).map((own) => own.masqueradeMark);
  expect(marks(0)).toEqual([1, 1]);
  expect(marks(31)).toEqual([0x8000_0000, 0x8000_0000]);
});

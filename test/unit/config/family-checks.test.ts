// Whether addresses in the configuration are of families that the node can serve.
import { describe, expect, test } from 'vitest';
import { checkFamilies, type NodeFamilies } from '../../../src/config/family-checks.ts';
import type { Cidr } from '../../../src/model/ip.ts';
import { loaded } from './load.ts';

const single: NodeFamilies = { primary: 'IPv4', supported: ['IPv4'], podCidrs: [] };
const dual: NodeFamilies = { primary: 'IPv4', supported: ['IPv4', 'IPv6'], podCidrs: [] };

function findings(body: string, node: NodeFamilies) {
  const { faults, warnings } = checkFamilies(loaded(`${body}\n`).config, node);
  const names = (lines: readonly string[]) => lines.map((line) => line.split(':')[0]);
  return { faults: names(faults), warnings: names(warnings) };
}

const nothing = { faults: [], warnings: [] };
const cidrs = (...texts: string[]) => texts as Cidr[];

describe('nodePortAddresses', () => {
  test.each<[body: string, node: NodeFamilies]>([
    ['nodePortAddresses: [10.0.0.0/8]', single],
    [
      'bindAddress: fd00::1\nnodePortAddresses: [fd00::/64]',
      { ...single, primary: 'IPv6', supported: ['IPv6'] },
    ],
    ['nodePortAddresses: [10.0.0.0/8]', dual],
    ['nodePortAddresses: [10.0.0.0/8, "fd00::/64"]', dual],
    ['nodePortAddresses: [10.0.0.0/8, "fd00::/64"]\nclusterCIDR: 10.1.0.0/16,fd00::/56', dual],
    ['nodePortAddresses: [primary]', dual],
  ])('that match the stack are fine: %s', (body, node) => {
    expect(findings(`mode: iptables\n${body}`, node)).toEqual(nothing);
  });

  test('that are not set in iptables mode are a note, as every healthy start has it', () => {
    const { warnings, notes } = checkFamilies(loaded('mode: iptables\n').config, dual);
    expect([warnings, notes]).toEqual([
      [],
      [
        'nodePortAddresses: not set, so node ports answer at all local addresses; primary would limit them',
      ],
    ]);
  });

  test.each<[what: string, body: string, node: NodeFamilies]>([
    [
      'have one family of two',
      'nodePortAddresses: [10.0.0.0/8]\nclusterCIDR: 10.1.0.0/16,fd00::/56',
      dual,
    ],
    [
      'have one family where pods have two',
      'nodePortAddresses: [10.0.0.0/8]',
      { ...dual, podCidrs: cidrs('10.1.0.0/24', 'fd00::/64') },
    ],
    ['have the other family alone', 'nodePortAddresses: ["fd00::/64"]', single],
  ])('that %s are warned of', (_what, body, node) => {
    expect(findings(`mode: iptables\n${body}`, node)).toEqual({
      faults: [],
      warnings: ['nodePortAddresses'],
    });
  });
});

describe('clusterCIDR of the other family', () => {
  test('ends a node of one family, in ClusterCIDR mode', () => {
    expect(findings('clusterCIDR: fd00::/64', single).faults).toEqual(['clusterCIDR']);
  });

  test.each<[what: string, body: string, node: NodeFamilies]>([
    ['of two families', 'clusterCIDR: fd00::/64', dual],
    ['in another mode', 'clusterCIDR: fd00::/64\ndetectLocalMode: NodeCIDR', single],
    ['in another mode, of two families', 'clusterCIDR: fd00::/64\ndetectLocalMode: NodeCIDR', dual],
  ])('is warned of on a node %s', (_what, body, node) => {
    expect(findings(body, node)).toEqual({ faults: [], warnings: ['clusterCIDR'] });
  });
});

describe('podCIDRs of the other family', () => {
  test.each([
    ['single', single],
    ['dual', dual],
  ])('end the proxy in NodeCIDR mode, %s-stack', (_stack, node) => {
    const with6 = { ...node, podCidrs: cidrs('fd00::/64') };
    expect(findings('detectLocalMode: NodeCIDR', with6).faults).toEqual(["the Node's podCIDRs"]);
    expect(findings('', with6)).toEqual({ faults: [], warnings: ["the Node's podCIDRs"] });
  });
});

test.each(['10.0.0.0/8,fd00::/64', 'fd00::/64,10.0.0.0/8'])(
  'dual-stack values are fine in any order: %s',
  (clusterCIDR) => {
    const podCidrs = cidrs(...clusterCIDR.split(','));
    for (const mode of ['ClusterCIDR', 'NodeCIDR']) {
      const body = `clusterCIDR: ${clusterCIDR}\ndetectLocalMode: ${mode}`;
      expect(findings(body, { ...dual, podCidrs })).toEqual(nothing);
    }
  },
);

describe('addresses of servers', () => {
  const body = 'metricsBindAddress: "[fd00::1]:1"\nhealthzBindAddress: "[fd00::1]:2"';

  test('of the other family are warned of on a node of one family alone', () => {
    expect(findings(body, single)).toEqual({
      faults: [],
      warnings: ['healthzBindAddress', 'metricsBindAddress'],
    });
    expect(findings(body, dual)).toEqual(nothing);
  });

  test('that are unspecified are fine', () => {
    const everywhere = 'metricsBindAddress: "[::]:1"\nhealthzBindAddress: "[::]:2"';
    expect(findings(everywhere, single)).toEqual(nothing);
  });
});

test('a node whose primary family cannot be served does not start', () => {
  const node: NodeFamilies = { ...single, primary: 'IPv6' };
  expect(checkFamilies(loaded('').config, node).faults).toEqual([
    "this node's addresses are IPv6, which it cannot serve",
  ]);
});

// kube-proxy's rules of every conformance case's objects do what ours for the same objects do: the same
// packets, traced through both. What differs is named here.
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../../../src/model/config.ts';
import type { FrontendAddress } from '../../../../src/model/forwarding.ts';
import { frontendId } from '../../../../src/model/forwarding.ts';
import type { Family, Ip } from '../../../../src/model/ip.ts';
import { families, familyOf } from '../../../../src/model/ip.ts';
import type { Difference } from '../../../../src/netfilter/kube-proxy/compare.ts';
import { compare, packetsTo } from '../../../../src/netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import type { Packet, Ruleset } from '../../../../src/netfilter/trace.ts';
import { trace } from '../../../../src/netfilter/trace.ts';
import { configFor } from '../../../support/config.ts';
import { packetOf } from '../../../support/packets.ts';
import { rulesetOf } from '../../../support/ruleset.ts';
import { objectsThen } from '../../backends/iptables/kube-proxy-node.ts';
import { clients, hostIps, leftBehind, nftVersions, nodeIps } from './left-behind.ts';

const sources = families.flatMap((family) => [
  { mode: 'iptables', family, version: 'saved' } as const,
  ...nftVersions.map((version) => ({ mode: 'nftables', family, version }) as const),
]);

function oursFor(mode: ProxyMode, family: Family): Ruleset {
  return rulesetOf(objectsThen(), { config: configFor(mode), family, hostIps });
}

// Nothing answers there, or something that is no Service's.
const noServices: readonly (readonly [string, number])[] = [
  ['10.96.10.1', 81],
  ['10.96.99.99', 80],
  ['203.0.113.21', 81],
  ['203.0.113.99', 80],
  ['192.168.10.11', 31999],
  ['192.168.10.11', 32042],
  ['192.168.10.11', 32043],
  ['10.244.1.11', 8080],
  ['10.244.2.11', 8080],
  ['192.0.2.1', 443],
  ['fd00:96::a30', 81],
  ['fd00:96::999', 80],
  ['fd00:244:1::11', 8080],
];

describe.each(sources)('$mode, $family, $version', ({ mode, family, version }) => {
  const theirs = leftBehind(mode, family, version);
  const ruleset = oursFor(mode, family);

  test('the addresses that kube-proxy knows are those that we know', () => {
    const entries = ruleset.services.flatMap((service) => service.entries);
    const ours = entries.filter(({ dispatch }) => dispatch !== 'health-ports');
    const ids = new Set(ours.map(({ address }) => frontendId(address)));
    expect(theirs.addresses.map(frontendId)).toEqual([...ids].toSorted());
    expect(ids.size).toBe(family === 'IPv4' ? 58 : 3);
  });

  test('every client gets the same answers from both', () => {
    const others = noServices.flatMap(([ip, port]) =>
      familyOf(ip as Ip) === family
        ? [{ ip: ip as Ip, protocol: 'tcp', port } satisfies FrontendAddress]
        : [],
    );
    const packets = [...packetsTo([...theirs.addresses, ...others], { clients, nodeIps })].filter(
      ({ destination }) => familyOf(destination) === family,
    );
    expect(packets.length).toBe(family === 'IPv4' ? 1070 : 90);
    const differences = [
      ...compare(packets, { theirs: theirs.trace, ours: (packet) => trace(ruleset, packet) }),
    ];
    expect(differences.map(text)).toEqual([]);
  });

  test('shares are whole parts and add up', () => {
    for (const packet of packetsTo(theirs.addresses, { clients, nodeIps })) {
      if (familyOf(packet.destination) !== family) continue;
      const shares = theirs.trace(packet).map(({ share }) => share);
      expect(shares).toEqual(shares.map(() => 1 / shares.length));
    }
  });
});

test('the reasons are the comments of the rules that did something, in their order', () => {
  const packet = packetOf('outside 192.168.10.99 by eth0', 'tcp 203.0.113.22 80');
  const reasons = (['iptables', 'nftables'] as const).map((mode) =>
    leftBehind(mode, 'IPv4')
      .trace(packet)
      .map(({ why }) => why),
  );
  expect(reasons).toEqual([
    [
      [
        'kubernetes service portals',
        'conf/lbl:http loadbalancer IP',
        '-j KUBE-SVL-BOJ3KUDRNTTUM2SY',
        'conf/lbl:http -> 10.244.1.11:8080',
        'conf/lbl:http',
      ],
    ],
    [
      [
        'jump services',
        '203.0.113.22 . tcp . 80 : goto external-3WOH3S5I-conf/lbl/tcp/http',
        'goto local-3WOH3S5I-conf/lbl/tcp/http',
        'dnat to 10.244.1.11 . 8080',
      ],
    ],
  ]);
});

test('the tables of two versions of nft do the same', () => {
  const [one, other] = nftVersions.map((version) => leftBehind('nftables', 'IPv4', version));
  if (one === undefined || other === undefined) throw new Error('there are two versions');
  for (const packet of packetsTo(one.addresses, { clients, nodeIps })) {
    expect(one.trace(packet)).toEqual(other.trace(packet));
  }
});

function text({ packet, theirs, ours }: Difference): string {
  const { source, protocol, destination, port }: Packet = packet;
  const ends = (outcomes: readonly TracedOutcome[]): string =>
    outcomes
      .map(({ verdict, endpoint, share, isMasqueraded }) =>
        [verdict, endpoint?.ip, share, isMasqueraded].join(' '),
      )
      .join(', ');
  return `${source} to ${protocol} ${destination} ${port}: ${ends(theirs)}; ours ${ends(ours)}`;
}

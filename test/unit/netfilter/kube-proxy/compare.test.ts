// What counts as a difference between two proxies, and what does not.
import { expect, test } from 'vitest';
import type { Ip } from '../../../../src/model/ip.ts';
import type { Client } from '../../../../src/netfilter/kube-proxy/compare.ts';
import { compare, mergeOutcomes, packetsTo } from '../../../../src/netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import { packetOf } from '../../../support/packets.ts';

const packet = packetOf('pod 10.244.1.11 by cbr0', 'tcp 10.96.0.1 80');

function to(ip: string, share: number, isMasqueraded = false): TracedOutcome {
  const endpoint = { ip: ip as Ip, port: 8080 };
  return { verdict: 'forwarded', endpoint, isMasqueraded, share, why: ['a rule'] };
}

function stopped(verdict: TracedOutcome['verdict'], isMasqueraded = false): TracedOutcome {
  return { verdict, endpoint: undefined, isMasqueraded, share: 1, why: [] };
}

test.each([
  [
    'the same endpoints in another order',
    [to('a', 0.5), to('b', 0.5)],
    [to('b', 0.5), to('a', 0.5)],
  ],
  [
    'shares that were rounded',
    [to('a', 1 / 3), to('b', 2 / 3)],
    [to('a', 0.333333333333), to('b', 0.666666666667)],
  ],
  [
    'shares of five that were drawn out of six, again where none was met',
    Array.from('abcde', (ip) => to(ip, 1 / 5)),
    Array.from('abcde', (ip) => to(ip, ip === 'e' ? 0.19999928555098306 : 0.20000017861225422)),
  ],
  [
    'one endpoint by two ways',
    [to('a', 0.5), to('a', 0.25), to('b', 0.25)],
    [to('a', 0.75), to('b', 0.25)],
  ],
  ['other reasons', [to('a', 1)], [{ ...to('a', 1), why: [] }]],
  ['a mark on what was refused', [stopped('rejected', true)], [stopped('rejected')]],
])('the same: %s', (_, theirs, ours) => {
  expect([...compare([packet], { theirs: () => theirs, ours: () => ours })]).toEqual([]);
});

test.each([
  ['another verdict', [stopped('rejected')], [stopped('dropped')]],
  ['another endpoint', [to('a', 1)], [to('b', 1)]],
  ['one endpoint more', [to('a', 0.5), to('b', 0.5)], [to('a', 1)]],
  ['other shares', [to('a', 0.5), to('b', 0.5)], [to('a', 0.4), to('b', 0.6)]],
  [
    'shares that are nearly the same',
    [to('a', 0.5), to('b', 0.5)],
    [to('a', 0.4999), to('b', 0.5001)],
  ],
  ['masquerade', [to('a', 1, true)], [to('a', 1)]],
  ['masquerade of what no Service took', [stopped('untouched', true)], [stopped('untouched')]],
  ['what nobody can say', [stopped('unknown')], [stopped('unknown')]],
])('different: %s', (_, theirs, ours) => {
  const found = [...compare([packet], { theirs: () => theirs, ours: () => ours })];
  expect(found).toEqual([{ packet, theirs: mergeOutcomes(theirs), ours: mergeOutcomes(ours) }]);
});

test('node ports are asked for at every address of the node, and families do not mix', () => {
  const pod: Client = { origin: 'elsewhere', interface: 'cbr0', source: '10.244.1.11' as Ip };
  const pod6: Client = { ...pod, source: 'fd00:244:1::11' as Ip };
  const nodeIps = ['192.168.0.1', '127.0.0.1', 'fd00::1'] as Ip[];
  const addresses = [
    { ip: '10.96.0.1' as Ip, protocol: 'udp', port: 53 },
    { ip: undefined, protocol: 'tcp', port: 30080 },
  ] as const;
  expect([...packetsTo(addresses, { clients: [pod, pod6], nodeIps })]).toEqual([
    { ...pod, destination: '10.96.0.1', protocol: 'udp', port: 53 },
    { ...pod, destination: '192.168.0.1', protocol: 'tcp', port: 30080 },
    { ...pod, destination: '127.0.0.1', protocol: 'tcp', port: 30080 },
    { ...pod6, destination: 'fd00::1', protocol: 'tcp', port: 30080 },
  ]);
});

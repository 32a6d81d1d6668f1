// What the chain FORWARD of iptables makes of outcomes, with KUBE-FORWARD and without it.
import { expect, test } from 'vitest';
import type { Ip } from '../../../../src/model/ip.ts';
import type { KubeForward } from '../../../../src/netfilter/kube-proxy/forward-filter.ts';
import {
  readForwardFilter,
  throughForward,
} from '../../../../src/netfilter/kube-proxy/forward-filter.ts';
import type { TracedOutcome } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import type { Packet } from '../../../../src/netfilter/trace.ts';

const packet: Packet = {
  origin: 'elsewhere',
  interface: 'outside',
  source: '198.51.100.1' as Ip,
  destination: '203.0.113.10' as Ip,
  protocol: 'tcp',
  port: 80,
};
const forwarded: TracedOutcome = {
  verdict: 'forwarded',
  endpoint: { ip: '10.244.1.11' as Ip, port: 8080 },
  isMasqueraded: true,
  share: 1,
  why: [],
};
const devices: Readonly<Record<string, string>> = {
  '10.244.1.11': 'cni0',
  '198.51.100.1': 'eth0',
};
const kube = '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD';
const answers = '-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT';

type Asked = { readonly outcome?: Partial<TracedOutcome>; readonly origin?: Packet['origin'] };

function verdictOf(
  rules: readonly string[],
  kubeForward: KubeForward,
  { outcome, origin = 'elsewhere' }: Asked = {},
): string | undefined {
  const chains = [':KUBE-FORWARD - [0:0]', ':MINE - [0:0]'];
  const saved = ['*filter', ':FORWARD DROP [0:0]', ...chains, ...rules, 'COMMIT', ''].join('\n');
  const filter = readForwardFilter(saved);
  const path = {
    filters: filter === undefined ? [] : [filter],
    hostIps: ['192.0.2.1' as Ip],
    deviceTo: (ip: Ip) => devices[ip],
  };
  const through = { path, kube: kubeForward };
  const [end] = throughForward([{ ...forwarded, ...outcome }], { ...packet, origin }, through);
  return end?.verdict;
}

test.each<[what: string, rules: readonly string[], now: string, gone: string, there: string]>([
  ['no rule', [], 'dropped', 'dropped', 'forwarded'],
  ['KUBE-FORWARD alone', [kube], 'forwarded', 'dropped', 'forwarded'],
  ['a drop before it', ['-A FORWARD -j DROP', kube], 'dropped', 'dropped', 'dropped'],
  ['a reject before it', ['-A FORWARD -j REJECT', kube], 'rejected', 'rejected', 'rejected'],
  ['answers alone', [answers, kube], 'forwarded', 'dropped', 'forwarded'],
  [
    'a pod network that accepts both ways',
    ['-A FORWARD -o cni0 -j ACCEPT', '-A FORWARD -i cni0 -j ACCEPT', kube],
    'forwarded',
    'forwarded',
    'forwarded',
  ],
  [
    'another interface',
    ['-A FORWARD -o docker0 -j ACCEPT', '-A FORWARD -i docker0 -j ACCEPT', kube],
    'forwarded',
    'dropped',
    'forwarded',
  ],
  [
    'ranges of a chain of its own',
    [
      '-A FORWARD -j MINE',
      '-A MINE -s 10.244.0.0/16 -j ACCEPT',
      '-A MINE -d 10.244.0.0/16 -p tcp -m tcp --dport 8080 -j ACCEPT',
      kube,
    ],
    'forwarded',
    'forwarded',
    'forwarded',
  ],
  [
    'what was translated',
    ['-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT'],
    'forwarded',
    'forwarded',
    'forwarded',
  ],
  // Who knows; it matters only where KUBE-FORWARD decides now.
  [
    'a set',
    ['-A FORWARD -m set --match-set pods dst -j ACCEPT', answers, kube],
    'forwarded',
    'unknown',
    'forwarded',
  ],
  [
    'a set, without KUBE-FORWARD',
    ['-A FORWARD -m set --match-set pods dst -j ACCEPT', answers],
    'forwarded',
    'forwarded',
    'forwarded',
  ],
])('%s', (_, rules, now, gone, there) => {
  const verdicts = (['as it is', 'gone', 'there'] as const).map((one) => verdictOf(rules, one));
  expect(verdicts).toEqual([now, gone, there]);
});

test('what is not masqueraded is not accepted by KUBE-FORWARD', () => {
  expect(verdictOf([kube], 'as it is', { outcome: { isMasqueraded: false } })).toBe('dropped');
});

test('what does not pass FORWARD is left alone', () => {
  expect(verdictOf([], 'gone', { origin: 'node' })).toBe('forwarded');
  const here = { ip: '192.0.2.1' as Ip, port: 6443 };
  expect(verdictOf([], 'gone', { outcome: { endpoint: here } })).toBe('forwarded');
  expect(verdictOf([], 'gone', { outcome: { verdict: 'untouched', endpoint: undefined } })).toBe(
    'untouched',
  );
});

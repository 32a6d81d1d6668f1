// Whether the chain FORWARD of iptables lets Service traffic pass, as doctor says it for each mode.
import { expect, test } from 'vitest';
import { forwardCheck } from '../../../src/backends/iptables/checks.ts';
import { iptablesMode, wanted, well } from './facts.ts';

const docker = [
  '-A FORWARD -j DOCKER-USER',
  '-A FORWARD -j DOCKER-FORWARD',
  '-A DOCKER ! -i docker0 -o docker0 -j DROP',
  '-A DOCKER-BRIDGE -o docker0 -j DOCKER',
  '-A DOCKER-CT -o docker0 -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT',
  '-A DOCKER-FORWARD -j DOCKER-CT',
  '-A DOCKER-FORWARD -j DOCKER-BRIDGE',
];
const translated = '-A FORWARD -m conntrack --ctstate DNAT -j ACCEPT';
const kube = '-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD';

function saved(policy: string, rules: readonly string[]): string {
  const chains = [
    'KUBE-FORWARD',
    'DOCKER-USER',
    'DOCKER-FORWARD',
    'DOCKER',
    'DOCKER-BRIDGE',
    'DOCKER-CT',
  ];
  const declared = chains.map((name) => `:${name} - [0:0]`);
  return ['*filter', `:FORWARD ${policy} [0:0]`, ...declared, ...rules, 'COMMIT', ''].join('\n');
}

const lets = 'ok: lets packets pass';
const stops = `fail: iptables-nft -I ${translated.slice('-A '.length)}`;
const some = 'ok: rules of others let some Service traffic pass, and stop the rest (iptables-nft)';

test.each<[policy: string, rules: readonly string[], found: string]>([
  ['ACCEPT', docker, some],
  ['ACCEPT', [], lets],
  ['DROP', [], stops],
  ['DROP', docker, stops],
  // What KUBE-FORWARD accepts is not accepted in nftables mode.
  ['DROP', [kube], stops],
  ['DROP', [translated, ...docker], lets],
  [
    'DROP',
    ['-A FORWARD -s 10.244.0.0/16 -j ACCEPT', '-A FORWARD -d 10.244.0.0/16 -j ACCEPT'],
    some,
  ],
  ['ACCEPT', ['-A FORWARD -j REJECT --reject-with icmp-host-prohibited'], stops],
  // Answers alone are not enough.
  ['DROP', ['-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT'], stops],
])('with policy %s and %j', (policy, rules, found) => {
  const filter = saved(policy, rules);
  const iptables = [{ variant: 'nft', family: 'IPv4', chains: new Set<string>(), filter }] as const;
  const said = forwardCheck({ ...well, iptables }, wanted);
  expect(said.map(({ status, fix, finding }) => `${status}: ${fix ?? finding}`)).toEqual([found]);
  const inIptablesMode = forwardCheck({ ...well, iptables }, iptablesMode);
  expect(inIptablesMode.map(({ status }) => status)).toEqual(['ok']);
});

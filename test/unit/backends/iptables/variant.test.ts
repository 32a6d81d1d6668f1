// Which iptables is chosen, by what iptables-save prints of each.
import { expect, test } from 'vitest';
import type { Saved } from '../../../../src/backends/iptables/variant.ts';
import { chooseVariant } from '../../../../src/backends/iptables/variant.ts';

function saved(IPv4: string, IPv6 = ''): Saved {
  return { IPv4, IPv6 };
}

const none = saved('');
const hint = ':KUBE-IPTABLES-HINT - [0:0]\n';
const canary = ':KUBE-KUBELET-CANARY - [0:0]\n';
const rules = (count: number): string => '-A OUTPUT -j ACCEPT\n'.repeat(count);

type Row = [name: string, nft: Saved, legacy: Saved, variant: string, why: string];
const rows: Row[] = [
  ['nothing anywhere', none, none, 'nf_tables', 'neither variant had rules'],
  [
    'a hint in nft, and more rules in legacy',
    saved(hint),
    saved(rules(9)),
    'nf_tables',
    'the kubelet has KUBE-IPTABLES-HINT there',
  ],
  [
    'a hint in legacy, and more rules in nft',
    saved(rules(9)),
    saved(hint),
    'legacy',
    'the kubelet has KUBE-IPTABLES-HINT there',
  ],
  [
    "the kubelet's canary of IPv6 in legacy",
    saved(rules(9)),
    saved('', canary),
    'legacy',
    'the kubelet has KUBE-KUBELET-CANARY there',
  ],
  [
    'hints in both',
    saved(`*mangle\n${canary}`),
    saved(hint),
    'nf_tables',
    'the kubelet has KUBE-KUBELET-CANARY there',
  ],
  [
    "kube-proxy's canary alone, which is no hint",
    none,
    saved(':KUBE-PROXY-CANARY - [0:0]\n'),
    'nf_tables',
    'neither variant had rules',
  ],
  [
    'a rule that speaks of the hint',
    none,
    saved('-A OUTPUT -m comment --comment ":KUBE-IPTABLES-HINT -" -j ACCEPT\n'),
    'legacy',
    '1 rules are there, 0 in nft',
  ],
  [
    'more rules in legacy, of both families',
    saved(rules(1), rules(1)),
    saved(rules(1), rules(2)),
    'legacy',
    '3 rules are there, 2 in nft',
  ],
  [
    'as many rules in both',
    saved(rules(2)),
    saved(rules(1), rules(1)),
    'nf_tables',
    '2 rules are there, 2 in legacy',
  ],
];

test.each(rows)('%s', (_, nft, legacy, variant, why) => {
  expect(chooseVariant({ nf_tables: nft, legacy })).toEqual({ variant, why });
});

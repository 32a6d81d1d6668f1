// A rule that is not understood is never passed over in silence: whoever meets it is told so, and all
// others get the answer that they would get without it.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import type { Family } from '../../../../src/model/ip.ts';
import { familyOf } from '../../../../src/model/ip.ts';
import { compare, packetsTo } from '../../../../src/netfilter/kube-proxy/compare.ts';
import type { Packet } from '../../../../src/netfilter/trace.ts';
import type { Rules } from './left-behind.ts';
import { clients, iptablesRules, leftBehind, nftRules, nodeIps, savedText } from './left-behind.ts';

const family: Family = 'IPv4';

function packetsOf(rules: Rules): readonly Packet[] {
  return [...packetsTo(rules.addresses, { clients, nodeIps })].filter(
    ({ destination }) => familyOf(destination) === family,
  );
}

/** Every packet with what is answered to it where every rule is understood. */
function answersOf(rules: Rules): ReadonlyMap<Packet, string> {
  return new Map(packetsOf(rules).map((packet) => [packet, JSON.stringify(rules.trace(packet))]));
}

/** How many packets are told that they met a rule; all others must be answered as before. */
function countTold({ trace }: Rules, answers: ReadonlyMap<Packet, string>): number {
  const silent: Packet[] = [];
  let told = 0;
  for (const [packet, answer] of answers) {
    const outcomes = trace(packet);
    const sum = outcomes.reduce((total, { share }) => total + share, 0);
    if (Math.abs(sum - 1) > 1e-9) silent.push(packet);
    else if (outcomes.some(({ verdict }) => verdict === 'unknown')) told += 1;
    else if (JSON.stringify(outcomes) !== answer) silent.push(packet);
  }
  expect(silent).toEqual([]);
  return told;
}

test('in iptables: a match or a target of another kind', () => {
  const answers = answersOf(leftBehind('iptables', family));
  const lines = savedText('iptables', family).split('\n');
  // Its first matches stay, so that who does not fit them does not meet it.
  const isMet = /^-A (PREROUTING|KUBE-(SERVICES|NODEPORTS|SVC|EXT|SEP|FW)).* -j /;
  const numbers = lines.flatMap((line, number) => (isMet.test(line) ? [number] : []));
  const strange = fc.constantFrom(
    (line: string) => line.replace(/ -j /, ' -m quota --quota 1 -j '),
    // What leads to no chain of kube-proxy's from a chain of the kernel's is somebody else's.
    (line: string) => line.replace(/^(?!-A PREROUTING)(.*) -j .*/, '$1 -j TARPIT'),
    (line: string) => line.replace(/ -m comment /, ' -m set ! --match-set some dst $&'),
  );
  let told = 0;
  fc.assert(
    fc.property(fc.constantFrom(...numbers), strange, (number, change) => {
      const saved = lines.with(number, change(lines[number] ?? '')).join('\n');
      told += countTold(iptablesRules(saved), answers);
    }),
    { numRuns: 25, seed: 11 },
  );
  expect(told).toBe(360);
});

test('in nftables: a statement of another kind at any place', () => {
  const answers = answersOf(leftBehind('nftables', family));
  type Item = { readonly rule?: { readonly expr: readonly object[] } };
  const { nftables } = JSON.parse(savedText('nftables', family)) as { nftables: Item[] };
  const numbers = nftables.flatMap(({ rule }, number) => (rule === undefined ? [] : [number]));
  let told = 0;
  fc.assert(
    fc.property(fc.constantFrom(...numbers), fc.nat(3), (number, at) => {
      const { rule } = nftables[number] ?? {};
      const expr = rule?.expr.toSpliced(at, 0, { quota: { val: 1, val_unit: 'bytes' } });
      const items = nftables.with(number, { rule: { ...rule, expr: expr ?? [] } });
      const changed = nftRules(JSON.stringify({ nftables: items }), family);
      told += countTold(changed, answers);
    }),
    { numRuns: 25, seed: 11 },
  );
  expect(told).toBe(1845);
});

test('what is not understood always counts as a difference', () => {
  const saved = savedText('iptables', family).replaceAll(/ -j DNAT .*/g, ' -j TARPIT');
  const { trace, addresses } = iptablesRules(saved);
  const packets = packetsOf({ trace, addresses });
  const differences = [...compare(packets, { theirs: trace, ours: trace })];
  expect(differences.length).toBe(738);
  expect(differences.at(0)?.theirs.at(0)?.why.at(-1)).toMatch(/^-p tcp .* -j TARPIT$/);
});

test.each([
  ['a chain that leads to itself', '-A KUBE-SERVICES -j KUBE-SERVICES'],
  [
    'two ways at every turn',
    '-A KUBE-SERVICES -m statistic --mode random --probability 0.5 -g KUBE-A\n-A KUBE-SERVICES -g KUBE-A\n' +
      '-A KUBE-A -m statistic --mode random --probability 0.5 -g KUBE-SERVICES\n-A KUBE-A -g KUBE-SERVICES',
  ],
])('rules that no kernel holds have an end: %s', (_, rules) => {
  const saved = `*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-MARK - [0:0]
:KUBE-A - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A KUBE-MARK -j MARK --set-xmark 0x4000/0x4000
${rules}
COMMIT
`;
  const packet = packetsOf(leftBehind('iptables', family)).find(({ origin }) => origin !== 'node');
  const outcomes = packet && iptablesRules(saved).trace(packet);
  expect(outcomes?.some(({ verdict }) => verdict === 'unknown')).toBe(true);
});

test('ways that come to the same are counted once', () => {
  const flip = '-A KUBE-SERVICES -m statistic --mode random --probability 0.7 -j KUBE-MARK';
  const saved = `*nat
:PREROUTING ACCEPT [0:0]
:KUBE-SERVICES - [0:0]
:KUBE-MARK - [0:0]
-A PREROUTING -j KUBE-SERVICES
-A KUBE-MARK -j MARK --xor-mark 0x1
${`${flip}\n`.repeat(1000)}
-A KUBE-SERVICES -m mark --mark 0x1/0x1 -j REJECT
COMMIT
`;
  const packet = packetsOf(leftBehind('iptables', family)).find(({ origin }) => origin !== 'node');
  const outcomes = packet && iptablesRules(saved).trace(packet);
  expect(outcomes?.map(({ verdict, share }) => [verdict, share])).toEqual([
    ['rejected', 0.5],
    ['untouched', 0.5],
  ]);
});

import { expect, test } from 'vitest';
import { encodePlan, limits, locateFailure } from '../../../../src/backends/iptables/restore.ts';
import type { IptablesUnit } from '../../../../src/backends/iptables/unit.ts';
import { chainUnit, jumpUnit } from '../../../../src/backends/iptables/unit.ts';
import { ToolError } from '../../../../src/errors.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import { plan } from '../../../../src/netfilter/plan.ts';

function programOf(...units: IptablesUnit[]): ReadonlyMap<string, IptablesUnit> {
  return new Map(units.map((unit) => [unit.id, unit]));
}

test('one transaction a table: chains, rules, jumps, and what goes leaves last', () => {
  const before = programOf(
    jumpUnit('nat', 'OUTPUT', {
      target: 'KUBE-SERVICES',
      rules: ['-j KUBE-SERVICES', '-j KUBE-SERVICES'],
    }),
    jumpUnit('nat', 'PREROUTING', { target: 'KUBE-OLD', rules: ['-j KUBE-OLD'] }),
    chainUnit('nat', 'KUBE-SERVICES', { rules: ['-j KUBE-OLD'] }),
    chainUnit('nat', 'KUBE-OLD', { rules: ['-j DROP'] }),
    chainUnit('nat', 'KUBE-SAME', { rules: ['-j DROP'] }),
  );
  const after = programOf(
    jumpUnit('nat', 'OUTPUT', { target: 'KUBE-SERVICES', rules: ['-j KUBE-SERVICES'] }),
    chainUnit('filter', 'KUBE-SERVICES', { rules: [] }),
    chainUnit('nat', 'KUBE-SERVICES', { rules: ['-j KUBE-NEW', '-j RETURN'] }),
    chainUnit('nat', 'KUBE-NEW', { rules: ['-j ACCEPT'] }),
    chainUnit('nat', 'KUBE-SAME', { rules: ['-j DROP'] }),
  );
  expect(encodePlan('IPv6', plan(before, after)).split('\n')).toEqual([
    '# ip6tables-restore --noflush',
    '*filter',
    ':KUBE-SERVICES - [0:0]',
    'COMMIT',
    '*nat',
    ':KUBE-SERVICES - [0:0]',
    ':KUBE-NEW - [0:0]',
    ':KUBE-OLD - [0:0]',
    '-D OUTPUT -j KUBE-SERVICES',
    '-D OUTPUT -j KUBE-SERVICES',
    '-D PREROUTING -j KUBE-OLD',
    '-A KUBE-SERVICES -j KUBE-NEW',
    '-A KUBE-SERVICES -j RETURN',
    '-A KUBE-NEW -j ACCEPT',
    '-I OUTPUT -j KUBE-SERVICES',
    '-X KUBE-OLD',
    'COMMIT',
    '',
  ]);
});

test('nothing for an empty plan', () => {
  expect(encodePlan('IPv4', [])).toBe('');
});

/** What the transactions that make chains, and those that fill them, say: one list for each. */
function transactionsOf(text: string): readonly (readonly string[])[] {
  const parts = text.split('COMMIT\n').slice(0, -1);
  return parts.map((part) => part.split('\n').filter((line) => /^[:-]/.test(line)));
}

function manyChains(prefix: string, count: number, target: (n: number) => string) {
  return Array.from({ length: count }, (_, n) =>
    chainUnit('nat', `${prefix}${n}`, { rules: [`-j ${target(n)}`] }),
  );
}

test('a large plan makes chains first, switches over in one transaction, and deletes last', () => {
  const { chains, unsorted } = limits.nf_tables;
  const made = (prefix: string) => manyChains(prefix, chains + 1, () => 'RETURN');
  const root = (target: string) => chainUnit('nat', 'KUBE-SERVICES', { rules: [`-j ${target}`] });
  const steps = plan(programOf(root('A0'), ...made('A')), programOf(root('B0'), ...made('B')));
  const transactions = transactionsOf(encodePlan('IPv4', steps));
  const counts = transactions.map((lines) => lines.length);
  const making = [unsorted, unsorted, chains + 1 - 2 * unsorted];
  expect(counts).toEqual([...making, chains, 1, 2, chains, 1, chains, 1]);
  const switching = making.length + 2;
  expect(transactions[switching]).toEqual([':KUBE-SERVICES - [0:0]', '-A KUBE-SERVICES -j B0']);
  const of = (name: string) => transactions.findIndex((lines) => lines.join().includes(name));
  expect(of('A0')).toBe(switching + 2);
  expect(transactionsOf(encodePlan('IPv4', steps, 'legacy'))).toHaveLength(1);
});

// Who reads them sorts them, and takes longest where they are sorted.
test('iptables-nft makes the chains of a large plan as they come, few at a time', () => {
  const { unsorted } = limits.nf_tables;
  const steps = plan(programOf(), programOf(...manyChains('A', unsorted + 1, () => 'RETURN')));
  const [made = [], rest = []] = transactionsOf(encodePlan('IPv4', steps));
  expect(made.map(nameIn)).toEqual(Array.from({ length: unsorted }, (_, n) => `A${n}`));
  expect(rest.map(nameIn)).toEqual([`A${unsorted}`]);
});

test('iptables-nft finds each chain of a large plan that it fills at the front of its list', () => {
  const { unsorted } = limits.nf_tables;
  const steps = plan(programOf(), programOf(...manyChains('A', unsorted + 1, () => 'RETURN')));
  const filled = transactionsOf(encodePlan('IPv4', steps))[2]?.map(nameIn);
  expect(filled).toHaveLength(unsorted + 1);
  expect(filled).toEqual(filled?.toSorted().toReversed());
});

test('the rules of one transaction lead to no more chains than it can walk past', () => {
  const { unsorted } = limits.nf_tables;
  const leading = manyChains('A', unsorted + 1, (n) => `B${n}`);
  const transactions = transactionsOf(encodePlan('IPv4', plan(programOf(), programOf(...leading))));
  const filling = transactions.filter(([first = '']) => first.startsWith('-A'));
  expect(filling.map((lines) => lines.length)).toEqual([unsorted, 1]);
});

test('what many Services have of their own changes Service by Service, few at a time, then what leads there', () => {
  const { atOnce, unsorted } = limits.nf_tables;
  const services = Array.from({ length: atOnce }, (_, n) => `ns/s${n}` as ServiceKey);
  const of = (mark: string) =>
    programOf(
      chainUnit('nat', 'KUBE-SERVICES', { rules: [`-m ${mark} -j KUBE-SVC-0`] }),
      ...services.flatMap((owner, n) => [
        chainUnit('nat', `KUBE-SVC-${n}`, { rules: [`-m ${mark} -j KUBE-SEP-${n}`], owner }),
        chainUnit('nat', `KUBE-SEP-${n}`, { rules: [`-m ${mark} -j DNAT`], owner }),
      ]),
    );
  const transactions = transactionsOf(encodePlan('IPv4', plan(of('old'), of('new'))));
  expect(transactions.at(-1)).toEqual([
    ':KUBE-SERVICES - [0:0]',
    '-A KUBE-SERVICES -m new -j KUBE-SVC-0',
  ]);
  for (const lines of transactions) {
    const names = lines.flatMap((line) => line.match(/KUBE-\S+|DNAT/g) ?? []);
    expect(new Set(names).size).toBeLessThanOrEqual(unsorted);
  }
  const placeOf = (name: string) =>
    transactions.flatMap((lines, n) => (lines.includes(`:${name} - [0:0]`) ? [n] : []));
  for (const n of services.keys()) {
    expect(placeOf(`KUBE-SVC-${n}`)).toHaveLength(1);
    expect(placeOf(`KUBE-SEP-${n}`)).toEqual(placeOf(`KUBE-SVC-${n}`));
  }
  expect(transactions.flat().toSorted()).toEqual(
    [...of('new').values()].flatMap(({ chain, text }) => [`:${chain} - [0:0]`, text]).toSorted(),
  );
});

function nameIn(line: string): string {
  return /A\d+/.exec(line)?.[0] ?? '';
}

const input = Array.from({ length: 12 }, (_, index) => `-A CHAIN -j TARGET-${index + 1}`).join(
  '\n',
);

test.each([
  [
    'iptables-restore v1.8.9 (nf_tables): unknown option "--x"\nError occurred at line: 6\nTry `iptables-restore -h\' for more',
  ],
  ['iptables-restore: line 6 failed'],
  [
    'iptables-restore v1.8.9 (nf_tables): \nline 6: RULE_APPEND failed (No such file or directory): rule in chain CHAIN',
  ],
])('a failure shows the line it is about: %s', (stderr) => {
  const failed = new ToolError('it failed', {
    command: 'iptables-restore',
    exitCode: 1,
    stderr,
    input,
  });
  const located = locateFailure(failed);
  const lines = located.message.split('\n');
  const said = stderr.replaceAll(/ ?\n/g, '; ');
  expect(lines[0]).toBe(`iptables-restore: line 6 (-A CHAIN -j TARGET-6): ${said}`);
  expect(lines.slice(1)).toEqual([
    '  3: -A CHAIN -j TARGET-3',
    '  4: -A CHAIN -j TARGET-4',
    '  5: -A CHAIN -j TARGET-5',
    '> 6: -A CHAIN -j TARGET-6',
    '  7: -A CHAIN -j TARGET-7',
    '  8: -A CHAIN -j TARGET-8',
    '  9: -A CHAIN -j TARGET-9',
  ]);
  expect([located.command, located.exitCode, located.stderr, located.input, located.cause]).toEqual(
    ['iptables-restore', 1, stderr, input, failed],
  );
});

test('a failure that names no line stays as it is', () => {
  const stderr = 'Another app is currently holding the xtables lock; still 1s 0us time ahead';
  const failed = new ToolError('it failed', {
    command: 'iptables-restore',
    exitCode: 4,
    stderr,
    input,
  });
  expect(locateFailure(failed)).toBe(failed);
});

import { expect, test } from 'vitest';
import {
  chainsPerTransaction,
  encodePlan,
  locateFailure,
} from '../../../src/backends/iptables/restore.ts';
import type { IptablesUnit } from '../../../src/backends/iptables/unit.ts';
import { chainUnit, jumpUnit } from '../../../src/backends/iptables/unit.ts';
import { ToolError } from '../../../src/errors.ts';
import { plan } from '../../../src/netfilter/plan.ts';

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

test('a large plan makes chains first, switches over in one transaction, and deletes last', () => {
  const limit = chainsPerTransaction.nf_tables;
  const made = (prefix: string, count: number) =>
    Array.from({ length: count }, (_, n) =>
      chainUnit('nat', `${prefix}${n}`, { rules: ['-j RETURN'] }),
    );
  const root = (target: string) => chainUnit('nat', 'KUBE-SERVICES', { rules: [`-j ${target}`] });
  const before = programOf(root('A0'), ...made('A', limit + 1));
  const after = programOf(root('B0'), ...made('B', limit + 1));
  const steps = plan(before, after);
  const transactions = encodePlan('IPv4', steps).split('COMMIT\n').slice(0, -1);
  const counts = transactions.map(
    (text) => text.split('\n').filter((line) => /^[:-]/.test(line)).length,
  );
  expect(counts).toEqual([limit, 1, limit, 1, 2, limit, 1, limit, 1]);
  expect(transactions[4]).toBe('*nat\n:KUBE-SERVICES - [0:0]\n-A KUBE-SERVICES -j B0\n');
  expect(transactions.findIndex((text) => text.includes('A0'))).toBe(5);
  expect(encodePlan('IPv4', steps, 'legacy').split('COMMIT\n')).toHaveLength(2);
});

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
  expect(lines[0]).toContain('iptables-restore: line 6 (-A CHAIN -j TARGET-6): iptables-restore');
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

// From what virtual machines send to the table of kernels.
import { expect, test } from 'vitest';
import { hasPassed, parseReport } from '../../kernels/report.ts';
import { kernelTable } from '../../kernels/table.ts';

const versions = { kernel: '5.10.0', nft: 'nftables v1.0.6 (x)', iptables: 'iptables v1.8.9 (y)' };

function sent(testResults: readonly object[]): string {
  return `${JSON.stringify(versions)}\r\n${JSON.stringify({ testResults })}\r\n`;
}

function file(name: string, assertionResults: readonly object[], message = ''): object {
  const hasFailed = message !== '' || assertionResults.some(isFailed);
  return {
    name: `/sluice/${name}`,
    message,
    status: hasFailed ? 'failed' : 'passed',
    assertionResults,
  };
}

const isFailed = (result: object): boolean => 'status' in result && result.status === 'failed';

const tests = (status: string, ...titles: readonly string[]): object => ({
  ancestorTitles: titles.slice(0, -1),
  title: titles.at(-1),
  status,
  failureMessages: status === 'failed' ? ['no answer'] : [],
});

const guest = { name: '5.10', release: 'bookworm', kernel: '5.10.' } as const;

/** The cells below some columns, by row. */
function cells(text: string, ...columns: readonly string[]): readonly (readonly string[])[] {
  const lines = kernelTable([{ guest, report: parseReport(text) }])
    .trimEnd()
    .split('\n');
  const [head = [], , ...rows] = lines.map((line) => line.split('|').map((cell) => cell.trim()));
  return rows.map((row) => columns.map((column) => row[head.indexOf(column)] ?? 'no column'));
}

test('a row for each mode, with the versions', () => {
  expect(cells(sent([]), 'kernel', 'tools of', 'nft', 'iptables', 'mode', 'lab')).toEqual([
    ['5.10.0', 'bookworm', '1.0.6', '1.8.9', 'nftables', 'not run'],
    ['5.10.0', 'bookworm', '1.0.6', '1.8.9', 'iptables', 'not run'],
  ]);
});

test('tests count for their mode and topic; what needs no proxy counts for both', () => {
  const text = sent([
    file('test/lab/lab.test.ts', [tests('passed', 'a lab', 'answers')]),
    file('test/conformance/conformance.test.ts', [
      tests('passed', 'nftables in text', 'clusterip-basic'),
      tests('passed', 'nftables in text', 'lb-local'),
      tests('skipped', 'nftables in JSON', 'lb-local'),
      tests('failed', 'iptables', 'affinity-clientip'),
    ]),
    file('test/cli/cleanup.test.ts', [tests('passed', 'with iptables', 'only what is ours goes')]),
  ]);
  expect(cells(text, 'lab', 'conformance', 'Local', 'affinity', 'clean-up')).toEqual([
    ['1 passed', '1 passed', '1 passed', 'not run', 'not run'],
    ['1 passed', 'not run', 'not run', '0 passed, **1 failed**', '1 passed'],
  ]);
});

test('a file that could not be loaded, or whose hook failed, is a failure', () => {
  const text = sent([
    file('test/kernel/drift.test.ts', [], 'no such module'),
    file('test/cli/verify.test.ts', [tests('passed', 'with nftables', 'all is well')], 'too late'),
  ]);
  expect(cells(text, 'drift', 'verify')).toEqual([
    ['0 passed, **1 failed**', '1 passed, **1 failed**'],
    ['0 passed, **1 failed**', '0 passed, **1 failed**'],
  ]);
});

const conformance = 'test/conformance/conformance.test.ts';
const inBothModes = ['nftables in text', 'iptables'].flatMap((mode) =>
  ['clusterip-basic', 'affinity-clientip', 'lb-local', 'lb-source-ranges', 'udp-basic'].map(
    (name) => tests('passed', mode, name),
  ),
);
const whole = [
  file(conformance, inBothModes),
  ...[
    'test/lab/lab.test.ts',
    'test/kernel/drift.test.ts',
    'test/kernel/start-to-cleanup.test.ts',
  ].map((name) => file(name, [tests('passed', 'in any mode')])),
  ...['test/cli/verify.test.ts', 'test/cli/cleanup.test.ts'].map((name) =>
    file(name, [tests('passed', 'nftables'), tests('passed', 'iptables')]),
  ),
];

test('a kernel has passed when each topic was tested in both modes without a failure', () => {
  const failure = file('test/cli/verify.test.ts', [tests('failed', 'with nftables', 'all')]);
  const runs = [whole, whole.slice(0, -1), [...whole, failure]];
  expect(runs.map((run) => hasPassed(parseReport(sent(run))))).toEqual([true, false, false]);
});

test('a guest that sends half a report is an error', () => {
  expect(() => parseReport(JSON.stringify(versions))).toThrow('no report');
});

// The conntrack entries that `diff` counts, from lines as the conntrack tool prints them.
import { describe, expect, test } from 'vitest';
import { countStaleFlows } from '../../../../src/cli/diff/stale-flows.ts';
import { serviceChanges } from '../../../../src/diff/service-change.ts';
import { MissingToolError, ToolError } from '../../../../src/errors.ts';
import type { ExecLines } from '../../../../src/host/tools/exec-lines.ts';
import { families } from '../../../../src/model/ip.ts';
import type { ClusterObject } from '../../../../src/model/kubernetes.ts';
import { desiredOf } from '../../../../src/sync/offline.ts';
import { nftText } from '../../../scenarios/scenario.ts';
import { configFor } from '../../../support/config.ts';
import { clusterObjects } from '../../../support/service-objects.ts';

const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11'] };
const dns = { name: 'dns', ip: '10.96.0.53', protocol: 'UDP', port: 53 } as const;
const before = clusterObjects([web, { ...dns, endpoints: ['10.244.2.53', '10.244.2.54'] }]);
const after = clusterObjects([
  { ...web, endpoints: [] },
  { ...dns, endpoints: ['10.244.2.54'] },
]);

function line(to: string, port: number, from: string): string {
  const original = `src=10.244.1.13 dst=${to} sport=40033 dport=${port}`;
  return `udp      17 29 ${original} src=${from} dst=10.244.1.13 sport=8080 dport=40033 mark=0 use=1`;
}

const table = [
  line('10.96.0.53', 53, '10.244.2.53'),
  line('10.96.0.53', 53, '10.244.2.53'),
  line('10.96.0.53', 53, '10.244.2.54'),
  // Not a Service's address, and not its port.
  line('10.99.9.9', 53, '10.244.2.53'),
  line('10.96.0.53', 54, '10.244.2.53'),
  'flow entries have been shown',
];

function desired(objects: readonly ClusterObject[]) {
  return desiredOf(nftText, objects, {
    config: configFor('nftables'),
    families,
    hostIps: () => [],
  });
}

const served = (objects: readonly ClusterObject[]) =>
  desired(objects).flatMap((one) => nftText.served(one.family, one.desired.whole()));
const changes = serviceChanges(served(before), served(after));

/** What is counted, and how the tool was called. */
async function count(print: (words: readonly string[]) => readonly string[]) {
  const called: string[] = [];
  const execLines: ExecLines = (file, args, { onLine }) => {
    called.push([file, ...args].join(' '));
    for (const each of print(args)) onLine(each);
    return Promise.resolve();
  };
  const { signal } = new AbortController();
  const around = { execLines, signal, hostIps: () => [] };
  return { counts: await countStaleFlows(changes, desired(after), around), called };
}

describe('entries that lead to endpoints that go', () => {
  test('are counted by the address that they were sent to, of the protocols that changed', async () => {
    expect(await count(() => table)).toEqual({
      counts: new Map([['IPv4 udp 10.96.0.53 53', 2]]),
      called: ['conntrack -L -f ipv4 -p udp'],
    });
  });

  test.each([
    ['is not there', new MissingToolError('conntrack', 'apt-get install conntrack')],
    [
      'may not look',
      new ToolError('no', { command: 'conntrack', exitCode: 1, stderr: '', input: '' }),
    ],
  ])('are not known where the tool %s', async (_, error) => {
    const { counts } = await count(() => {
      throw error;
    });
    expect(counts).toBeUndefined();
  });

  test('any other failure is one', async () => {
    const failed = count(() => {
      throw new TypeError('a bug');
    });
    await expect(failed).rejects.toThrow('a bug');
  });
});

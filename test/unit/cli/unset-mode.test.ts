// A configuration without a mode, as kubeadm writes it: kube-proxy takes that for iptables, Sluice for nftables.
// Whoever compares, or starts, is told once what that changes.
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLine, type Outcome } from '../../support/command-line.ts';
import { modes } from '../../support/network-namespace.ts';
import { nodeInMemory } from '../../support/node-in-memory.ts';
import { manifestOf } from '../../support/service-objects.ts';

const stdin = manifestOf([{ name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11'] }]);
const header =
  'apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nhostnameOverride: node-1\n';

const unset =
  'FILE:4: mode: is not set: Sluice uses nftables, kube-proxy iptables. So node ports ' +
  "answer at the Node's own addresses alone, and do not answer at 127.0.0.1. Set mode: nftables to keep that " +
  '(with nodePortAddresses: ["0.0.0.0/0", "::/0"] for all but loopback), or mode: iptables for what kube-proxy does';

const withAddresses =
  'FILE:4: mode: is not set: Sluice uses nftables, kube-proxy iptables. So node ports ' +
  'do not answer at 127.0.0.1. Set mode: nftables to keep that, or mode: iptables for what kube-proxy does';

type Said = readonly string[];

/** The lines in which a command speaks of the mode that is not set. */
async function saidBy(command: readonly string[], body: string): Promise<Said> {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-mode-'));
  const file = join(folder.path, 'config.conf');
  await writeFile(file, header + body);
  const { exec } = nodeInMemory();
  const args = [...command, '--manifests', '-', '--config', file];
  const until = command.includes('--dry-run') ? { until: 'rules: ' } : {};
  const { stderr }: Outcome = await commandLine(args, { exec, stdin, ...until });
  const lines = stderr.split('\n').filter((line) => line.includes('is not set: '));
  return lines.map((line) => line.replaceAll(file, 'FILE'));
}

const told: readonly (readonly [command: string[], body: string, message: string])[] = [
  [['diff'], 'mode: ""\n', unset],
  [['diff'], '', unset],
  [['takeover', '--shadow'], 'mode: ""\n', unset],
  [['diff'], 'mode: ""\nnodePortAddresses: ["10.0.0.0/8"]\n', withAddresses],
];

test.each(told)('%s of %j says it', async (command, body, message) => {
  expect(await saidBy(command, body)).toEqual([`sluice: ${message.replace(':4:', lineOf(body))}`]);
});

test('a start says it once, in the log, and not as a warning', async () => {
  const [line = '', ...more] = await saidBy(['run', '--dry-run'], 'mode: ""\n');
  expect(more).toEqual([]);
  expect(JSON.parse(line)).toMatchObject({ level: 'info', msg: unset });
});

test.each(modes)('%s that is set is no matter', async (mode) => {
  for (const command of [['diff'], ['takeover', '--shadow'], ['run', '--dry-run']]) {
    expect(await saidBy(command, `mode: ${mode}\n`)).toEqual([]);
  }
});

test('who compares nothing is not told', async () => {
  expect(await saidBy(['render'], 'mode: ""\n')).toEqual([]);
});

function lineOf(body: string): string {
  return body === '' ? ':1:' : ':4:';
}

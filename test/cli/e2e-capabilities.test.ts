// The capabilities that `sluice run` needs, as the Dockerfile states them: root with NET_ADMIN alone, and
// NET_RAW where the node's rules stand in legacy iptables.
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { leavesHostAlone, manifestDigest, SluiceProcess } from '../../src/lab/sluice-process.ts';
import { flagsFor, modes, networkNamespace } from '../support/network-namespace.ts';
import { standWith } from './stand.ts';

const sluice = join(import.meta.dirname, '../../bin/sluice');
const nothing = 'apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\n';

function confined(...capabilities: readonly string[]): readonly [string, ...string[]] {
  const kept = capabilities.map((name) => `,+${name}`).join('');
  return ['setpriv', `--bounding-set=-all${kept}`, '--inh-caps=-all', '--no-new-privs'];
}

describe.each(modes)('%s', (mode) => {
  test('works with NET_ADMIN alone', async () => {
    const { name, folder, manifests } = await standWith(mode, nothing);
    const state = ['--before-file', join(folder, 'before.json'), ...leavesHostAlone];
    const run = [sluice, 'run', ...flagsFor(mode), '--manifests', manifests, ...state];
    const args = ['netns', 'exec', name, ...confined('net_admin'), ...run];
    const running = new SluiceProcess('ip', args);
    onTestFinished(() => running.stop());
    await running.inStep(manifestDigest(nothing));
  });

  test('ends without it, and says what it lacks', async () => {
    const { sluice: run, flags } = await standWith(mode, nothing);
    const outcome = await run(['run', ...flags], confined());
    expect(outcome.exitCode).toBe(2);
    expect(outcome.stderr).toMatch(/^sluice: .*this needs root or CAP_NET_ADMIN$/m);
  });
});

test('conntrack entries are read and removed with NET_ADMIN alone', async () => {
  const { name } = await networkNamespace();
  const list = (...capabilities: readonly string[]) =>
    execa('ip', ['netns', 'exec', name, ...confined(...capabilities), 'conntrack', '-L'], {
      reject: false,
    });
  expect((await list('net_admin')).exitCode).toBe(0);
  expect((await list()).exitCode).toBe(1);
});

test.each([
  [['net_admin'], 3],
  [['net_admin', 'net_raw'], 0],
] as const)('legacy iptables with %j: exit code %i', async (capabilities, exitCode) => {
  const { name } = await networkNamespace();
  const tool = ['iptables-legacy', '-w', '-t', 'nat', '-N', 'TRIAL'];
  const args = ['netns', 'exec', name, ...confined(...capabilities), ...tool];
  expect((await execa('ip', args, { reject: false })).exitCode).toBe(exitCode);
});

// `run --dry-run`, the daemon that changes nothing, by whole command lines: it reads, prints, and goes on until it
// is told to end.
import { expect, test } from 'vitest';
import { flagsFor, modes } from '../../support/network-namespace.ts';
import { nodeInMemory } from '../../support/node-in-memory.ts';
import { manifestOf } from '../../support/service-objects.ts';
import { session } from '../../support/session.ts';

const stdin = manifestOf([{ name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11'] }]);

test.each(modes)('in %s mode', async (mode) => {
  const { exec, iptables } = nodeInMemory();
  const flags = ['--manifests', '-', '--dry-run', ...flagsFor(mode)];
  const { run, text } = session({ exec, stdin }, [
    [` ${flags.join(' ')}`, ''],
    [/"time":"[^"]*"/g, '"time":"TIME"'],
    [/"(ms|planMs)":[\d.]+/g, '"$1":SOME'],
  ]);
  const before = iptables.saved();
  await run(['run', ...flags], { until: 'rules: ' });
  await run(['run', ...flags, '--status-page', '--metrics-bind-address=0.0.0.0:0']);
  await expect(text()).toMatchFileSnapshot(`run.${mode}.txt`);
  expect(iptables.saved()).toBe(before);
  expect(await exec('nft', ['list', 'tables'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
});

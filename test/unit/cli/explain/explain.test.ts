// Where packets go, by whole command lines: in words, for programs, and where the question has no answer.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flagsFor } from '../../../support/network-namespace.ts';
import { session } from '../../../support/session.ts';

const scenario = join(import.meta.dirname, '../../../scenarios/both-policies-local/cluster.yaml');
const stdin = readFileSync(scenario, 'utf8');

test('packets of a Service whose both policies are Local', async () => {
  const flags = ['--manifests', '-', ...flagsFor('nftables')];
  const { run, text } = session({ stdin }, [[` ${flags.join(' ')}`, '']]);
  await run(['explain', 'node', 'demo/web', ...flags]);
  await run(['explain', 'outside', 'demo/web:80', ...flags, '-o', 'json']);
  await run(['explain', 'outside', '192.0.2.77:80', ...flags]);
  await run(['explain', 'nobody/here', 'demo/web', ...flags]);
  await run(['explain', 'node', 'demo/wbe', ...flags]);
  await run(['explain', 'node', 'x:y:z', ...flags]);
  await expect(text()).toMatchFileSnapshot('explain.txt');
});

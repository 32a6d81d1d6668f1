// `sluice status` and `sluice replay` in a network namespace: a daemon at work is asked, and what it
// recorded is run again, without a kernel, to the same plans.
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import type { DaemonStatus } from '../../src/model/daemon-status.ts';
import type { FlightRecord } from '../../src/model/pass-record.ts';
import { modes } from '../support/network-namespace.ts';
import { editedManifest, editTextWithRules, lossyManifest, manifest } from './services.ts';
import { standWith, type Stand } from './stand.ts';

/** A daemon that took over these manifests, one after the other. */
async function daemonAfter(mode: ProxyMode, texts: readonly string[]): Promise<Stand> {
  const stand = await standWith(mode, '');
  await stand.exec('ip', ['link', 'set', 'lo', 'up']);
  const [first = '', ...others] = texts;
  await stand.rewrite(first);
  const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
  await sluice.inStep(manifestDigest(first));
  for (const text of others) {
    await stand.rewrite(text);
    await sluice.inStep(manifestDigest(text));
  }
  return stand;
}

async function recordOf(stand: Stand): Promise<string> {
  const { exitCode, stdout, stderr } = await stand.sluice(['status', '--passes']);
  expect([exitCode, stderr]).toEqual([0, '']);
  const file = join(stand.folder, 'record.json');
  await writeFile(file, stdout);
  return file;
}

describe.each(modes)('with %s', (mode) => {
  test('what a daemon did is told, and planned alike again', async () => {
    const stand = await daemonAfter(mode, [manifest, editedManifest, lossyManifest]);
    const told = await stand.sluice(['status', '-o', 'json']);
    expect([told.exitCode, told.stderr]).toEqual([0, '']);
    const status = JSON.parse(told.stdout) as DaemonStatus;
    expect([status.mode, status.node, status.source]).toEqual([
      mode,
      'node-1',
      { kind: 'manifests', path: stand.manifests, problems: { count: 0, first: [] } },
    ]);
    expect(status.families).toMatchObject([
      { family: 'IPv4', isHealthy: true, services: 4, frontends: 4, endpoints: 5 },
      { family: 'IPv6', isHealthy: true, services: 1, frontends: 1, endpoints: 1 },
    ]);
    const [last, edit] = status.passes.last;
    expect(edit?.changes).toEqual([{ kind: 'EndpointSlice', count: 1, first: ['default/web-1'] }]);
    expect(last?.number).toBe(3);

    const file = await recordOf(stand);
    const replayed = await stand.sluice(['replay', file]);
    expect([replayed.exitCode, replayed.stderr]).toEqual([0, '']);
    expect(replayed.stdout).toContain('3 passes replayed, plans: 6 as recorded, 0 differ\n');
    const step = await stand.sluice(['replay', file, '--step', '2', '--rules']);
    const [, words] = /^pass 2 [^\n]*\n([^]*?)^ {2}IPv4: /m.exec(step.stdout) ?? [];
    expect(words?.replaceAll(/^ {2}/gm, '')).toBe(editTextWithRules(mode));
  });

  test('what stood there before the daemon is part of the record', async () => {
    const stand = await daemonAfter(mode, [manifest]);
    const again = stand.start({
      manifests: stand.manifests,
      proxyMode: mode,
      flags: ['--debug-bind-address', '127.0.0.1:10250', '--healthz-bind-address', ''],
    });
    await again.inStep(manifestDigest(manifest));
    const daemon = ['--daemon', 'http://127.0.0.1:10250'];
    const { stdout } = await stand.sluice(['status', '--passes', ...daemon]);
    const { passes } = JSON.parse(stdout) as FlightRecord;
    expect(passes[0]?.families.map(({ kernel }) => kernel?.found)).toEqual([
      { kind: 'differs', missing: [], present: [] },
      { kind: 'differs', missing: [], present: [] },
    ]);
    const file = join(stand.folder, 'second.json');
    await writeFile(file, stdout);
    const replayed = await stand.sluice(['replay', file]);
    expect([replayed.exitCode, replayed.stdout]).toEqual([
      0,
      expect.stringContaining('1 pass replayed, plans: 2 as recorded, 0 differ'),
    ]);
  });

  test('a record of other objects differs, and one that is none is refused', async () => {
    const stand = await daemonAfter(mode, [manifest, editedManifest]);
    const file = await recordOf(stand);
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replaceAll('10.244.2.13', '10.244.2.99'));
    const differs = await stand.sluice(['replay', file]);
    expect([differs.exitCode, differs.stdout]).toEqual([
      1,
      expect.stringContaining('2 passes replayed, plans: 3 as recorded, 1 differ\n'),
    ]);
    const bad = join(stand.folder, 'bad.json');
    const say = async (content: string): Promise<unknown> => {
      await writeFile(bad, content);
      const { exitCode, stdout, stderr } = await stand.sluice(['replay', bad]);
      return [exitCode, stdout, stderr.replaceAll(stand.folder, '')];
    };
    const none = 'this is not what sluice status --passes of this version prints';
    expect(await say('{}')).toEqual([2, '', `sluice: "/bad.json": ${none}\n`]);
    const record = JSON.parse(text) as FlightRecord;
    const steps = record.steps.map((step) => ({ ...step, config: 7 }));
    expect(await say(JSON.stringify({ ...record, steps }))).toEqual([
      2,
      '',
      'sluice: "/bad.json": there is no configuration 7 or addresses 0\n',
    ]);
    const broken = JSON.stringify({ ...record, base: { ...record.base, objects: [{}] } });
    expect(await say(broken)).toEqual([2, '', expect.stringMatching(/^sluice: "\/bad.json": \w/)]);
  });
});

test('nobody there is a failure, and a Service that lost its address is something to look at', async () => {
  const two = `
apiVersion: v1
kind: Service
metadata: { name: old, creationTimestamp: "2020-01-01T00:00:00Z" }
spec: { clusterIP: 10.96.0.10, ports: [{ port: 80 }] }
---
apiVersion: v1
kind: Service
metadata: { name: young, creationTimestamp: "2021-01-01T00:00:00Z" }
spec: { clusterIP: 10.96.0.10, ports: [{ port: 80 }] }
`;
  const stand = await daemonAfter('nftables', [two]);
  const { exitCode, stdout } = await stand.sluice(['status']);
  expect([exitCode, stdout]).toEqual([
    1,
    expect.stringContaining(
      'conflicts: addresses that another Service has\n' +
        '  IPv4 default/young: tcp 10.96.0.10 80: default/old is older and has it\n',
    ),
  ]);
  const nobody = await stand.sluice(['status', '--daemon', 'http://127.0.0.1:10999']);
  expect([nobody.exitCode, nobody.stderr]).toEqual([
    2,
    'sluice: http://127.0.0.1:10999/debug/status: no daemon answers there (connect ECONNREFUSED 127.0.0.1:10999)\n',
  ]);
});

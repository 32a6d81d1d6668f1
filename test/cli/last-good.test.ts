// What a running daemon does with a manifest that goes bad: the last good rules stay for just what
// cannot be used, everything else goes on, and a mend is taken over.
import { rm, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes, replaceFile } from '../support/network-namespace.ts';
import { manifestOf, type ServiceSpec } from '../support/service-objects.ts';
import { standWith } from './stand.ts';

type Endpoints = Readonly<Record<'a' | 'b' | 'c', readonly string[]>>;

function services(endpoints: Endpoints): string {
  const specs: readonly ServiceSpec[] = [
    { name: 'a', ip: '10.96.0.1', endpoints: endpoints.a },
    { name: 'b', ip: '10.96.0.2', endpoints: endpoints.b },
    { name: 'c', ip: '10.96.0.3', endpoints: endpoints.c },
  ];
  return manifestOf(specs);
}

const first: Endpoints = { a: ['10.244.2.1'], b: ['10.244.2.2'], c: ['10.244.2.3'] };
const changed: Endpoints = { a: ['10.244.2.1', '10.244.2.11'], b: first.b, c: ['10.244.2.13'] };
const mended: Endpoints = { ...changed, b: ['10.244.2.2', '10.244.2.12'] };

const goodText = services(first);
const noYaml = `${goodText}---\nkind: [Service\n`;
const oneBad = services(changed).replace('10.96.0.2\n', '10.96.0.300\n');
const mendedText = services(mended);

describe.each(modes)('with %s', (mode) => {
  test('only what is bad keeps its last good rules', async () => {
    const stand = await standWith(mode, goodText);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
    const expectKernelHolds = async (endpoints: Endpoints): Promise<void> => {
      const wanted = join(stand.folder, 'wanted.yaml');
      await replaceFile(wanted, services(endpoints));
      const diff = await stand.sluice(['diff', ...stand.flags, '--manifests', wanted]);
      expect(diff).toEqual({ exitCode: 0, stdout: '', stderr: '' });
    };
    /** The complaints logged from the version before to this one. */
    const complaintsAfter = async (text: string): Promise<readonly string[]> => {
      const known = sluice.log.length;
      await stand.rewrite(text);
      await sluice.inStep(manifestDigest(text));
      return complaintsIn(sluice.log.slice(known)).map((line) =>
        line.replace(stand.manifests, 'FILE'),
      );
    };

    await sluice.inStep(manifestDigest(goodText));
    await expectKernelHolds(first);
    const rules = await allRules(stand.exec, mode);

    const end = noYaml.split('\n').length;
    expect(await complaintsAfter(noYaml)).toEqual([`FILE:${end}: deficient indentation`]);
    expect(await allRules(stand.exec, mode)).toBe(rules);

    const line = oneBad.split('\n').indexOf('  clusterIP: 10.96.0.300') + 1;
    expect(await complaintsAfter(oneBad)).toEqual([
      `FILE:${line}: Service default/b: spec.clusterIP: "10.96.0.300" is not an IP address`,
    ]);
    await expectKernelHolds(changed);

    expect(await complaintsAfter(mendedText)).toEqual([]);
    await expectKernelHolds(mended);
  });
});

describe.each(modes)('over a restart, with %s', (mode) => {
  test('the rules of what is bad now stay, and it is named wherever people look', async () => {
    const stand = await standWith(mode, goodText);
    await stand.exec('ip', ['link', 'set', 'lo', 'up']);
    const start = () =>
      stand.start({ manifests: stand.manifests, proxyMode: mode, flags: ['--status-page'] });
    const first = start();
    await first.inStep(manifestDigest(goodText));
    const rules = await allRules(stand.exec, mode);
    await first.stop();
    const badText = goodText.replace('10.96.0.2\n', '10.96.0.300\n');
    await stand.rewrite(badText);
    const sluice = start();
    await sluice.inStep(manifestDigest(badText));
    expect(await allRules(stand.exec, mode)).toBe(rules);

    const problem = 'Service default/b: spec.clusterIP: "10.96.0.300" is not an IP address';
    const status = await stand.sluice(['status']);
    const line = badText.split('\n').findIndex((text) => text.includes('10.96.0.300')) + 1;
    const section = `manifests that cannot be used: what was good before is kept\n  ${stand.manifests}:${line}: ${problem}\n\n`;
    expect([status.exitCode, status.stderr]).toEqual([1, '']);
    expect(status.stdout.slice(status.stdout.indexOf('manifests that'))).toMatch(section);
    const get = async (at: string): Promise<string> =>
      (await stand.exec('curl', ['-s', `http://127.0.0.1:${at}`])).stdout;
    const metrics = await get('10249/metrics');
    expect(metrics.match(/^sluice_object_problems .*$/gm)).toEqual(['sluice_object_problems 1']);
    expect(await get('10247/status')).toContain(problem.replaceAll('"', '&quot;'));

    await rm(stand.manifests);
    await symlink('services.yaml', stand.manifests);
    await sluice.logged(`${stand.manifests}: too many symbolic links`, 0);
    expect(await allRules(stand.exec, mode)).toBe(rules);
    await sluice.stop();
  });
});

function complaintsIn(log: readonly string[]): readonly string[] {
  return log
    .map((line) => JSON.parse(line) as { level: string; msg: string })
    .filter(({ level }) => level !== 'info')
    .map(({ msg }) => msg);
}

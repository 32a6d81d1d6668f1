// What would change is shown, against a kernel and against saved rules, by whole command lines in both modes.
import { families } from '../../../../src/model/ip.ts';
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { manifestOf } from '../../../support/service-objects.ts';
import { session } from '../../../support/session.ts';

const api = { name: 'api', ip: '10.96.0.20', endpoints: ['10.244.2.21', '10.244.2.22'] };
const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11', '10.244.2.12'] };
const six = { name: 'six', ip: 'fd00:96::60', endpoints: ['fd00:244:2::11'] };
const before = { stdin: manifestOf([api, web]) };
const after = { stdin: manifestOf([{ ...web, endpoints: ['10.244.2.11', '10.244.2.13'] }, six]) };

test.each(modes)('in %s mode', async (mode) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-diff-'));
  const [saved, none] = [join(folder.path, 'rules'), join(folder.path, 'none')];
  const { exec, files } = nodeInMemory();
  files.set('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
  const flags = ['--manifests', '-', ...flagsFor(mode)];
  const { run, text } = session({ exec }, [
    [` ${flags.join(' ')}`, ''],
    [folder.path, 'FOLDER'],
  ]);

  await run(['diff', ...flags], before);
  await run(['takeover', ...flags, '--before-file', none], before);
  await run(['diff', ...flags], before);
  await run(['diff', ...flags, '--rules'], after);
  await run(['diff', ...flags, '--refuse-if-endpoints-lost=30%'], after);
  await run(['diff', ...flags, '--refuse-if-services-lost=0'], after);
  await run(['diff', ...flags, '--refuse-if-services-lost=all'], after);

  // iptables-restore takes one family: a saved ruleset of both is one after the other.
  const forms = mode === 'nftables' ? [['-o', 'json']] : families.map((one) => ['--family', one]);
  const rendered: string[] = [];
  for (const form of forms) {
    const { stdout } = await session({ exec }).run(['render', ...flags, ...form], before);
    rendered.push(stdout);
  }
  await writeFile(saved, rendered.join(''));
  await run(['diff', ...flags, '--against', saved], before);
  await run(['diff', ...flags, '--against', saved, '-o', 'json'], after);
  await writeFile(saved, 'no rules');
  await run(['diff', ...flags, '--against', saved], after);
  await run(['diff', ...flags, '--against', none], after);
  await expect(text()).toMatchFileSnapshot(`diff.${mode}.txt`);
});

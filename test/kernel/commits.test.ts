// What a kernel is asked about and told is committed here, and not only checked: Linux 6.8 and newer leave out of
// `nft --check` what they validate in whole chains.
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { sample } from '../../src/backends/nftables/probe.ts';
import { familyWords, tableName } from '../../src/backends/nftables/schema.ts';
import { families } from '../../src/model/ip.ts';
import {
  iptables,
  nftJson,
  nftText,
  readScenario,
  scenarioNames,
  transactions,
} from '../scenarios/scenario.ts';
import { networkNamespace } from '../support/network-namespace.ts';
import { machine } from '../support/nftables-machine.ts';

const scenarios = await Promise.all(
  scenarioNames.map((name) => readScenario(join(import.meta.dirname, '../scenarios', name))),
);

describe.each(['text', 'json'] as const)('the kernel commits in %s', (input) => {
  const args = [...(input === 'json' ? ['-j'] : []), '-f', '-'];

  test('what a start asks it about', async () => {
    const { recorder } = await machine(input);
    await recorder.exec('nft', args, { input: sample(input) });
    const { stdout } = await recorder.exec('nft', ['list', 'tables']);
    expect(stdout).toBe('table ip sluice-probe\n');
  });

  test('every golden', async () => {
    const { recorder } = await machine(input);
    const backend = input === 'json' ? nftJson : nftText;
    for (const scenario of scenarios) {
      const inputs = transactions(backend, scenario);
      for (const family of families) {
        const { base, golden } = inputs[family];
        await recorder.exec('nft', args, { input: base });
        if (golden !== '') await recorder.exec('nft', args, { input: golden });
        await recorder.exec('nft', ['delete', 'table', familyWords[family].table, tableName]);
      }
    }
  });
});

test('the kernel commits every golden of iptables mode', async () => {
  for (const scenario of scenarios) {
    const { exec } = await networkNamespace();
    const { IPv4, IPv6 } = transactions(iptables, scenario);
    for (const [tool, { base, golden }] of [
      ['iptables-restore', IPv4],
      ['ip6tables-restore', IPv6],
    ] as const) {
      await exec(tool, ['--noflush'], { input: base });
      if (golden !== '') await exec(tool, ['--noflush'], { input: golden });
    }
  }
});

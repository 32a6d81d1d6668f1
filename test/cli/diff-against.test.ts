// `sluice diff --against`: rulesets that somebody saved, of every form that there is.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../src/model/config.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes } from '../support/network-namespace.ts';
import { editedManifest, editText, manifest } from './services.ts';
import { apply, standWith, type Stand } from './stand.ts';

const inStep = { exitCode: 0, stdout: '', stderr: '' };

type Source = { readonly mode: ProxyMode; readonly from: string; readonly save: Save };
type Save = (stand: Stand) => Promise<string>;

const printed =
  (...commands: readonly (readonly [file: string, ...args: string[]])[]): Save =>
  async ({ exec }) => {
    const texts: string[] = [];
    for (const [file, ...args] of commands) texts.push((await exec(file, args)).stdout);
    return texts.join('');
  };

const rendered =
  (...flags: readonly string[]): Save =>
  async (stand) =>
    (await stand.sluice(['render', ...stand.flags, ...flags])).stdout;

const sources: readonly Source[] = [
  {
    mode: 'nftables',
    from: 'nft -j list ruleset',
    save: printed(['nft', '-j', 'list', 'ruleset']),
  },
  { mode: 'nftables', from: 'nft list ruleset', save: printed(['nft', 'list', 'ruleset']) },
  {
    mode: 'nftables',
    from: 'nft list table ip sluice',
    save: printed(['nft', 'list', 'table', 'ip', 'sluice']),
  },
  { mode: 'nftables', from: 'sluice render', save: rendered() },
  { mode: 'nftables', from: 'sluice render -o json', save: rendered('-o', 'json') },
  { mode: 'iptables', from: 'iptables-save', save: printed(['iptables-save']) },
  {
    mode: 'iptables',
    from: 'iptables-save and ip6tables-save',
    save: printed(['iptables-save'], ['ip6tables-save']),
  },
  { mode: 'iptables', from: 'sluice render', save: rendered() },
];

describe.each(sources)('against what $from saved of $mode', ({ mode, save }) => {
  test('only an edit makes a difference', async () => {
    const stand = await standWith(mode, manifest);
    await apply(stand, mode, manifest);
    const file = join(stand.folder, 'saved');
    await writeFile(file, await save(stand));
    // Another namespace: what its kernel holds, nothing, must not matter.
    const elsewhere = await standWith(mode, manifest);
    const diff = ['diff', ...elsewhere.flags, '--against', file];
    expect(await elsewhere.sluice(diff)).toEqual(inStep);
    await elsewhere.rewrite(editedManifest);
    const edited = { exitCode: 1, stdout: editText(mode), stderr: '' };
    expect(await elsewhere.sluice(diff)).toEqual(edited);
    expect(await allRules(elsewhere.exec, mode)).toBe('');
  });
});

describe.each(modes)('against what is no ruleset of %s', (mode) => {
  test.each([
    { what: 'a missing file', text: undefined, says: /no such file/ },
    { what: 'garbage', text: 'what a pity\n', says: new RegExp(`that ${mode} mode can read`) },
    {
      what: 'JSON of another kind',
      text: '{"a":1}\n',
      says: new RegExp(`that ${mode} mode can read`),
    },
  ])('$what is an error of one line', async ({ text, says }) => {
    const stand = await standWith(mode, manifest);
    const file = join(stand.folder, 'saved');
    if (text !== undefined) await writeFile(file, text);
    const outcome = await stand.sluice(['diff', ...stand.flags, '--against', file]);
    expect(outcome).toEqual({
      exitCode: 2,
      stdout: '',
      stderr: expect.stringMatching(/^sluice: --against.*\n$/),
    });
    expect(outcome.stderr).toContain(file);
    expect(outcome.stderr).toMatch(says);
  });
});

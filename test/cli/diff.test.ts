// `sluice diff` against real kernels and saved rulesets: what it prints, how it ends, and that it
// changes nothing.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../src/model/config.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes } from '../support/network-namespace.ts';
import { editedManifest, editText, manifest } from './services.ts';
import { apply, standWith, type Stand } from './stand.ts';

/** What an empty kernel lacks of `default/web`, and the Services that have such a section. */
const lacking: Readonly<Record<ProxyMode, { owners: readonly string[]; web: string }>> = {
  nftables: {
    owners: ['api', 'dns', 'idle', 'mail', 'six', 'web'],
    web: `default/web
  + IPv4 cluster-ips { 10.96.0.10 }
  + IPv4 service-ips { 10.96.0.10 . tcp . 80 comment "default/web" : goto KUBE-SVC-TCP-2 }
  + IPv4 endpoints-tcp { 10.96.0.10 . 80 . 0 : 10.244.2.11 . 8080 }
  + IPv4 endpoints-tcp { 10.96.0.10 . 80 . 1 : 10.244.2.12 . 8080 }
`,
  },
  iptables: {
    // What is refused stands in a chain that all Services share.
    owners: ['api', 'dns', 'mail', 'six', 'web'],
    web: `default/web
  + IPv4 nat KUBE-SVC-LOLE4ISW44XBNF3G
      -A KUBE-SVC-LOLE4ISW44XBNF3G ! -s 10.244.0.0/16 -d 10.96.0.10/32 -p tcp -m comment --comment "default/web cluster IP" -m tcp --dport 80 -j KUBE-MARK-MASQ
      -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.11:8080" -m statistic --mode random --probability 0.50000000000 -j KUBE-SEP-IDQDQQO4UFHKBJMQ
      -A KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.2.12:8080" -j KUBE-SEP-Q3DMFNEMESXUC7IT
  + IPv4 nat KUBE-SEP-IDQDQQO4UFHKBJMQ
      -A KUBE-SEP-IDQDQQO4UFHKBJMQ -s 10.244.2.11/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
      -A KUBE-SEP-IDQDQQO4UFHKBJMQ -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.2.11:8080
  + IPv4 nat KUBE-SEP-Q3DMFNEMESXUC7IT
      -A KUBE-SEP-Q3DMFNEMESXUC7IT -s 10.244.2.12/32 -m comment --comment "default/web" -j KUBE-MARK-MASQ
      -A KUBE-SEP-Q3DMFNEMESXUC7IT -p tcp -m comment --comment "default/web" -m tcp -j DNAT --to-destination 10.244.2.12:8080
`,
  },
};

const inStep = { exitCode: 0, stdout: '', stderr: '' };

describe.each(modes)('with %s', (mode) => {
  test('an empty kernel lacks everything, told Service by Service', async () => {
    const stand = await standWith(mode, manifest);
    const { exitCode, stdout, stderr } = await stand.sluice(['diff', ...stand.flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    expect(headings(stdout)).toEqual([
      'every Service',
      ...lacking[mode].owners.map((name) => `default/${name}`),
    ]);
    expect(signs(stdout)).toEqual(['+']);
    expect(section(stdout, 'default/web')).toBe(lacking[mode].web);
    expect(stdout).toMatch(/\n\n\d+ to add, 0 to change, 0 to remove\n$/);
    expect(await allRules(stand.exec, mode)).toBe('');
  });

  test('a kernel in step differs in nothing, and then in just what was edited', async () => {
    const stand = await standWith(mode, manifest);
    await apply(stand, mode, manifest);
    const before = await allRules(stand.exec, mode);
    const diff = ['diff', ...stand.flags];
    expect(await stand.sluice(diff)).toEqual(inStep);
    await stand.rewrite(editedManifest);
    const edited = { exitCode: 1, stdout: editText[mode], stderr: '' };
    expect(await stand.sluice(diff)).toEqual(edited);
    const coloured = await stand.sluice([...diff, '--color', 'always']);
    expect(coloured.stdout.split('\n', 1)).toEqual(['\u001B[1mdefault/web\u001B[22m']);
    expect(stripVTControlCharacters(coloured.stdout)).toBe(editText[mode]);
    expect(await allRules(stand.exec, mode)).toBe(before);
  });
});

test('JSON for programs holds the same operations, before and after', async () => {
  const stand = await standWith('nftables', manifest);
  await apply(stand, 'nftables', manifest);
  const diff = ['diff', ...stand.flags, '--output', 'json'];
  const same = await stand.sluice(diff);
  expect({ ...same, stdout: JSON.parse(same.stdout) }).toEqual({
    ...inStep,
    stdout: { inStep: true, operations: [] },
  });
  await stand.rewrite(editedManifest);
  const edited = await stand.sluice(diff);
  const element = { family: 'IPv4', service: 'default/web', kind: 'element' };
  const frontend = 'service-ips { 10.96.0.10 . tcp . 80 comment "default/web" : goto KUBE-SVC-TCP-';
  expect({ ...edited, stdout: JSON.parse(edited.stdout) }).toEqual({
    exitCode: 1,
    stderr: '',
    stdout: {
      inStep: false,
      operations: [
        {
          ...element,
          op: 'replace',
          id: 'service-ips 10.96.0.10 . tcp . 80',
          before: `${frontend}2 }`,
          after: `${frontend}3 }`,
        },
        {
          ...element,
          op: 'create',
          id: 'endpoints-tcp 10.96.0.10 . 80 . 2',
          after: 'endpoints-tcp { 10.96.0.10 . 80 . 2 : 10.244.2.13 . 8080 }',
        },
      ],
    },
  });
});

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
    const edited = { exitCode: 1, stdout: editText[mode], stderr: '' };
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

function headings(text: string): readonly string[] {
  return text.split('\n').filter((line) => /^(every|default)/.test(line));
}

function signs(text: string): readonly string[] {
  return [...new Set([...text.matchAll(/^ {2}(\S) IPv[46] /gm)].map(([, sign = '']) => sign))];
}

function section(text: string, heading: string): string | undefined {
  const sections = text.split('\n\n').map((part) => `${part}\n`);
  return sections.find((part) => part.startsWith(`${heading}\n`));
}

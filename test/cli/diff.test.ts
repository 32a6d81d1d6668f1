// `sluice diff` against real kernels and saved rulesets: what it prints, how it ends, and that it
// changes nothing.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../src/model/config.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes } from '../support/network-namespace.ts';
import { manifestOf } from '../support/service-objects.ts';
import {
  editedManifest,
  editText,
  editTextWithRules,
  lossyManifest,
  manifest,
} from './services.ts';
import { apply, standWith, type Stand } from './stand.ts';

/** The rules that an empty kernel lacks of `default/web`, and the Services that have such a section. */
const lacking: Readonly<Record<ProxyMode, { owners: readonly string[]; web: string }>> = {
  nftables: {
    owners: ['api', 'dns', 'idle', 'mail', 'six', 'web'],
    web: `default/web
  + IPv4 cluster-ips { 10.96.0.10 }
  + IPv4 service-ips { 10.96.0.10 . tcp . 80 comment "default/web" : goto KUBE-SVC-tcp-2 }
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

/** What every Service gets, in words. */
const added = [
  '+ default/api: added, at 10.96.0.20:80/tcp, with 2 endpoints',
  '+ default/dns: added, at 10.96.0.53:53/udp, with 1 endpoint',
  '+ default/idle: added, at 10.96.0.30:80/tcp, without an endpoint',
  '+ default/mail: added, at 10.96.0.40:80/tcp, with 3 endpoints',
  '+ default/six: added, at [fd00:96::60]:80/tcp, with 1 endpoint',
  '+ default/web: added, at 10.96.0.10:80/tcp, with 2 endpoints',
];

describe.each(modes)('with %s', (mode) => {
  test('an empty kernel lacks everything, told Service by Service', async () => {
    const stand = await standWith(mode, manifest);
    const { exitCode, stdout, stderr } = await stand.sluice(['diff', ...stand.flags]);
    expect({ exitCode, stderr }).toEqual({ exitCode: 1, stderr: '' });
    const lines = stdout.split('\n').filter((line) => !line.startsWith('~ setting '));
    expect(lines.slice(0, added.length)).toEqual(added);
    expect(lines.slice(added.length)).toEqual([
      expect.stringMatching(/^\+ what all Services share: .*\d+ chains added$/),
      '',
      expect.stringMatching(
        /^Services: 6 added, 0 changed, 0 removed; endpoints: 9 added, 0 removed; rules: \d+ to add, 0 to change, 0 to remove(; settings: \d to change)?$/,
      ),
      '',
    ]);
    expect(await allRules(stand.exec, mode)).toBe('');
  });

  test('the rules behind it come below the words', async () => {
    const stand = await standWith(mode, manifest);
    const { exitCode, stdout } = await stand.sluice(['diff', '--rules', ...stand.flags]);
    expect(exitCode).toBe(1);
    expect(stdout.split('\n').slice(0, added.length)).toEqual(added);
    expect(headings(stdout)).toEqual([
      'every Service',
      ...lacking[mode].owners.map((name) => `default/${name}`),
    ]);
    expect(signs(stdout)).toEqual(['+']);
    expect(section(stdout, 'default/web')).toBe(lacking[mode].web);
  });

  test('a kernel in step differs in nothing, and then in just what was edited', async () => {
    const stand = await standWith(mode, manifest);
    await apply(stand, mode, manifest);
    const before = await allRules(stand.exec, mode);
    const diff = ['diff', ...stand.flags];
    expect(await stand.sluice(diff)).toEqual(inStep);
    await stand.rewrite(editedManifest);
    const edited = { exitCode: 1, stdout: editText(mode), stderr: '' };
    expect(await stand.sluice(diff)).toEqual(edited);
    const withRules = { ...edited, stdout: editTextWithRules(mode) };
    expect(await stand.sluice([...diff, '--rules'])).toEqual(withRules);
    const coloured = await stand.sluice([...diff, '--color', 'always']);
    expect(coloured.stdout.split('\n', 1)).toEqual([
      '\u001B[33m~\u001B[39m \u001B[1mdefault/web\u001B[22m: endpoint 10.244.2.13:8080 added, 3 instead of 2',
    ]);
    expect(stripVTControlCharacters(coloured.stdout)).toBe(editText(mode));
    expect(await allRules(stand.exec, mode)).toBe(before);
  });

  test('limits to what may be lost refuse with an exit code of their own', async () => {
    const stand = await standWith(mode, manifest);
    await apply(stand, mode, manifest);
    const diff = ['diff', ...stand.flags];
    const gate = (...limits: readonly string[]) => stand.sluice([...diff, ...limits]);
    // default/mail keeps two of three endpoints, and default/api goes.
    await stand.rewrite(lossyManifest);
    const words = [
      '- default/api: removed, at 10.96.0.20:80/tcp, with 2 endpoints',
      '~ default/mail: endpoint 10.244.2.43:8080 removed, 2 of 3 left',
    ];
    const allowed = await gate('--refuse-if-endpoints-lost=34%', '--refuse-if-services-lost', '1');
    expect(allowed).toMatchObject({ exitCode: 1, stderr: '' });
    expect(allowed.stdout.split('\n').slice(0, 2)).toEqual(words);
    expect(await gate('--refuse-if-endpoints-lost=33%')).toEqual({
      exitCode: 3,
      stdout: allowed.stdout,
      stderr:
        'sluice: refused: default/api would lose 2 of 2 endpoints (100%), more than 33%\n' +
        'sluice: refused: default/mail would lose 1 of 3 endpoints (33%), more than 33%\n',
    });
    expect(await gate('--refuse-if-services-lost=10%')).toEqual({
      exitCode: 3,
      stdout: allowed.stdout,
      stderr: 'sluice: refused: 1 of 6 Services would go (17%), more than 10%\n',
    });
    // What is in step passes any gate.
    await stand.rewrite(manifest);
    expect(await gate('--refuse-if-endpoints-lost=0%')).toEqual(inStep);
  });

  test('conntrack entries that lead to endpoints that go are counted', async () => {
    const stand = await standWith(mode, manifest);
    await apply(stand, mode, manifest);
    await addFlow(stand, { client: '10.244.2.99', port: 4001, answersFrom: '10.244.2.53' });
    await addFlow(stand, { client: '10.244.2.99', port: 4002, answersFrom: '10.244.2.53' });
    // One that leads to an endpoint that stays.
    await addFlow(stand, { client: '10.244.2.99', port: 4003, answersFrom: '10.244.2.54' });
    await stand.rewrite(manifest.replaceAll('10.244.2.53', '10.244.2.54'));
    const { stdout } = await stand.sluice(['diff', ...stand.flags]);
    const [line, ...rest] = stdout.trimEnd().split('\n');
    expect(line).toBe(
      '~ default/dns: endpoints 10.244.2.54:8080 added, 10.244.2.53:8080 removed, 1 as before; 2 conntrack entries will be removed',
    );
    expect(rest.at(-1)).toMatch(/; conntrack entries: 2 to remove$/);
    // A saved ruleset says nothing of this machine's connections.
    const file = join(stand.folder, 'saved');
    await writeFile(file, (await stand.sluice(['render', ...stand.flags])).stdout);
    await stand.rewrite(manifest);
    const saved = await stand.sluice(['diff', ...stand.flags, '--against', file]);
    expect(saved.stdout).not.toContain('conntrack');
  });
});

test('a first start of many Services names the first 20, and all of them on request', async () => {
  const names = Array.from(
    { length: 25 },
    (_, number) => `many-${String(number).padStart(2, '0')}`,
  );
  const many = manifestOf(
    names.map((name, number) => ({ name, ip: `10.96.1.${number}`, endpoints: ['10.244.2.11'] })),
  );
  const stand = await standWith('nftables', many);
  const diff = ['diff', ...stand.flags];
  const { stdout } = await stand.sluice(diff);
  const line = (name: string, number: number): string =>
    `+ default/${name}: added, at 10.96.1.${number}:80/tcp, with 1 endpoint`;
  expect(stdout.split('\n').slice(0, 21)).toEqual([
    ...names.slice(0, 20).map(line),
    '+ 5 more added (--all)',
  ]);
  const all = await stand.sluice([...diff, '--all']);
  expect(all.stdout.split('\n').slice(0, 25)).toEqual(names.map(line));
});

test.each([
  ['--refuse-if-endpoints-lost', '30', 'endpoints-lost'],
  ['--refuse-if-endpoints-lost', '101%', 'endpoints-lost'],
  ['--refuse-if-services-lost', 'some', 'services-lost'],
])('%s %s is refused as no limit', async (flag, value, gate) => {
  const stand = await standWith('nftables', manifest);
  expect(await stand.sluice(['diff', ...stand.flags, flag, value])).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `sluice: --refuse-if-${gate}: "${value}" is no limit such as 30%\n`,
  });
});

test('JSON for programs holds words, facts, the sum and the operations', async () => {
  const stand = await standWith('nftables', manifest);
  await apply(stand, 'nftables', manifest);
  const diff = ['diff', ...stand.flags, '--output', 'json'];
  const same = await stand.sluice(diff);
  const nothing = {
    services: { added: 0, changed: 0, removed: 0 },
    endpoints: { added: 0, removed: 0 },
    conntrackEntries: 0,
    rules: { add: 0, change: 0, remove: 0 },
    settings: 0,
    files: 0,
  };
  const node = { rulesets: [], settings: [], files: [], comparisons: [] };
  expect({ ...same, stdout: JSON.parse(same.stdout) }).toEqual({
    ...inStep,
    stdout: { inStep: true, summary: nothing, services: [], refused: [], operations: [], node },
  });
  await stand.rewrite(lossyManifest);
  const lossy = await stand.sluice([...diff, '--refuse-if-services-lost', '0']);
  const { summary, services, refused, operations } = JSON.parse(lossy.stdout);
  expect(lossy.exitCode).toBe(3);
  expect(summary).toEqual({
    ...nothing,
    services: { added: 0, changed: 1, removed: 1 },
    endpoints: { added: 0, removed: 3 },
    rules: expect.any(Object),
  });
  const address = { ip: '10.96.0.40', protocol: 'tcp', port: 80 };
  const removed = ['10.244.2.43:8080'];
  expect(services.at(-1)).toEqual({
    service: 'default/mail',
    change: 'changed',
    addresses: [{ family: 'IPv4', address, portName: '' }],
    ports: [
      {
        family: 'IPv4',
        portName: '',
        protocol: 'tcp',
        addresses: [address],
        isWholePort: true,
        facts: [{ kind: 'endpoints', scope: 'all', added: [], removed, before: 3, after: 2 }],
      },
    ],
    endpoints: { before: 3, after: 2, added: 0, removed: 1 },
    conntrackEntries: 0,
    words: ['default/mail: endpoint 10.244.2.43:8080 removed, 2 of 3 left'],
  });
  expect(refused).toEqual([
    {
      gate: 'services-lost',
      lost: 1,
      of: 6,
      limit: { kind: 'count', value: 0 },
      words: 'refused: 1 of 6 Services would go (17%), more than 0',
    },
  ]);
  const { add, change, remove } = summary.rules;
  expect(operations.length).toBe(add + change + remove);
  expect(operations).toContainEqual({
    family: 'IPv4',
    service: 'default/api',
    op: 'delete',
    kind: 'element',
    id: 'cluster-ips 10.96.0.20',
    before: 'cluster-ips { 10.96.0.20 }',
  });
});

type Flow = { readonly client: string; readonly port: number; readonly answersFrom: string };

/** A conntrack entry as a request to default/dns leaves it. */
async function addFlow({ exec }: Stand, { client, port, answersFrom }: Flow): Promise<void> {
  const original = [
    '-p',
    'udp',
    '-s',
    client,
    '-d',
    '10.96.0.53',
    '--sport',
    `${port}`,
    '--dport',
    '53',
  ];
  const reply = ['-r', answersFrom, '-q', client, '--reply-port-src', '8080'];
  const rest = ['--reply-port-dst', `${port}`, '-t', '600'];
  await exec('conntrack', ['-I', ...original, ...reply, ...rest]);
}

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

// What render prints loads with the tool that its header names: into an empty namespace, again, and where the
// kubelet's chain stands; then `run` finds all that it would make.
import { expect, test } from 'vitest';
import { manifestOf } from '../support/service-objects.ts';
import { apply, standWith, type Stand } from './stand.ts';

const a = { name: 'a', ip: '10.96.0.1', endpoints: ['10.244.2.1', '10.244.2.2'] };
const b = { name: 'b', ip: 'fd00:96::2', endpoints: ['fd00:244:2::2'] };
const text = manifestOf([a, b]);

type Loaded = {
  readonly what: string;
  readonly mode: 'nftables' | 'iptables';
  readonly flags: readonly string[];
  readonly load: readonly [string, ...string[]];
  readonly header: string;
};

const inputs: readonly Loaded[] = [
  {
    what: 'nft text',
    mode: 'nftables',
    flags: [],
    load: ['nft', '-f', '-'],
    header: '# IPv4 rules of Sluice, for nft -f: they replace what is in this table.',
  },
  {
    what: 'iptables-restore input',
    mode: 'iptables',
    flags: [],
    load: ['iptables-restore', '--noflush'],
    header: '# IPv4 rules of Sluice, for iptables-restore --noflush.',
  },
  {
    what: 'ip6tables-restore input',
    mode: 'iptables',
    flags: ['--family', 'IPv6'],
    load: ['ip6tables-restore', '--noflush'],
    header: '# IPv6 rules of Sluice, for ip6tables-restore --noflush.',
  },
];

async function listed(stand: Stand, { mode, flags }: Loaded): Promise<string> {
  const save = flags.length === 0 ? 'iptables-save' : 'ip6tables-save';
  const [tool, args]: [string, string[]] =
    mode === 'nftables' ? ['nft', ['list', 'ruleset']] : [save, []];
  const { stdout } = await stand.exec(tool, args);
  const lines = stdout.split('\n').filter((line) => !line.startsWith('#'));
  // Nothing can ask whether a jump of a built-in chain is there already: such a jump is put in front again.
  return [...new Set(lines)].join('\n');
}

const inStep = {
  exitCode: 0,
  stdout: expect.stringMatching(/^IPv4: all \d+ match; IPv6: all \d+ match\n$/) as string,
  stderr: '',
};

test.each(inputs)('$what', async (input) => {
  const { mode, flags, load, header } = input;
  const [tool, ...args] = load;
  const stand = await standWith(mode, text);
  const render = ['render', ...stand.flags, ...flags];
  const { stdout, exitCode } = await stand.sluice(render);
  expect([exitCode, stdout.split('\n', 1)[0]]).toEqual([0, header]);
  await stand.exec(tool, args, { input: stdout });
  const once = await listed(stand, input);
  if (mode === 'nftables') {
    expect(await stand.sluice(['verify', ...stand.flags])).toEqual(inStep);
  }
  await stand.exec(tool, args, { input: stdout });
  expect(await listed(stand, input)).toBe(once);
});

test('iptables: the rules of others stay, in the chain of the kubelet too, and run takes over what was loaded', async () => {
  const stand = await standWith('iptables', text);
  const { exec } = stand;
  const saved = async (): Promise<readonly string[]> => {
    const { stdout } = await exec('iptables-save', []);
    return stdout.split('\n').filter((line) => line.startsWith('-A '));
  };
  const theirs = [
    '-A INPUT -j KUBE-FIREWALL',
    '-A INPUT -p icmp -j ACCEPT',
    '-A KUBE-FIREWALL -m mark --mark 0x8000/0x8000 -j DROP',
  ];
  const standing = ['*filter', ':KUBE-FIREWALL - [0:0]', ...theirs, 'COMMIT', ''].join('\n');
  await exec('iptables-restore', ['--noflush'], { input: standing });
  expect(await saved()).toEqual(theirs);

  const { stdout: rendered } = await stand.sluice(['render', ...stand.flags]);
  await exec('iptables-restore', ['--noflush'], { input: rendered });
  const once = await saved();
  expect(once.filter((rule) => theirs.includes(rule))).toEqual(theirs);
  // Nothing can ask whether a jump of a built-in chain is there already: it is put in front again.
  const isJump = (rule: string): boolean => /^-A [A-Z]+ .*-j (KUBE|SLUICE)-/.test(rule);
  await exec('iptables-restore', ['--noflush'], { input: rendered });
  const twice = await saved();
  expect(twice.filter((rule) => !isJump(rule))).toEqual(once.filter((rule) => !isJump(rule)));
  expect(new Set(twice)).toEqual(new Set(once));

  await exec('ip', ['link', 'set', 'lo', 'up']);
  await apply(stand, 'iptables', text);
  const ours = await saved();
  expect(ours.filter((rule) => theirs.includes(rule))).toEqual(theirs);
  expect(ours.filter(isJump).length).toBe(new Set(ours.filter(isJump)).size);
  expect(ours.filter((rule) => rule.includes('SLUICE-'))).toEqual([]);
  expect(await stand.sluice(['verify', ...stand.flags])).toEqual(inStep);
  await stand.sluice(['cleanup']);
  const cleaned = await saved();
  await exec('iptables-restore', ['--noflush'], { input: rendered });
  await stand.sluice(['cleanup']);
  expect(await saved()).toEqual(cleaned);
});

test('exit code 1 and the rules of all others, where an object cannot be used', async () => {
  const bad = text.replace('10.96.0.1\n', '10.96.0.300\n');
  const stand = await standWith('nftables', bad);
  const { exitCode, stdout, stderr } = await stand.sluice(['render', ...stand.flags]);
  const line = 1 + bad.split('\n').indexOf('  clusterIP: 10.96.0.300');
  expect([exitCode, stderr]).toEqual([
    1,
    `${stand.manifests}:${line}: Service default/a: spec.clusterIP: "10.96.0.300" is not an IP address\n`,
  ]);
  await stand.rewrite(manifestOf([b]));
  expect(await stand.sluice(['render', ...stand.flags])).toEqual({
    exitCode: 0,
    stdout,
    stderr: '',
  });
});

// What render prints loads with the tool that its header names: into an empty namespace, again, and where the
// kubelet's chain stands; then `run` finds all that it would make.
import { expect, test } from 'vitest';
import { manifestOf } from '../support/service-objects.ts';
import { standWith, type Stand } from './stand.ts';

const text = manifestOf([
  { name: 'a', ip: '10.96.0.1', endpoints: ['10.244.2.1', '10.244.2.2'] },
  { name: 'b', ip: 'fd00:96::2', endpoints: ['fd00:244:2::2'] },
]);

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
    expect(await stand.sluice(['verify', ...stand.flags])).toMatchObject({
      exitCode: 0,
      stderr: '',
    });
  }
  await stand.exec(tool, args, { input: stdout });
  expect(await listed(stand, input)).toBe(once);
});

test('where the kubelet has its chain, and with other rules beside', async () => {
  const stand = await standWith('iptables', text);
  const standing =
    '*filter\n:KUBE-FIREWALL - [0:0]\n-A INPUT -j KUBE-FIREWALL\n-A INPUT -p icmp -j ACCEPT\nCOMMIT\n';
  await stand.exec('iptables-restore', ['--noflush'], { input: standing });
  const { stdout } = await stand.sluice(['render', ...stand.flags]);
  await stand.exec('iptables-restore', ['--noflush'], { input: stdout });
  const saved = (await stand.exec('iptables-save', ['-t', 'filter'])).stdout;
  expect(saved).toContain('-A INPUT -p icmp -j ACCEPT');
});

test('exit code 1 and the rules of all others, where an object cannot be used', async () => {
  const stand = await standWith('nftables', text.replace('10.96.0.1\n', '10.96.0.300\n'));
  const { exitCode, stdout, stderr } = await stand.sluice(['render', ...stand.flags]);
  expect(exitCode).toBe(1);
  expect(stderr).toContain('"10.96.0.300" is not an IP address');
  expect(stdout).toContain('fd00:96::2');
});

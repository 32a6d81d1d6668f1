// What a mode put into the kernel is shown and removed, and nothing else, by whole command lines.
import { expect, test } from 'vitest';
import { debugObjectsVersion } from '../../../../src/serve/debug-objects.ts';
import { commandLine } from '../../../support/command-line.ts';
import { configFor } from '../../../support/config.ts';
import { serveJson } from '../../../support/json-server.ts';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { manifestOf } from '../../../support/service-objects.ts';
import { session } from '../../../support/session.ts';

const stdin = manifestOf([{ name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11'] }]);

// An administrator's chain, the kubelet's canary, and a rule of somebody that leads to a chain of ours.
const foreign = `*nat
:KUBE-KUBELET-CANARY - [0:0]
:site - [0:0]
-I PREROUTING -j site
-A site -d 192.0.2.1/32 -j KUBE-MARK-MASQ
COMMIT
`;

/** One thing of ours, by the tool of each mode. */
const remains = {
  nftables: [
    'nft',
    ['-j', '-f', '-'],
    '{"nftables":[{"add":{"table":{"family":"ip","name":"sluice"}}}]}',
  ],
  iptables: ['iptables-restore', ['--noflush'], '*nat\n:KUBE-NODEPORTS - [0:0]\nCOMMIT\n'],
} as const;

test.each(modes)('in %s mode', async (mode) => {
  const { exec, iptables } = nodeInMemory();
  const flags = flagsFor(mode);
  const { run, text } = session({ exec }, [[` ${flags.join(' ')}`, '']]);
  await run(['cleanup', ...flags]);
  await run(['takeover', ...flags, '--manifests', '-', '--before-file', '/nowhere'], { stdin });
  if (mode === 'iptables') await exec('iptables-restore', ['--noflush'], { input: foreign });
  await run(['cleanup', ...flags, '--dry-run']);
  await run(['cleanup', ...flags]);
  await run(['cleanup', ...flags]);
  const [tool = '', args, input] = remains[mode];
  await exec(tool, args, { input });
  await run(['cleanup', ...flags, '--dry-run', '-o', 'json']);
  const { stdout } = await exec('nft', ['list', 'tables']);
  const left = `nft list tables:\n${stdout}\niptables-save:\n${iptables.saved()}`;
  await expect(`${text()}\n${left}`).toMatchFileSnapshot(`cleanup.${mode}.txt`);
});

test('all modes, and the chain that the kubelet would share where there is no kubelet', async () => {
  const { exec, iptables, files } = nodeInMemory();
  const before = iptables.saved();
  const take = (...mode: readonly string[]) => {
    const argv = ['takeover', ...mode, '--manifests', '-', '--before-file', '/nowhere'];
    return commandLine(argv, { exec, stdin });
  };
  await take(...flagsFor('iptables'));
  const saved = await exec('iptables-save', []);
  expect(saved.stdout).toContain('-A INPUT -j KUBE-FIREWALL');
  await take(...flagsFor('nftables'));
  await exec('iptables-restore', ['--noflush'], { input: saved.stdout });
  files.set('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
  files.set('/proc/sys/net/ipv4/conf/all/tag', String(4_026_531_840 | 0));
  expect(await commandLine(['cleanup'], { exec })).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: `IPv4: removed our rules of nftables mode
IPv4: removed our rules of iptables mode
IPv6: removed our rules of nftables mode
put back net.ipv4.conf.all.route_localnet=0
`,
  });
  expect(iptables.saved()).toBe(before);
  expect((await exec('nft', ['list', 'tables'])).stdout).toBe('');
});

test('rules of kube-proxy stay, unless their mode is named', async () => {
  const { exec, iptables } = nodeInMemory();
  const input =
    '*mangle\n:KUBE-PROXY-CANARY - [0:0]\nCOMMIT\n*nat\n:KUBE-SERVICES - [0:0]\nCOMMIT\n';
  await exec('iptables-restore', ['--noflush'], { input });
  const before = iptables.saved();
  const stay =
    'IPv4: rules of kube-proxy in iptables mode stay; --proxy-mode iptables removes them\n';
  const none = 'IPv4: nothing of ours\n';
  expect((await commandLine(['cleanup'], { exec })).stderr).toBe(
    `${none}${stay}IPv6: nothing of ours\n`,
  );
  expect(iptables.saved()).toBe(before);
  const named = await commandLine(['cleanup', '--proxy-mode', 'iptables'], { exec });
  expect(named.stderr).toBe('IPv4: removed our rules of iptables mode\nIPv6: nothing of ours\n');
  expect(iptables.saved()).not.toContain('KUBE-SERVICES');
});

test.each(modes)('rules of %s mode that come back are no success, and are named', async (mode) => {
  const { exec } = nodeInMemory();
  const [tool = '', args, input] = remains[mode];
  await exec(tool, args, { input });
  // A daemon that is not seen from here, such as one in another container.
  const repairing: typeof exec = async (file, given, options) => {
    const result = await exec(file, given, options);
    const isChange = (options?.input ?? '') !== '' && !given.includes('--check');
    if (isChange && options?.input !== input) await exec(tool, args, { input });
    return result;
  };
  const removed = `IPv4: removed our rules of ${mode} mode\nIPv6: nothing of ours\n`;
  const back = `IPv4: the rules of ${mode} mode are back: a daemon that is not seen from here puts them back; end it first\n`;
  expect(await commandLine(['cleanup', '--proxy-mode', mode], { exec: repairing })).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: removed + back,
  });
  expect(await commandLine(['cleanup', '--proxy-mode', mode], { exec })).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: removed,
  });
});

test.each(modes)('beside a daemon in %s mode nothing is removed', async (mode) => {
  const { exec } = nodeInMemory();
  const flags = ['--manifests', '-', '--before-file', '/nowhere', ...flagsFor(mode)];
  await commandLine(['takeover', ...flags], { exec, stdin });
  const told = {
    version: debugObjectsVersion,
    config: configFor(mode),
    hostIps: [],
    objects: [],
  };
  await using daemon = await serveJson((path) => (path === '/debug/objects' ? told : undefined));
  const run = (...argv: readonly string[]) => commandLine(argv, { exec, daemon: daemon.url });
  const why =
    'sluice run (at http://127.0.0.1:10247) puts its rules back: end it first (kubectl -n kube-system delete daemonset sluice)';
  const refused = { exitCode: 2, stdout: '', stderr: `sluice: nothing was removed: ${why}\n` };
  expect(await run('cleanup')).toEqual(refused);
  expect(await run('--cleanup')).toEqual(refused);
  expect(await run('cleanup', '--proxy-mode', mode)).toEqual(refused);
  const dry = await run('cleanup', '--dry-run');
  expect(dry).toMatchObject({ exitCode: 0, stderr: `note: cleanup would refuse: ${why}\n` });
  expect(dry.stdout).toMatch(/0 to add, 0 to change, \d+ to remove\n$/);
  // What the daemon does not program is in nobody's way.
  const other = modes.find((one) => one !== mode) ?? mode;
  const nothing = 'IPv4: nothing of ours\nIPv6: nothing of ours\n';
  expect((await run('cleanup', '--proxy-mode', other)).stderr).toBe(nothing);
});

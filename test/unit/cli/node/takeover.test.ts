// A node of kube-proxy's is compared, taken over and given back, each by a whole command line.
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { commandLine } from '../../../support/command-line.ts';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory, type NodeInMemory } from '../../../support/node-in-memory.ts';
import { manifestOf } from '../../../support/service-objects.ts';

const node = `apiVersion: v1
kind: Node
metadata: { name: node-1 }
spec: { podCIDRs: [10.244.1.0/24] }
status: { addresses: [{ type: InternalIP, address: 192.0.2.11 }] }
---
`;
const api = { name: 'api', ip: '10.96.0.20', endpoints: ['10.244.2.21'] };
const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.2.11', '10.244.2.12'] };
const theirs = node + manifestOf([api, web]);
const ours = node + manifestOf([api, { ...web, endpoints: ['10.244.2.11'] }]);
const strange = node + manifestOf([{ ...web, ip: '10.96.9.9' }]);

/** The rules of a proxy in iptables mode, with the canary by which kube-proxy is known. */
async function kubeProxyNode(folder: string): Promise<NodeInMemory> {
  const made = nodeInMemory();
  const kept = ['--before-file', join(folder, 'unused.json')];
  const argv = ['takeover', '--manifests', '-', ...kept, ...flagsFor('iptables')];
  expect(await commandLine(argv, { exec: made.exec, stdin: theirs })).toEqual({
    exitCode: 0,
    stdout: `IPv4: no other Service proxy has rules here
IPv6: no other Service proxy has rules here
`,
    stderr: `our rules are in place, and verified: IPv4, IPv6
taken over: now let sluice run follow the Services, and no other proxy
`,
  });
  const input = '*mangle\n:KUBE-PROXY-CANARY - [0:0]\nCOMMIT\n';
  await made.exec('iptables-restore', ['--noflush'], { input });
  await made.exec('ip6tables-restore', ['--noflush'], { input });
  return made;
}

test.each(modes)('to %s mode and back', async (to) => {
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-takeover-'));
  const { exec, files, iptables, ip6tables } = await kubeProxyNode(folder.path);
  files.set('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
  // The jump to the kubelet's chain stays in between, below those that come back.
  const saved = () =>
    [iptables, ip6tables].map((one) => one.saved().replaceAll(/^-A \S+ -j KUBE-FIREWALL\n/gm, ''));
  const before = saved();
  const beforeFile = join(folder.path, 'before.json');
  const kept = ['--before-file', beforeFile];
  const flags = ['--manifests', '-', ...flagsFor(to)];
  const run = (...argv: readonly string[]) => commandLine(argv, { exec, stdin: ours });

  const stdout = `IPv4: rules of kube-proxy in iptables mode against ours: 2 addresses, 6 packets: 3 differ, all explained by changes in the cluster or by the mode
IPv6: rules of kube-proxy in iptables mode against ours: 0 addresses, 0 packets: no difference

FROM             TO                 NOW                                                         SLUICE
10.244.1.0       tcp 10.96.0.10:80  10.244.2.11:8080, 10.244.2.12:8080                          10.244.2.11:8080
node 192.0.2.11  tcp 10.96.0.10:80  10.244.2.11:8080 masqueraded, 10.244.2.12:8080 masqueraded  10.244.2.11:8080 masqueraded
198.51.100.1     tcp 10.96.0.10:80  10.244.2.11:8080 masqueraded, 10.244.2.12:8080 masqueraded  10.244.2.11:8080 masqueraded
`;
  const shadow = await run('takeover', '--shadow', ...kept, ...flags);
  expect(shadow).toEqual({ exitCode: 1, stdout, stderr: '' });
  const refused = await commandLine(['takeover', ...kept, ...flags], { exec, stdin: strange });
  expect({ ...refused, stdout: refused.stdout.split('\n')[0] }).toEqual({
    exitCode: 1,
    stdout:
      'IPv4: rules of kube-proxy in iptables mode against ours: 3 addresses, 9 packets: 9 differ',
    stderr: 'nothing was changed; --accept-differences takes over all the same\n',
  });
  expect(saved()).toEqual(before);

  // What the cluster explains needs nobody's leave.
  const taken = await run('takeover', ...kept, ...flags);
  const removed =
    to === 'nftables'
      ? 'removed the rules of iptables in IPv4\nremoved the rules of iptables in IPv6\n'
      : '';
  expect(taken).toEqual({
    exitCode: 0,
    stdout,
    stderr: `the existing rules are backed up in ${beforeFile}; sluice rollback restores them
our rules are in place, and verified: IPv4, IPv6
${removed}taken over: now let sluice run follow the Services, and no other proxy
`,
  });
  expect(await run('diff', ...flags)).toEqual({ exitCode: 0, stdout: '', stderr: '' });

  const back = await run('rollback', ...kept);
  const gone =
    to === 'nftables'
      ? 'removed the rules of sluice nftables in IPv4\nremoved the rules of sluice nftables in IPv6\n'
      : '';
  expect({ ...back, stderr: back.stderr.replace(/ at \S+Z: /, ' at TIME: ') }).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: `restored the rules of iptables in IPv4
restored the rules of iptables in IPv6
${gone}this node is as it was at TIME: start kube-proxy again
`,
  });
  expect(saved()).toEqual(before);
  expect(await exec('nft', ['list', 'tables'])).toEqual({ exitCode: 0, stdout: '', stderr: '' });
  expect(await run('rollback', ...kept)).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `sluice: ${beforeFile} is not there: no takeover has left anything to put back\n`,
  });
  await writeFile(beforeFile, '{"version":2}');
  expect(await run('rollback', ...kept)).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: `sluice: ${beforeFile} is not what a takeover left\n`,
  });
});

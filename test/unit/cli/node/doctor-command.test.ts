// What doctor finds on a node, whatever node the test runs on: what its tools answer is written down here.
import { expect, test } from 'vitest';
import { debugObjectsVersion } from '../../../../src/serve/debug-objects.ts';
import { commandLine } from '../../../support/command-line.ts';
import { configFor } from '../../../support/config.ts';
import { serveJson } from '../../../support/json-server.ts';
import { modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { clusterObjects } from '../../../support/service-objects.ts';
import { session } from '../../../support/session.ts';

const settings = {
  'net/ipv4/conf/all/rp_filter': '1',
  'net/ipv4/conf/eth0/rp_filter': '2',
  'net/ipv4/ip_local_port_range': '32768\t60999',
  'net/ipv4/ip_local_reserved_ports': '',
  'net/netfilter/nf_conntrack_max': '65536',
  'net/netfilter/nf_conntrack_count': '61000',
};

test('a node of kube-proxy in iptables mode', async () => {
  const { exec, answers, files, iptables } = nodeInMemory();
  for (const [command, answer] of [
    ['uname -r', '6.1.0-28-amd64\n'],
    ['conntrack --version', 'conntrack v1.4.7 (conntrack-tools)\n'],
    ['conntrack -S', 'cpu=0 found=1 invalid=0 insert=0 insert_failed=7 drop=0 early_drop=2\n'],
    ['ip -j -d link', '[{"ifname":"lo"},{"ifname":"flannel.1","linkinfo":{"info_kind":"vxlan"}}]'],
    ['ip -j -6 address show scope global', '[]'],
  ] as const) {
    answers.set(command, answer);
  }
  for (const [name, value] of Object.entries(settings)) files.set(`/proc/sys/${name}`, value);
  files.set('/proc/self/status', 'CapEff:\t000001ffffffffff');
  await exec('iptables-restore', ['--noflush'], {
    input: '*nat\n:KUBE-PROXY-CANARY - [0:0]\n:KUBE-SERVICES - [0:0]\nCOMMIT\n',
  });
  answers.set('iptables-nft-save', iptables.saved());
  const { run, text } = session({ exec });
  await run(['doctor', '--service-node-port-range', '30000-32767']);
  await run(['doctor', '--proxy-mode', 'iptables', '-o', 'json']);
  await run(['doctor', '--service-node-port-range', 'all']);
  await expect(text()).toMatchFileSnapshot('doctor.txt');
});

test.each(modes)('asks the daemon for the mode and the name, in %s mode', async (mode) => {
  const { exec } = nodeInMemory();
  const told = {
    version: debugObjectsVersion,
    config: configFor(mode),
    hostIps: [],
    objects: clusterObjects([{ name: 'web', ip: '10.96.0.10', endpoints: [] }]),
  };
  await using daemon = await serveJson((path) => (path === '/debug/objects' ? told : undefined));
  const doctor = async (...flags: readonly string[]) => {
    const argv = ['doctor', '-o', 'json', ...flags];
    const { stdout } = await commandLine(argv, { exec, daemon: daemon.url });
    const { proxyMode, findings } = JSON.parse(stdout) as {
      readonly proxyMode: string;
      readonly findings: readonly { readonly check: string }[];
    };
    return { proxyMode, named: findings.filter(({ check }) => check === 'node name') };
  };
  const check = 'node name';
  expect(await doctor()).toEqual({
    proxyMode: mode,
    named: [{ check, status: 'ok', finding: 'node-1, as the daemon runs' }],
  });
  expect((await doctor('--hostname-override', 'node-7')).named).toEqual([
    {
      check,
      status: 'fail',
      finding: 'the daemon runs as "node-1", not as "node-7"',
      fix: 'sluice run --hostname-override node-7',
    },
  ]);
});

test('a node whose object is missing keeps its name', async () => {
  const local = { spec: { internalTrafficPolicy: 'Local' }, local: ['10.244.1.1'] };
  const web = { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1'], ...local };
  const told = {
    version: debugObjectsVersion,
    config: configFor('nftables'),
    hostIps: [],
    objects: clusterObjects([web]),
  };
  await using daemon = await serveJson((path) => (path === '/debug/objects' ? told : undefined));
  const { exec } = nodeInMemory();
  const { stdout } = await commandLine(['doctor', '-o', 'json'], { exec, daemon: daemon.url });
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly { check: string }[] };
  expect(findings.filter(({ check }) => check === 'node name')).toEqual([
    {
      check: 'node name',
      status: 'warn',
      finding: 'no object is a Node named "node-1": its pod CIDRs and addresses are not known',
      fix: 'kubectl get node node-1 -o yaml, and add it to the manifests',
    },
  ]);
});

// `sluice doctor` in namespaces with something wrong: it is found, the command that it names mends it,
// and until then nothing is changed.
import { chmod, copyFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import type { Finding } from '../../src/host/finding.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { allRules } from '../support/kernel-rules.ts';
import { manifest } from './services.ts';
import { apply, standWith, type Stand } from './stand.ts';

const root = join(import.meta.dirname, '../..');
// A module of the kernel that counts packets, which not every machine has, is left out of it.
const fixture = join(root, 'test/fixtures/kube-proxy/iptables.ipv4.rules');

/** A namespace that forwards, as a node does. */
async function node(mode: ProxyMode = 'nftables'): Promise<Stand> {
  const stand = await standWith(mode, manifest);
  await stand.exec('sysctl', ['-w', 'net.ipv4.ip_forward=1']);
  return stand;
}

/** Commands find Sluice itself, and what the test puts in the stand's folder, before all others. */
function path({ folder }: Stand): readonly string[] {
  return ['env', `PATH=${folder}:${join(root, 'bin')}:${process.env['PATH']}`];
}

type Report = { readonly exitCode: number | undefined; readonly ills: readonly Finding[] };

async function doctor(stand: Stand, ...flags: readonly string[]): Promise<Report> {
  const args = ['doctor', '--output', 'json', ...flags];
  const { exitCode, stdout, stderr } = await stand.sluice(args, path(stand));
  expect(stderr).toBe('');
  const { findings } = JSON.parse(stdout) as { findings: readonly Finding[] };
  return { exitCode, ills: findings.filter(({ status }) => status !== 'ok') };
}

const well: Report = { exitCode: 0, ills: [] };

async function mend(stand: Stand, { ills }: Report): Promise<void> {
  for (const { fix = '' } of ills)
    await stand.exec('env', [...path(stand).slice(1), 'sh', '-c', fix]);
}

test('a node that is well', async () => {
  const stand = await node();
  await apply(stand, 'nftables', manifest);
  expect(await doctor(stand)).toEqual(well);
  const { exitCode, stdout } = await stand.sluice(['doctor']);
  expect(exitCode).toBe(0);
  expect(stdout).toMatch(/^✓ ok {7}permissions +CAP_NET_ADMIN\n/);
  expect(stdout).toMatch(/\n\n\d+ ok, 0 warn, 0 fail, 0 unknown\n$/);
});

test('settings that keep Service traffic from getting through', async () => {
  const stand = await node();
  for (const setting of [
    'net.ipv4.ip_forward=0',
    'net.ipv4.conf.lo.rp_filter=1',
    'net.ipv4.conf.all.rp_filter=1',
    'net.ipv4.conf.all.route_localnet=1',
    'net.ipv4.ip_local_port_range=20000 60999',
    'net.ipv4.ip_local_reserved_ports=8080',
    'net.netfilter.nf_conntrack_tcp_timeout_established=300',
  ]) {
    await stand.exec('sysctl', ['-w', setting]);
  }
  const report = await doctor(stand);
  expect(report.exitCode).toBe(1);
  expect(report.ills.map(({ status, check, fix }) => `${status} ${check}: ${fix}`)).toEqual([
    'fail forwarding: sysctl -w net.ipv4.ip_forward=1',
    'warn rp_filter: sysctl -w net.ipv4.conf.all.rp_filter=2',
    'warn route_localnet: sysctl -w net.ipv4.conf.all.route_localnet=0',
    'warn node ports: sysctl -w net.ipv4.ip_local_reserved_ports=8080,30000-32767',
    'warn conntrack time: sysctl -w net.netfilter.nf_conntrack_tcp_timeout_established=86400',
  ]);
  expect((await doctor(stand)).ills).toEqual(report.ills);
  // Where Services have other ports.
  const elsewhere = await doctor(stand, '--service-node-port-range=10000-12000');
  expect(elsewhere.ills.map(({ check }) => check)).not.toContain('node ports');
  await mend(stand, report);
  expect(await doctor(stand)).toEqual(well);
});

test("what kube-proxy's three modes leave", async () => {
  const stand = await node();
  await apply(stand, 'nftables', manifest);
  await stand.exec('sh', ['-c', `grep -v nfacct ${fixture} | iptables-nft-restore`]);
  await stand.exec('nft', ['add table ip kube-proxy; add table ip6 kube-proxy']);
  // kube-proxy's is a dummy, which not every kernel has; it is known by its name.
  await stand.exec('ip', ['link', 'add', 'kube-ipvs0', 'type', 'bridge']);
  const before = await allRules(stand.exec, 'iptables');
  const report = await doctor(stand);
  expect(report.exitCode).toBe(1);
  expect(report.ills.map(({ status, check, fix }) => `${status} ${check}: ${fix}`)).toEqual([
    'fail kube-proxy nft: nft delete table ip kube-proxy',
    'fail kube-proxy nft: nft delete table ip6 kube-proxy',
    'fail iptables rules: sluice cleanup --proxy-mode iptables',
    'fail IPVS: ip link delete kube-ipvs0',
  ]);
  expect(await allRules(stand.exec, 'iptables')).toBe(before);
  await mend(stand, report);
  expect(await doctor(stand)).toEqual(well);
  // Our own rules stand as they did.
  const inStep = { exitCode: 0, stdout: '', stderr: '' };
  expect(await stand.sluice(['diff', ...stand.flags])).toEqual(inStep);
});

test('our own rules in both modes', async () => {
  const stand = await node('iptables');
  await apply(stand, 'iptables', manifest);
  expect(await doctor(stand)).toEqual(well);
  const rendered = await stand.sluice(['render', '--manifests', stand.manifests]);
  await stand.exec('nft', ['-f', '-'], { input: rendered.stdout });
  const report = await doctor(stand, '--proxy-mode', 'iptables');
  expect(report.ills.map(({ check }) => check)).toEqual(['own rules']);
  await mend(stand, report);
  expect(await doctor(stand)).toEqual(well);
});

test('a VXLAN interface with a kernel that gets its checksums wrong', async () => {
  const stand = await node('iptables');
  const vxlan = ['type', 'vxlan', 'id', '1', 'dstport', '8472'];
  await stand.exec('ip', ['link', 'add', 'flannel.1', ...vxlan]);
  const mode = ['--proxy-mode', 'iptables'];
  // The kernel that this runs on has the fix.
  expect(await doctor(stand, ...mode)).toEqual(well);
  const uname = join(stand.folder, 'uname');
  await writeFile(uname, '#!/bin/sh\necho 5.4.40-generic\n');
  await chmod(uname, 0o755);
  const report = await doctor(stand, ...mode);
  expect(report.ills.map(({ check, fix }) => `${check}: ${fix}`)).toEqual([
    'vxlan: ethtool -K flannel.1 tx-checksum-ip-generic off',
  ]);
  await mend(stand, report);
  expect(await doctor(stand, ...mode)).toEqual(well);
});

test('other proxies that run in this network namespace, and no others', async () => {
  const stand = await node();
  await apply(stand, 'nftables', manifest);
  const kubeProxy = join(stand.folder, 'kube-proxy');
  await copyFile('/bin/sleep', kubeProxy);
  await chmod(kubeProxy, 0o755);
  const elsewhere = await standWith('nftables', manifest);
  await running(elsewhere, kubeProxy);
  expect(await doctor(stand)).toEqual(well);
  const pid = await running(stand, kubeProxy);
  const report = await doctor(stand);
  expect(report.ills).toEqual([
    {
      check: 'proxies',
      status: 'fail',
      finding: `kube-proxy runs here (process ${pid}): it writes its rules again and again`,
      fix: 'kubectl -n kube-system delete daemonset kube-proxy',
    },
  ]);
});

test('who may not look is told so', async () => {
  const stand = await node();
  const without = ['setpriv', '--bounding-set=-net_admin', '--inh-caps=-net_admin'];
  const { exitCode, stdout } = await stand.sluice(['doctor'], without);
  expect(stdout).toMatch(/^✗ fail {5}permissions .*\n.*fix: sudo sluice doctor\n/);
  expect(stdout).toMatch(/^\? unknown {2}kube-proxy nft /m);
  expect(exitCode).toBe(2);
});

test('a range of ports that is none is refused', async () => {
  const stand = await node();
  expect(await stand.sluice(['doctor', '--service-node-port-range', '9-1'])).toEqual({
    exitCode: 2,
    stdout: '',
    stderr: 'sluice: --service-node-port-range: a range such as 30000-32767 is needed\n',
  });
});

/** Starts a program in a namespace; returns its process once it is that program. */
async function running({ name }: Stand, file: string): Promise<number> {
  const child = execa('ip', ['netns', 'exec', name, 'sh', '-c', `echo up; exec ${file} 600`], {
    reject: false,
    buffer: false,
    stdin: 'ignore',
  });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  await child.iterable({ from: 'stdout' }).next();
  const { pid = 0 } = child;
  const isIt = `until [ "$(cat /proc/${pid}/comm)" = kube-proxy ]; do :; done`;
  await execa('sh', ['-c', isIt]);
  return pid;
}

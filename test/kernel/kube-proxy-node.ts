// A node as kube-proxy left it, in either mode, and the objects that it had.
import { globSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { ProxyMode } from '../../src/model/config.ts';
import { caseFolder, readCase } from '../conformance/case.ts';
import { manifestText, standingAfter } from '../conformance/manifests.ts';
import type { Standing } from '../conformance/manifests.ts';
import type { NetworkNamespace } from '../support/network-namespace.ts';
import { replaceFile } from '../support/network-namespace.ts';

const fixtures = join(import.meta.dirname, '../fixtures/kube-proxy');

/** Loads what kube-proxy left in that mode. */
export async function loadKubeProxy({ exec }: NetworkNamespace, mode: ProxyMode): Promise<void> {
  // Its counters are a kernel module of their own, which few kernels have.
  const read = async (file: string): Promise<string> =>
    (await readFile(join(fixtures, file), 'utf8')).replaceAll(
      / -m nfacct --nfacct-name\s+\S+/g,
      '',
    );
  await exec('sh', ['-c', 'ip link set lo up; ip addr add 192.168.10.11/24 dev lo']);
  if (mode === 'nftables') {
    await exec('nft', ['-f', '-'], { input: await read('nftables.nft') });
    return;
  }
  await exec('iptables-restore', [], { input: await read('iptables.ipv4.rules') });
  await exec('ip6tables-restore', [], { input: await read('iptables.ipv6.rules') });
}

/** The objects that kube-proxy had: the first step of every case, as one manifest. */
export async function writeManifest({ folder }: NetworkNamespace): Promise<string> {
  const names = globSync('*.yaml', { cwd: fileURLToPath(caseFolder) }).toSorted();
  let standing: Standing = new Map();
  for (const name of names) {
    const { steps } = await readCase(name.replace(/\.yaml$/, ''));
    const [first] = steps;
    if (first !== undefined) standing = standingAfter(standing, first);
  }
  const path = join(folder, 'services.yaml');
  await replaceFile(path, manifestText(standing));
  return path;
}

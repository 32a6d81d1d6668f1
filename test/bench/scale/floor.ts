// The floor: how long the kernel's own tools take for the same rules, with nothing of ours around them.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execOnHost } from '../../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../../src/lab/namespaces.ts';
import { manifestText } from './cluster.ts';
import { kubeProxyLayout } from './kube-proxy-layout.ts';
import { sharedNowMs } from './line-process.ts';
import { commandOf, commonFlags } from './stage.ts';

/** A load that can be timed again and again. */
export type Floor = { readonly timeMs: () => Promise<number> };

const longMs = 900_000;

/** Bare `nft -f` of the rules that Sluice would load for the cluster. */
export async function nftFloor(
  services: number,
  { sluiceFile, folder }: { readonly sluiceFile: string; readonly folder: string },
): Promise<Floor> {
  const manifest = join(folder, `floor-${services}.json`);
  const rules = join(folder, `floor-${services}.nft`);
  await writeFile(manifest, manifestText(services, 'json'));
  const [node, ...args] = commandOf(sluiceFile);
  const render = [...args, 'render', '--manifests', manifest, '--family', 'IPv4'];
  const { stdout } = await execOnHost(node, [...render, ...commonFlags]);
  await writeFile(rules, stdout);
  return { timeMs: () => inEmptyNamespace(['nft', '-f', rules]) };
}

// With --noflush iptables-nft has not done it after ten minutes, in the one transaction that kube-proxy makes of it.
const longestFloorMs = 60_000;

/**
 * Bare `iptables-restore` of what kube-proxy writes for the cluster: with the flags that kube-proxy gives it,
 * stopped after a minute, and without --noflush, where it would empty the table of others' rules first.
 */
export async function iptablesFloors(
  services: number,
  folder: string,
): Promise<Readonly<Record<'asKubeProxy' | 'flushing', Floor>>> {
  const rules = join(folder, `floor-${services}.rules`);
  await writeFile(rules, kubeProxyLayout(services));
  const floor = (...flags: string[]): Floor => ({
    timeMs: () =>
      inEmptyNamespace([
        'timeout',
        `${longestFloorMs / 1000}`,
        'iptables-restore',
        ...flags,
        rules,
      ]),
  });
  return { asKubeProxy: floor('-w', '5', '--noflush', '--counters'), flushing: floor() };
}

// As timeout tells of it.
const timedOut = 124;

async function inEmptyNamespace(command: readonly string[]): Promise<number> {
  const name = `${await newLabName()}-floor`;
  await createNamespaces(execOnHost, [name]);
  try {
    const start = sharedNowMs();
    const allowedExitCodes = [timedOut];
    await execOnHost('ip', ['netns', 'exec', name, ...command], {
      timeoutMs: longMs,
      allowedExitCodes,
    });
    return sharedNowMs() - start;
  } finally {
    await deleteNamespaces(execOnHost, [name]);
  }
}

// The floor: how long the kernel's own tools take for the same rules, with nothing of ours around them.
import { rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execOnHost } from '../../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../../src/lab/namespaces.ts';
import { clusterOf, type ClusterSpec } from './cluster/cluster.ts';
import { kubeProxyLayout } from './kube-proxy-layout.ts';
import { sharedNowMs } from './line-process.ts';
import { renderRules } from './rules.ts';

/** A load that can be timed again and again. */
export type Floor = { readonly timeMs: () => Promise<number> };

const longMs = 900_000;

/** Bare `nft -f` of the rules that Sluice would load for the cluster, both families. */
export async function nftFloor(
  cluster: ClusterSpec,
  options: { readonly sluiceFile: string; readonly folder: string },
): Promise<Floor> {
  const rules = join(options.folder, 'floor.nft');
  await rename(await renderRules(clusterOf(cluster), options), rules);
  return { timeMs: () => inEmptyNamespace(['nft', '-f', rules]) };
}

// With --noflush iptables-nft has not done it after ten minutes, in the one transaction that kube-proxy makes of it.
const longestFloorMs = 60_000;

/**
 * Bare `iptables-restore` of what kube-proxy writes for the cluster: with the flags that kube-proxy gives it,
 * stopped after a minute, and without --noflush, where it would empty the table of others' rules first.
 */
export async function iptablesFloors(
  cluster: ClusterSpec,
  folder: string,
): Promise<Readonly<Record<'asKubeProxy' | 'flushing', Floor>>> {
  const rules = join(folder, 'floor.rules');
  await writeFile(rules, kubeProxyLayout(clusterOf(cluster).services));
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

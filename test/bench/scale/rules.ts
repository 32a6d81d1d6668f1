// The rules that Sluice would load for a cluster, as a file for the kernel's own tool.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execOnHost } from '../../../src/host/tools/exec.ts';
import type { Cluster } from './cluster/cluster.ts';
import { clusterObjects } from './cluster/cluster.ts';
import { manifestText } from './cluster/manifest.ts';
import { nodeIp } from './cluster/services.ts';
import { commandOf, commonFlags } from './stage.ts';

const longMs = 300_000;

/** Renders them, both families; answers with the path of the file. */
export async function renderRules(
  cluster: Cluster,
  { sluiceFile, folder }: { readonly sluiceFile: string; readonly folder: string },
): Promise<string> {
  const [manifest, rules] = [join(folder, 'rules.json'), join(folder, 'rules.nft')];
  await writeFile(manifest, manifestText(clusterObjects(cluster), 'json'));
  const [node, ...args] = commandOf(sluiceFile);
  const render = [...args, 'render', '--manifests', manifest, ...commonFlags];
  const { stdout } = await execOnHost(node, render, { timeoutMs: longMs });
  // Only a running node knows its own addresses.
  const nodePorts = `add element ip sluice nodeport-ips { ${nodeIp} }\n`;
  await writeFile(rules, `${stdout}\n${nodePorts}`);
  return rules;
}

// The rules that Sluice would load for a cluster, as a file for the kernel's own tool.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execOnHost } from '../../../src/host/tools/exec.ts';
import { nodeIp } from './cluster/services.ts';
import { commandOf, commonFlags } from './stage.ts';

const longMs = 300_000;

/** Renders a manifest's IPv4 rules; answers with the path of the file, beside the manifest. */
export async function renderRules(
  manifest: string,
  { sluiceFile, folder }: { readonly sluiceFile: string; readonly folder: string },
): Promise<string> {
  const file = join(folder, 'rules.nft');
  const [node, ...args] = commandOf(sluiceFile);
  const path = join(folder, 'rules.json');
  await writeFile(path, manifest);
  const render = [...args, 'render', '--manifests', path, '--family', 'IPv4'];
  const { stdout } = await execOnHost(node, [...render, ...commonFlags], { timeoutMs: longMs });
  // Only a running node knows its own addresses.
  const nodePorts = `add element ip sluice nodeport-ips { ${nodeIp} }\n`;
  await writeFile(file, `${stdout}\n${nodePorts}`);
  return file;
}

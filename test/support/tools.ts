// Installs what the kernel tests need and the machine lacks, once, before any of them.
import { execOnHost } from '../../src/host/tools/exec.ts';
import { ensureTools } from '../../src/host/tools/install.ts';

export async function setup(): Promise<void> {
  const network = ['nft', 'iptables', 'ip6tables', 'conntrack', 'ip', 'ethtool'] as const;
  const others = ['curl', 'socat', 'mmdebstrap'] as const;
  await ensureTools([...network, ...others], { exec: execOnHost, stderr: process.stderr });
}

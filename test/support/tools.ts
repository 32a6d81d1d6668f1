// Installs what the kernel tests need and the machine lacks, once, before any of them.
import { execOnHost } from '../../src/host/exec.ts';
import { ensureTools } from '../../src/host/install.ts';

export async function setup(): Promise<void> {
  const tools = ['nft', 'iptables', 'ip6tables', 'conntrack', 'ip', 'curl', 'socat'] as const;
  await ensureTools(tools, { exec: execOnHost, stderr: process.stderr });
}

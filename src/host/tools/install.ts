// The tools that Sluice needs on this machine. In: their names. Out: they are there, installed with
// apt-get where that is possible; else an error that names the command to run.
import { readFile } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { MissingToolError, ToolError } from '../../errors.ts';
import type { Exec } from './exec.ts';

/** A program that Sluice starts. */
export type Tool =
  | 'nft'
  | 'iptables'
  | 'ip6tables'
  | 'conntrack'
  | 'ip'
  | 'curl'
  | 'socat'
  | 'chromium'
  | 'ethtool'
  | 'mkfs.ext4'
  | 'mmdebstrap'
  | 'qemu-system-x86_64'
  | 'zsh'
  | 'fish';

/** What ensureTools works with. */
export type InstallEffects = {
  readonly exec: Exec;
  /** Told in one line when something is installed. */
  readonly stderr: { readonly write: (text: string) => unknown };
};

const packageOf: Readonly<Record<Tool, string>> = {
  nft: 'nftables',
  iptables: 'iptables',
  ip6tables: 'iptables',
  conntrack: 'conntrack',
  ip: 'iproute2',
  curl: 'curl',
  socat: 'socat',
  chromium: 'chromium',
  ethtool: 'ethtool',
  'mkfs.ext4': 'e2fsprogs',
  mmdebstrap: 'mmdebstrap',
  'qemu-system-x86_64': 'qemu-system-x86',
  zsh: 'zsh',
  fish: 'fish',
};

const installTimeoutMs = 10 * 60_000;

// One shell looks for all; a user's PATH often lacks the folders of root's tools.
const printMissing =
  'PATH=$PATH:/usr/sbin:/sbin; for t; do command -v "$t" >/dev/null || echo "$t"; done';

/** Makes sure that the tools are installed; throws MissingToolError where it cannot. */
export async function ensureTools(tools: readonly Tool[], effects: InstallEffects): Promise<void> {
  const missing = await missingTools(tools, effects.exec);
  const [first] = missing;
  if (first === undefined) return;
  const packages = [...new Set(missing.map((tool) => packageOf[tool]))].toSorted();
  const remedy = `apt-get install -y --no-install-recommends ${packages.join(' ')}`;
  if (userInfo().uid !== 0 || !(await hasApt())) throw new MissingToolError(first, remedy);
  effects.stderr.write(`installing ${packages.join(', ')}\n`);
  await install(packages, effects.exec);
  const [still] = await missingTools(missing, effects.exec);
  if (still !== undefined) throw new MissingToolError(still, remedy);
}

async function missingTools(tools: readonly Tool[], exec: Exec): Promise<readonly Tool[]> {
  const { stdout } = await exec('sh', ['-c', printMissing, 'sh', ...tools]);
  const absent = new Set(stdout.split('\n'));
  return tools.filter((tool) => absent.has(tool));
}

/** Whether this is Debian or made from it, by os-release(5). */
async function hasApt(): Promise<boolean> {
  const text = await readFile('/etc/os-release', 'utf8').catch(() => '');
  return /^ID(_LIKE)?=.*\b(debian|ubuntu)\b/m.test(text);
}

// The lists that are there often do, and reading them anew takes longest.
async function install(packages: readonly string[], exec: Exec): Promise<void> {
  const args = ['install', '-y', '--no-install-recommends', ...packages];
  try {
    await aptGet(args, exec);
  } catch (error) {
    if (!(error instanceof ToolError)) throw error;
    await aptGet(['update'], exec);
    await aptGet(args, exec);
  }
}

async function aptGet(args: readonly string[], exec: Exec): Promise<void> {
  const timeoutMs = installTimeoutMs;
  await exec('env', ['DEBIAN_FRONTEND=noninteractive', 'apt-get', ...args], { timeoutMs });
}

// Looks at a node: tools, rules, interfaces and settings in, facts out. Changes nothing, and reads no
// nftables table of others, of which it only asks the names. What a tool cannot say stays undefined.
import { MissingToolError, ToolError } from '../errors.ts';
import { families, parseIp, familyOf } from '../model/ip.ts';
import type { Family } from '../model/ip.ts';
import type { Exec, ExecResult } from './tools/exec.ts';
import type {
  InterfaceFacts,
  IptablesFacts,
  IptablesVariant,
  NodeFacts,
  ProcessFacts,
  ToolVersions,
} from './node-facts.ts';

/** Gathers all facts; `settings` are the sysctls to read, as sysctl(8) names them, or with a `*`. */
export async function gatherFacts(
  exec: Exec,
  { node, settings }: { readonly node: string; readonly settings: readonly string[] },
): Promise<NodeFacts> {
  const kernel = (await orUndefined(exec('uname', ['-r'])))?.stdout.trim() ?? '';
  const tables = await orUndefined(exec('nft', ['-j', 'list', 'tables']));
  const version = async (tool: keyof ToolVersions): Promise<string | undefined> =>
    (await orUndefined(exec(tool, ['--version'])))?.stdout.trim();
  const tools = {
    nft: await version('nft'),
    iptables: await version('iptables'),
    conntrack: await version('conntrack'),
    ethtool: await version('ethtool'),
  };
  const jsonTables = tables === undefined ? undefined : tableNames(tables.stdout);
  return {
    node,
    kernel,
    tools,
    nftTables: jsonTables ?? (await plainTableNames(exec)),
    hasNftJson: tools.nft === undefined ? undefined : await hasJson(exec),
    iptables: await iptablesFacts(exec),
    ipsets: (await orUndefined(exec('ipset', ['list', '-n'])))?.stdout.split('\n').filter(Boolean),
    interfaces: await interfaceFacts(exec, tools.ethtool !== undefined),
    hasIpv6: await hasIpv6(exec),
    sysctls: await readSysctls(exec, settings),
    conntrackStats: statsIn((await orUndefined(exec('conntrack', ['-S'])))?.stdout),
    capabilities: await capabilities(exec),
    proxies: await findProxies(exec),
  };
}

/** What the tool printed; undefined where it is not installed, or refuses. */
async function orUndefined(attempt: Promise<ExecResult>): Promise<ExecResult | undefined> {
  try {
    return await attempt;
  } catch (error) {
    if (error instanceof MissingToolError || error instanceof ToolError) return undefined;
    throw error;
  }
}

// Built without JSON, nft says so, whatever it is asked for.
async function hasJson(exec: Exec): Promise<boolean | undefined> {
  const { stdout, stderr } = await exec('nft', ['-j', 'list', 'tables'], {
    allowedExitCodes: [1],
  }).catch(() => ({ stdout: '', stderr: '' }));
  if (/JSON support not compiled/i.test(stdout + stderr)) return false;
  return stdout.trimStart().startsWith('{') ? true : undefined;
}

function tableNames(listing: string): readonly string[] | undefined {
  try {
    const { nftables } = JSON.parse(listing) as {
      readonly nftables: readonly { table?: { family: string; name: string } }[];
    };
    return nftables.flatMap(({ table }) =>
      table === undefined ? [] : [`${table.family} ${table.name}`],
    );
  } catch {
    return undefined;
  }
}

async function plainTableNames(exec: Exec): Promise<readonly string[] | undefined> {
  const listed = await orUndefined(exec('nft', ['list', 'tables']));
  return listed?.stdout.split('\n').flatMap((line) => /^table (\S+ \S+)/.exec(line)?.[1] ?? []);
}

const saveTools: readonly (readonly [IptablesVariant, Family, string])[] = [
  ['nft', 'IPv4', 'iptables-nft-save'],
  ['nft', 'IPv6', 'ip6tables-nft-save'],
  ['legacy', 'IPv4', 'iptables-legacy-save'],
  ['legacy', 'IPv6', 'ip6tables-legacy-save'],
];

async function iptablesFacts(exec: Exec): Promise<readonly IptablesFacts[]> {
  const facts: IptablesFacts[] = [];
  for (const [variant, family, tool] of saveTools) {
    try {
      const { stdout } = await exec(tool, []);
      const filter = /^\*filter\n.*?^COMMIT$/ms.exec(stdout)?.[0] ?? '';
      facts.push({ variant, family, chains: chainsIn(stdout), filter });
    } catch (error) {
      // Who has not that variant has no rules of it that the tool could have made.
      if (error instanceof MissingToolError) continue;
      facts.push({ variant, family, chains: undefined });
    }
  }
  return facts;
}

function chainsIn(saved: string): ReadonlySet<string> {
  return new Set([...saved.matchAll(/^:(\S+)/gm)].map(([, name = '']) => name));
}

async function interfaceFacts(
  exec: Exec,
  hasEthtool: boolean,
): Promise<readonly InterfaceFacts[] | undefined> {
  const listed = await orUndefined(exec('ip', ['-j', '-d', 'link']));
  if (listed === undefined) return undefined;
  const links = JSON.parse(listed.stdout || '[]') as readonly Link[];
  const facts: InterfaceFacts[] = [];
  for (const { ifname: name = '', linkinfo } of links) {
    const kind = linkinfo?.info_kind ?? '';
    const asked = kind === 'vxlan' && hasEthtool;
    const checksumOffload = asked ? await offload(exec, name) : undefined;
    if (name !== '') facts.push({ name, kind, checksumOffload });
  }
  return facts;
}

type Link = { readonly ifname?: string; readonly linkinfo?: { readonly info_kind?: string } };

async function offload(exec: Exec, name: string): Promise<boolean | undefined> {
  const features = (await orUndefined(exec('ethtool', ['-k', name])))?.stdout ?? '';
  const state = /^\s*tx-checksum-ip-generic: (on|off)/m.exec(features)?.[1];
  return state === undefined ? undefined : state === 'on';
}

// Link-local ones are there on every interface, whether IPv6 is used or not.
async function hasIpv6(exec: Exec): Promise<boolean> {
  const listed = await orUndefined(exec('ip', ['-j', '-6', 'address', 'show', 'scope', 'global']));
  const found = [...(listed?.stdout ?? '').matchAll(/"local":"([^"]+)"/g)];
  return found.some(([, text = '']) => {
    const ip = parseIp(text);
    return ip !== undefined && familyOf(ip) === families[1];
  });
}

// Names may have a `*` in them.
const printSettings = `for n; do for f in /proc/sys/$n; do
  [ -r "$f" ] && echo "\${f#/proc/sys/}=$(cat "$f")"
done; done; :`;

async function readSysctls(
  exec: Exec,
  settings: readonly string[],
): Promise<ReadonlyMap<string, string>> {
  const files = settings.map((name) => name.replaceAll('.', '/'));
  const printed = await orUndefined(exec('sh', ['-c', printSettings, 'sh', ...files]));
  return new Map(
    (printed?.stdout ?? '').split('\n').flatMap((line) => {
      const [, file, value] = /^([^=]+)=(.*)$/.exec(line) ?? [];
      return file === undefined ? [] : [[file.replaceAll('/', '.'), value?.trim() ?? '']];
    }),
  );
}

function statsIn(printed: string | undefined): ReadonlyMap<string, number> | undefined {
  if (printed === undefined) return undefined;
  const sums = new Map<string, number>();
  for (const [, name = '', count] of printed.matchAll(/\b([a-z_]+)=(\d+)/g)) {
    if (name !== 'cpu') sums.set(name, (sums.get(name) ?? 0) + Number(count));
  }
  return sums;
}

async function capabilities(exec: Exec): Promise<bigint | undefined> {
  const status = (await orUndefined(exec('cat', ['/proc/self/status'])))?.stdout ?? '';
  const hex = /^CapEff:\s*([0-9a-f]+)/m.exec(status)?.[1];
  return hex === undefined ? undefined : BigInt(`0x${hex}`);
}

// Programs by their short name, as only their owner may read more; Node calls its main thread so.
const printProxies = `me=$(readlink /proc/self/ns/net)
for d in /proc/[0-9]*; do
  read -r comm < "$d/comm" || continue
  case "$comm" in kube-proxy|MainThread|node|sluice*) ;; *) continue ;; esac
  [ "$(readlink "$d/ns/net")" = "$me" ] || continue
  echo "\${d#/proc/} $(tr '\\0' ' ' < "$d/cmdline")"
done 2>/dev/null; :`;

/** The Service proxies that run in this network namespace, as far as their processes can be seen. */
export async function findProxies(exec: Exec): Promise<readonly ProcessFacts[]> {
  const printed = (await orUndefined(exec('sh', ['-c', printProxies])))?.stdout ?? '';
  return printed.split('\n').flatMap((line) => {
    const [, pid, command = ''] = /^(\d+) (.*)$/.exec(line.trim()) ?? [];
    return pid === undefined || !isProxy(command) ? [] : [{ pid: Number(pid), command }];
  });
}

// `kube-proxy --config=...`, `node .../sluice.cjs run ...`, `node .../src/main.ts run ...`.
function isProxy(command: string): boolean {
  const words = command.split(' ');
  if (words[0]?.split('/').at(-1) === 'kube-proxy') return true;
  // One that only says what it would do is in nobody's way, nor one that cleans up.
  if (words.some((word) => /^--(dry-run|cleanup)(=true)?$/.test(word))) return false;
  const at = words.findIndex((word) => /(^|\/)(sluice(\.cjs)?|src\/main\.ts)$/.test(word));
  return at >= 0 && (words[at + 1] === 'run' || words[at + 1]?.startsWith('--') === true);
}

// A node whose tools work on memory: what commands run at the boundary of the process, without root and without
// a tool. What is not among them is not installed.
import { matchesGlob } from 'node:path';
import { ToolError } from '../../src/errors.ts';
import { missingTool, type Exec } from '../../src/host/tools/exec.ts';
import { IptablesInMemory } from './iptables-in-memory.ts';
import { NftInMemory, type Answer } from './nft-in-memory.ts';

/** Its kernel, and the Exec that reaches it. */
export type NodeInMemory = {
  readonly exec: Exec;
  readonly nft: NftInMemory;
  readonly iptables: IptablesInMemory;
  readonly ip6tables: IptablesInMemory;
  /** Files under /proc that Sluice reads and writes. */
  readonly files: Map<string, string>;
  /** What other tools answer, by their whole command line. */
  readonly answers: Map<string, string>;
};

/** A node without a rule. */
export function nodeInMemory(): NodeInMemory {
  const nft = new NftInMemory();
  const iptables = new IptablesInMemory('iptables');
  const ip6tables = new IptablesInMemory('ip6tables');
  const files = new Map([
    ['/proc/sys/net/ipv4/conf/all/route_localnet', '0'],
    ['/proc/sys/net/ipv4/conf/all/tag', '0'],
    ['/proc/sys/net/ipv4/ip_forward', '1'],
    ['/proc/sys/net/ipv6/conf/all/disable_ipv6', '0'],
    ['/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close_wait', '3600'],
    ['/proc/sys/net/netfilter/nf_conntrack_tcp_timeout_established', '86400'],
  ]);
  const answers = new Map([['readlink /proc/self/ns/net', 'net:[4026531840]\n']]);
  const answerOf = (file: string, args: readonly string[], input: string): Answer | undefined => {
    const told = answers.get([file, ...args].join(' '));
    if (told !== undefined) return { stdout: told };
    if (file === 'nft') return nft.run(args, input);
    return (
      onFiles(files, file, args) ??
      iptables.run(file, args, input) ??
      ip6tables.run(file, args, input)
    );
  };
  const exec: Exec = async (file, args, { input = '', allowedExitCodes = [] } = {}) => {
    const answer = answerOf(file, args, input);
    if (answer === undefined) throw missingTool(file);
    const { stdout = '', stderr = '', exitCode = 0 } = answer;
    if (exitCode === 0 || allowedExitCodes.includes(exitCode)) return { stdout, stderr, exitCode };
    const command = [file, ...args].join(' ');
    throw new ToolError(`${command}: ${stderr.trim()}`, { command, exitCode, stderr, input });
  };
  return { exec, nft, iptables, ip6tables, files, answers };
}

/** Reads a file, or writes one as a shell does. */
function onFiles(
  files: Map<string, string>,
  tool: string,
  args: readonly string[],
): Answer | undefined {
  if (tool === 'cat') {
    const text = files.get(args[0] ?? '');
    const stderr = `cat: ${args[0]}: No such file or directory\n`;
    return text === undefined ? { exitCode: 1, stderr } : { stdout: `${text}\n` };
  }
  const [, script = '', , ...words] = args;
  if (tool !== 'sh') return undefined;
  if (script.includes('/proc/sys/$n')) return { stdout: settingsIn(files, words) };
  if (script === '[ -w "$1" ]') return { exitCode: files.has(words[0] ?? '') ? 0 : 1 };
  if (script !== 'echo "$1" > "$2"') return undefined;
  const [value = '', file = ''] = words;
  files.set(file, value);
  return {};
}

/** `name=value` of those settings that there are, as doctor asks for many at once; a `*` is any interface. */
function settingsIn(files: ReadonlyMap<string, string>, names: readonly string[]): string {
  return [...files]
    .map(([file, value]) => [file.slice('/proc/sys/'.length), value] as const)
    .filter(([name]) => names.some((asked) => matchesGlob(name, asked)))
    .map(([name, value]) => `${name}=${value}\n`)
    .join('');
}

// What the kernel of a network namespace holds, in a form that does not change with the packets that
// were counted: a namespace in, text out that is equal where the rules are.
import type { Exec } from '../../src/host/tools/exec.ts';
import type { ProxyMode } from '../../src/model/config.ts';

/** All rules of one mode's tools, whoever put them there; '' where there are none. */
export function allRules(exec: Exec, mode: ProxyMode): Promise<string> {
  return mode === 'nftables' ? nftRules(exec, ['ruleset']) : iptablesRules(exec);
}

/** What `nft list` has for these words, without handles and counters; '' where it is empty. */
export async function nftRules(exec: Exec, what: readonly string[]): Promise<string> {
  const { stdout } = await exec('nft', ['-j', 'list', ...what]);
  const { nftables } = JSON.parse(stdout) as { nftables: readonly object[] };
  return nftables
    .filter((item) => !('metainfo' in item))
    .map((item) => `${JSON.stringify(item, withoutCounts)}\n`)
    .join('');
}

/** What `iptables-save` and `ip6tables-save` have, without the date and counters; '' where empty. */
export async function iptablesRules(exec: Exec): Promise<string> {
  const saved: string[] = [];
  for (const tool of ['iptables-save', 'ip6tables-save']) saved.push((await exec(tool, [])).stdout);
  return saved
    .join('')
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => `${line.replace(/ \[\d+:\d+\]$/, '')}\n`)
    .join('');
}

function withoutCounts(key: string, value: unknown): unknown {
  return key === 'handle' || key === 'packets' || key === 'bytes' ? undefined : value;
}

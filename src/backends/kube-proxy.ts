// The rules that kube-proxy made, in either mode, read from the kernel and traced.
import type { Exec } from '../host/tools/exec.ts';
import type { ProxyMode } from '../model/config.ts';
import type { FrontendAddress } from '../model/forwarding.ts';
import type { Family, Ip } from '../model/ip.ts';
import { iptablesAddresses, nftAddresses } from '../netfilter/kube-proxy/addresses.ts';
import type { Tracer } from '../netfilter/kube-proxy/outcome.ts';
import { readIptables } from '../netfilter/kube-proxy/read-iptables.ts';
import { readNft } from '../netfilter/kube-proxy/read-nft.ts';
import { traceIptables } from '../netfilter/kube-proxy/trace-iptables.ts';
import { traceNft } from '../netfilter/kube-proxy/trace-nft.ts';
import { plan } from '../netfilter/plan.ts';
import type { Unit } from '../netfilter/program.ts';
import { createIptablesBackend } from './iptables/backend.ts';

/** kube-proxy's table in each family. */
export const kubeProxyTable: Readonly<Record<Family, readonly [family: string, name: string]>> = {
  IPv4: ['ip', 'kube-proxy'],
  IPv6: ['ip6', 'kube-proxy'],
};

/** What kube-proxy's table has, as `nft list table` prints it: the table, its sets, maps and chains. */
export function kubeProxyUnits(family: Family, listing: string): readonly Unit[] {
  const table = `table ${kubeProxyTable[family].join(' ')}`;
  const parts = listing.matchAll(/^\t(set|map|chain) (\S+) \{\n.*?^\t\}/gms);
  return [
    { id: table, kind: 'table', owner: undefined, text: table },
    ...[...parts].map(([text, kind = '', name = '']) => {
      return { id: `${kind} ${name}`, kind, owner: undefined, text: text.replaceAll(/^\t/gm, '') };
    }),
  ];
}

/** Service rules that are in the kernel. */
export type OtherRules = {
  readonly mode: ProxyMode;
  readonly tracer: Tracer;
  readonly addresses: readonly FrontendAddress[];
};

/**
 * Reads kube-proxy's table, or Service chains of iptables, whoever made them; undefined where there are none.
 * The table comes first: kube-proxy leaves the chains behind when its mode changes.
 */
export async function readOtherRules(
  exec: Exec,
  family: Family,
  hostIps: readonly Ip[],
): Promise<OtherRules | undefined> {
  const [word, name] = kubeProxyTable[family];
  const { stdout, exitCode } = await exec('nft', ['-j', 'list', 'table', word, name], {
    allowedExitCodes: [1],
  });
  const table = exitCode === 0 ? readNft(stdout, { family, name }) : undefined;
  if (table !== undefined) {
    const tracer: Tracer = (packet) => traceNft({ table, hostIps }, packet);
    return { mode: 'nftables', tracer, addresses: nftAddresses(table) };
  }
  const backend = createIptablesBackend(exec);
  await backend.probe();
  const present = await backend.observe(family);
  if (plan(present, new Map()).length === 0) return undefined;
  const rules = readIptables(await backend.list(family));
  const tracer: Tracer = (packet) => traceIptables({ rules, hostIps }, packet);
  return { mode: 'iptables', tracer, addresses: iptablesAddresses(rules) };
}

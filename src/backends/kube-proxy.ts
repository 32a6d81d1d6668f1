// By what kube-proxy's rules are known: its table in nftables, and the canary among its chains of iptables.
import type { Family } from '../model/ip.ts';
import type { Program, Unit } from '../netfilter/program.ts';

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

/** A chain that a running kube-proxy of iptables mode has, and nobody else. */
export const kubeProxyCanary = 'KUBE-PROXY-CANARY';

/** Whether a running kube-proxy made these chains of iptables. */
export function isKubeProxysProgram(program: Program): boolean {
  return [...program.keys()].some((id) => id.endsWith(` ${kubeProxyCanary}`));
}

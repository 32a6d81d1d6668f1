// Facts of nodes, for the tests of checks.
import { diagnose } from '../../../src/doctor/diagnose.ts';
import type { Finding, Wanted } from '../../../src/host/finding.ts';
import type { IptablesFacts, NodeFacts } from '../../../src/host/node-facts.ts';

/** A node without a fault, in nftables mode. */
export const well: NodeFacts = {
  node: 'v24.1.0',
  kernel: '6.12.9-amd64',
  tools: {
    nft: 'nftables v1.0.6 (Lester Gooch #5)',
    iptables: 'iptables v1.8.9 (nf_tables)',
    conntrack: 'conntrack v1.4.7 (conntrack-tools)',
    ethtool: 'ethtool version 6.1',
  },
  nftTables: ['ip sluice', 'ip6 sluice', 'inet firewalld'],
  hasNftJson: true,
  iptables: [
    { variant: 'nft', family: 'IPv4', chains: new Set(['INPUT', 'KUBE-FIREWALL']) },
    { variant: 'legacy', family: 'IPv4', chains: new Set() },
  ],
  ipsets: [],
  interfaces: [{ name: 'eth0', kind: '', checksumOffload: undefined }],
  hasIpv6: true,
  sysctls: new Map([
    ['net.ipv4.ip_forward', '1'],
    ['net.ipv6.conf.all.forwarding', '1'],
    ['net.ipv4.conf.all.rp_filter', '2'],
    ['net.ipv4.conf.all.route_localnet', '0'],
    ['net.ipv4.ip_local_port_range', '32768\t60999'],
    ['net.ipv4.ip_local_reserved_ports', ''],
    ['net.netfilter.nf_conntrack_count', '100'],
    ['net.netfilter.nf_conntrack_max', '262144'],
    ['net.netfilter.nf_conntrack_tcp_timeout_established', '86400'],
    ['net.netfilter.nf_conntrack_tcp_be_liberal', '0'],
  ]),
  conntrackStats: new Map([
    ['insert_failed', 3],
    ['drop', 0],
    ['early_drop', 0],
    ['invalid', 20],
  ]),
  capabilities: 0x1ff_ffff_ffffn,
  proxies: [{ pid: 10, command: 'node /app/dist/sluice.cjs run --proxy-mode nftables' }],
};
/** What is asked for with nftables mode. */
export const wanted: Wanted = { proxyMode: 'nftables', nodePorts: { first: 30_000, last: 32_767 } };
/** The same with iptables mode. */
export const iptablesMode: Wanted = { ...wanted, proxyMode: 'iptables' };

/** What is to be mended, `status check: command`, or what could not be looked at. */
export function ills(facts: Partial<NodeFacts>, asked = wanted): readonly string[] {
  const all = diagnose({ ...well, ...facts }, asked);
  return all.filter(({ status }) => status !== 'ok').map(shortly);
}

function shortly({ status, check, fix, finding }: Finding): string {
  return `${status} ${check}: ${fix ?? finding}`;
}

/** The facts with another value of one setting. */
export function withSysctl(name: string, value: string): Partial<NodeFacts> {
  return { sysctls: new Map([...well.sysctls, [name, value]]) };
}

/** The facts with other counters of conntrack. */
export function withStats(stats: Readonly<Record<string, number>>): Partial<NodeFacts> {
  return { conntrackStats: new Map(Object.entries(stats)) };
}

/** IPv4 chains of one variant. */
export function chains(
  variant: IptablesFacts['variant'],
  ...names: readonly string[]
): IptablesFacts {
  return { variant, family: 'IPv4', chains: new Set(names) };
}

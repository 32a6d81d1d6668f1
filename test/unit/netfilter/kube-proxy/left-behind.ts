// A node that kube-proxy 1.36 leaves: its rules of both modes as tracers, and who may send packets to it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { nodes, outside, pods } from '../../../../src/lab/topology.ts';
import type { ProxyMode } from '../../../../src/model/config.ts';
import type { FrontendAddress } from '../../../../src/model/forwarding.ts';
import type { Family, Ip } from '../../../../src/model/ip.ts';
import { parseIp } from '../../../../src/model/ip.ts';
import { iptablesAddresses, nftAddresses } from '../../../../src/netfilter/kube-proxy/addresses.ts';
import type { Client } from '../../../../src/netfilter/kube-proxy/compare.ts';
import type { Tracer } from '../../../../src/netfilter/kube-proxy/outcome.ts';
import { readIptables } from '../../../../src/netfilter/kube-proxy/read-iptables.ts';
import { readNft } from '../../../../src/netfilter/kube-proxy/read-nft.ts';
import { traceIptables } from '../../../../src/netfilter/kube-proxy/trace-iptables.ts';
import { traceNft } from '../../../../src/netfilter/kube-proxy/trace-nft.ts';

/** Rules that can be asked: what becomes of a packet, and which addresses they know. */
export type Rules = { readonly trace: Tracer; readonly addresses: readonly FrontendAddress[] };

/** The nft that listed a table: Debian 12's, and Debian 13's where there is no /etc/protocols. */
export const nftVersions = ['1.0.6', '1.1.3'] as const;

const [node1, node2] = nodes;

/** What node-1 has on its interfaces. */
export const hostIps: readonly Ip[] = [
  '127.0.0.1',
  '::1',
  ...Object.values(node1.lan),
  ...Object.values(node1.gateway),
].map(ip);

/** Where node ports may be asked for: this node's addresses, and another node's. */
export const nodeIps: readonly Ip[] = [...hostIps, ...Object.values(node2.lan).map(ip)];

/** All pods, this node by each of its addresses, the other node, and the client outside. */
export const clients: readonly Client[] = [
  ...pods.flatMap(({ address, node }) =>
    elsewhere(node === node1 ? 'cbr0' : 'eth0', Object.values(address)),
  ),
  ...hostIps.map((source): Client => ({ origin: 'node', interface: '', source })),
  ...elsewhere('eth0', [...Object.values(node2.lan), ...Object.values(outside)]),
];

/** What kube-proxy left, as the tool of its mode prints it. */
export function savedText(mode: ProxyMode, family: Family, version: string = '1.1.3'): string {
  const name = family.toLowerCase();
  const file = mode === 'iptables' ? `iptables.${name}.rules` : `nftables.${name}.${version}.json`;
  return readFileSync(join(import.meta.dirname, '../../../fixtures/kube-proxy', file), 'utf8');
}

/** The rules in iptables-save's text. */
export function iptablesRules(saved: string, localIps = hostIps): Rules {
  const rules = readIptables(saved);
  return {
    trace: (packet) => traceIptables({ rules, hostIps: localIps }, packet),
    addresses: iptablesAddresses(rules),
  };
}

/** The rules in a listing of nft. */
export function nftRules(
  listing: string,
  family: Family,
  { name = 'kube-proxy', localIps = hostIps } = {},
): Rules {
  const table = readNft(listing, { family, name });
  if (table === undefined) throw new Error(`there is no table ${name}`);
  return {
    trace: (packet) => traceNft({ table, hostIps: localIps }, packet),
    addresses: nftAddresses(table),
  };
}

/** What kube-proxy left in one mode. */
export function leftBehind(mode: ProxyMode, family: Family, version?: string): Rules {
  const saved = savedText(mode, family, version);
  return mode === 'iptables' ? iptablesRules(saved) : nftRules(saved, family);
}

function elsewhere(name: string, addresses: readonly string[]): readonly Client[] {
  return addresses.map((address) => ({
    origin: 'elsewhere',
    interface: name,
    source: ip(address),
  }));
}

function ip(text: string): Ip {
  return parseIp(text) as Ip;
}

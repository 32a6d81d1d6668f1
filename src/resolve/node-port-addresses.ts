// Which addresses of this node take node ports, from nodePortAddresses and what the host has. Pure.
import { traitsOf } from '../backends/traits.ts';
import type { Config } from '../model/config.ts';
import type { Cidr, Family, Ip } from '../model/ip.ts';
import { cidrContains, familyOf, hostCidr } from '../model/ip.ts';
import type { NodePortAddresses } from '../model/settings.ts';

/** What of this node decides which addresses take node ports. */
export type NodeAddresses = {
  /** The Node's own addresses, at most one a family. */
  readonly nodeIps: readonly Ip[];
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

const loopback: Readonly<Record<Family, Cidr>> = {
  IPv4: '127.0.0.0/8' as Cidr,
  IPv6: '::1/128' as Cidr,
};

const everything: Readonly<Record<Family, Cidr>> = {
  IPv4: '0.0.0.0/0' as Cidr,
  IPv6: '::/0' as Cidr,
};

/** The ranges of one family that nodePortAddresses stand for; empty: every local address. */
export function nodePortCidrs(
  { nodePortAddresses }: Pick<Config, 'nodePortAddresses'>,
  nodeIps: readonly Ip[],
  family: Family,
): readonly Cidr[] {
  const cidrs = nodePortAddresses === 'primary' ? primaryCidrs(nodeIps) : nodePortAddresses;
  const ours = cidrs.filter((cidr) => familyOf(cidr) === family);
  return ours.includes(everything[family]) ? [] : ours;
}

/**
 * Whether node ports answer at 127.0.0.1: only of IPv4 and where the backend can, where the operator did not
 * switch it off and the addresses include loopback (kube-proxy's localhost node ports).
 */
export function hasLocalhostNodePorts(
  config: Pick<Config, 'proxyMode' | 'localhostNodePorts' | 'nodePortAddresses'>,
  nodeIps: readonly Ip[],
  family: Family,
): boolean {
  const { hasLocalhostNodePorts: isPossible } = traitsOf(config.proxyMode);
  if (!isPossible || family !== 'IPv4' || !config.localhostNodePorts) return false;
  const cidrs = nodePortCidrs(config, nodeIps, family);
  return cidrs.length === 0 || cidrs.some(includesLoopback);
}

/** The addresses that take node ports in one family. */
export function resolveNodePortAddresses(
  config: Pick<Config, 'proxyMode' | 'localhostNodePorts' | 'nodePortAddresses'>,
  { nodeIps, hostIps }: NodeAddresses,
  family: Family,
): NodePortAddresses {
  const allowsLoopback = hasLocalhostNodePorts(config, nodeIps, family);
  const cidrs = nodePortCidrs(config, nodeIps, family);
  if (cidrs.length === 0) {
    return { kind: 'any-local', except: allowsLoopback ? undefined : loopback[family] };
  }
  const ips = [...new Set(hostIps)]
    .filter((ip) => cidrs.some((cidr) => cidrContains(cidr, ip)))
    .filter((ip) => allowsLoopback || !cidrContains(loopback[family], ip));
  return { kind: 'addresses', ips: ips.toSorted() };
}

function includesLoopback(cidr: Cidr): boolean {
  return cidr.startsWith('127.') || cidrContains(cidr, '127.0.0.0' as Ip);
}

function primaryCidrs(nodeIps: readonly Ip[]): readonly Cidr[] {
  return nodeIps.filter((ip) => !cidrContains(loopback[familyOf(ip)], ip)).map(hostCidr);
}

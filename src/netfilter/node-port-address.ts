// Whether an address of this host takes node ports. Pure.
import type { Ip } from '../model/ip.ts';
import { cidrContains } from '../model/ip.ts';
import type { NodePortAddresses } from '../model/settings.ts';

/** Whether node ports answer at `ip` on a host that has `hostIps`; loopback need not be among them. */
export function takesNodePorts(
  addresses: NodePortAddresses,
  ip: Ip,
  hostIps: readonly Ip[],
): boolean {
  if (addresses.kind === 'addresses') return addresses.ips.includes(ip);
  const isExcepted = addresses.except !== undefined && cidrContains(addresses.except, ip);
  return isLocalAddress(ip, hostIps) && !isExcepted;
}

/** Whether `ip` is one of this host's own addresses. */
export function isLocalAddress(ip: Ip, hostIps: readonly Ip[]): boolean {
  return hostIps.includes(ip) || ip === '::1' || ip.startsWith('127.');
}

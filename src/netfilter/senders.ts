// Who sends the packets that nobody sends: those that are traced through rules, by an example of each sender. Pure.
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import { familyOf } from '../model/ip.ts';

/** An interface that packets of this node's pods come from, as far as the configuration names it. */
export function podInterface({ detectLocal }: Config): string {
  switch (detectLocal.mode) {
    case 'BridgeInterface':
      return detectLocal.name;
    case 'InterfaceNamePrefix':
      return `${detectLocal.prefix}0`;
    case 'ClusterCIDR':
    case 'NodeCIDR':
      return 'pod';
  }
}

/** From the ranges for documentation (RFC 5737, RFC 3849): nobody's address. */
export const stranger: Readonly<Record<Family, Ip>> = {
  IPv4: '198.51.100.1' as Ip,
  IPv6: '2001:db8:ffff::1' as Ip,
};

/** Whether an address stands for anybody outside. */
export function isStranger(ip: Ip): boolean {
  return ip === stranger[familyOf(ip)];
}

/** The interface that somebody from outside is taken to come in by: none that pods have. */
export const outsideInterface = 'outside';

/** The first of these addresses that others know this node by; undefined where no such one has this family. */
export function addressToOthers(family: Family, ips: readonly Ip[]): Ip | undefined {
  return ips.find((ip) => familyOf(ip) === family && !isPrivateToHost(ip));
}

/** Whether an address means this host on every host: loopback, link-local of IPv6. */
export function isPrivateToHost(ip: Ip): boolean {
  return ip.startsWith('127.') || ip === '::1' || /^fe[89ab]/i.test(ip);
}

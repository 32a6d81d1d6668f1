// The addresses that this host has on its interfaces.
import { networkInterfaces } from 'node:os';
import type { Ip } from '../../model/ip.ts';
import { parseIp } from '../../model/ip.ts';

/** All addresses of this network namespace, sorted; link-local ones are among them. */
export function hostAddresses(): readonly Ip[] {
  const ips = Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .flatMap(({ address }) => parseIp(address) ?? []);
  return [...new Set(ips)].toSorted();
}

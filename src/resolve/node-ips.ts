// The addresses of this node, one a family, and which family is its first: as kube-proxy takes them from the
// Node and from bindAddress. Pure.
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import { familyOf } from '../model/ip.ts';
import type { Node } from '../model/kubernetes.ts';

/** The node's own addresses; loopback where a family has no other. */
export type NodeIps = {
  readonly primary: Family;
  readonly ips: Readonly<Record<Family, Ip>>;
};

const loopback = { IPv4: '127.0.0.1' as Ip, IPv6: '::1' as Ip };

/**
 * The Node's addresses, of which the first says the primary family. A bindAddress that is one address, not
 * all of them, goes before: its family is the primary one, and it is that family's address.
 */
export function nodeIpsOf(
  { bindAddress }: Pick<Config, 'bindAddress'>,
  node: Pick<Node, 'ips'> | undefined,
): NodeIps {
  const isAll = bindAddress === '0.0.0.0' || bindAddress === '::';
  const chosen = [...(isAll ? [] : [bindAddress]), ...(node?.ips ?? [])];
  const [first = loopback.IPv4] = chosen;
  const ofFamily = (family: Family): Ip =>
    chosen.find((ip) => familyOf(ip) === family) ?? loopback[family];
  return { primary: familyOf(first), ips: { IPv4: ofFamily('IPv4'), IPv6: ofFamily('IPv6') } };
}

// What the elements of our sets and maps counted, out of nft's listing. Pure.
import { frontendId, hostPort } from '../../../model/forwarding.ts';
import type { Family, Ip } from '../../../model/ip.ts';
import type { Protocol } from '../../../model/kubernetes.ts';
import type { Counted } from '../../../netfilter/counted.ts';
import type { Listed } from './observe.ts';
import { containerNamed, isOurs, readElement } from './observe.ts';
import type { Container } from '../schema.ts';

/** Every counter in the listing of our table. */
export function countedIn(family: Family, listing: string): readonly Counted[] {
  const { nftables } = JSON.parse(listing) as { nftables: readonly Listed[] };
  return nftables
    .filter((item) => isOurs(family, item))
    .flatMap(({ set, map }) => {
      const listed = set ?? map;
      const container = listed && containerNamed(listed.name);
      const elements = listed?.elem ?? [];
      return container === undefined ? [] : elements.flatMap((one) => countedBy(container, one));
    });
}

function countedBy(container: Container, listed: unknown): readonly Counted[] {
  const connections = packetsOf(container.data === undefined ? listed : (listed as unknown[])[0]);
  if (connections === undefined) return [];
  const { key, value } = readElement(container, listed);
  const parts = new Map(key.split(' . ').map((part, index) => [container.key[index], part]));
  const protocol = container.protocol ?? (parts.get('l4proto') as Protocol);
  const ip = parts.get('daddr') as Ip | undefined;
  const id = frontendId({ ip, protocol, port: Number(parts.get('dport')) });
  // Whoever is in a map of slots has an endpoint for its data.
  const [to, port] = parts.has('slot') ? (value ?? '').split(' . ') : [];
  const endpoint = to === undefined ? undefined : hostPort(to as Ip, Number(port));
  return [{ of: { kind: 'address', id }, endpoint, connections }];
}

function packetsOf(key: unknown): number | undefined {
  const { elem } = (typeof key === 'object' && key !== null ? key : {}) as {
    elem?: { counter?: { packets: number } };
  };
  return elem?.counter?.packets;
}

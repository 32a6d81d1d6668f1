// What the elements of our sets and maps counted, out of nft's listing. Pure.
import { frontendId, hostPort } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { Counted } from '../../../netfilter/counted.ts';
import type { Listed } from './observe.ts';
import { containerNamed, isOurs, readElement } from './observe.ts';
import { keys, slotOf } from '../keys.ts';
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
  const element = readElement(container, listed);
  const slot = slotOf(element);
  const address = slot?.frontend ?? keys.frontend.read(element.key);
  if (address === undefined) return [];
  const endpoint = slot && hostPort(slot.endpoint.ip, slot.endpoint.port);
  return [{ of: { kind: 'address', id: frontendId(address) }, endpoint, connections }];
}

function packetsOf(key: unknown): number | undefined {
  const { elem } = (typeof key === 'object' && key !== null ? key : {}) as {
    elem?: { counter?: { packets: number } };
  };
  return elem?.counter?.packets;
}

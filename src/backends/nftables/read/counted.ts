// What the elements of our sets and maps counted, out of nft's listing. Pure.
import { frontendId, hostPort } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { Counted } from '../../../netfilter/counted.ts';
import type { Listed } from './observe.ts';
import { containerNamed, isOurs, readElement } from './observe.ts';
import { keys, slotOf } from '../keys.ts';
import { portNames } from '../names.ts';
import type { ElementUnit } from '../unit.ts';

/** Every counter in the listing of our table that counts all connections. */
export function countedIn(family: Family, listing: string): readonly Counted[] {
  const { nftables } = JSON.parse(listing) as { nftables: readonly Listed[] };
  const elements = nftables
    .filter((item) => isOurs(family, item))
    .flatMap(({ set, map }) => {
      const listed = set ?? map;
      const container = listed && containerNamed(listed.name);
      if (container === undefined || container.timeoutSeconds !== undefined) return [];
      return (listed?.elem ?? []).map((one) => ({
        element: readElement(container, one),
        connections: packetsOf(container.data === undefined ? one : (one as unknown[])[0]),
      }));
    });
  const ofOwnChains = new Set(elements.flatMap(({ element }) => withOwnChain(element)));
  return elements.flatMap(({ element, connections }) => {
    const slot = slotOf(element);
    const address = slot?.frontend ?? keys.frontend.read(element.key);
    if (connections === undefined || address === undefined) return [];
    const id = frontendId(address);
    // Clients that are remembered draw no slot.
    if (slot !== undefined && ofOwnChains.has(id)) return [];
    const endpoint = slot && hostPort(slot.endpoint.ip, slot.endpoint.port);
    return [{ of: { kind: 'address', id }, endpoint, connections }];
  });
}

/** The frontend of an element that leads to a chain of one Service alone. */
function withOwnChain({ key, value = '' }: ElementUnit): readonly string[] {
  const address = keys.frontend.read(key);
  const isOwn = portNames.read(keys.chain.read(value) ?? '') !== undefined;
  return address === undefined || !isOwn ? [] : [frontendId(address)];
}

function packetsOf(key: unknown): number | undefined {
  const { elem } = (typeof key === 'object' && key !== null ? key : {}) as {
    elem?: { counter?: { packets: number } };
  };
  return elem?.counter?.packets;
}

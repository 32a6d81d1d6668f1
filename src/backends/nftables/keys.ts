// The keys of elements and their data, as nft joins their parts: each kind's writer and reader side by
// side. Pure. Written by joining, as text in one piece takes less memory than what a template is put
// together from, and there are very many.
import type { Endpoint, FrontendAddress } from '../../model/forwarding.ts';
import type { Ip } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { Spelling } from '../spelling.ts';
import { slotMapNamed } from './schema.ts';
import type { SlotMap } from './schema.ts';

/** One slot of a frontend in a map of slots, which has the protocol in its name. */
export type SlotKey = Omit<FrontendAddress, 'protocol'> & { readonly slot: number };

/** Where connections are sent. */
export type Target = Pick<Endpoint, 'ip' | 'port'>;

const frontendKey = /^(?:([^ ]*[.:][^ ]*) \. )?(tcp|udp|sctp) \. (\d+)$/;
const slotKey = /^(?:([^ ]*[.:][^ ]*) \. )?(\d+) \. (\d+)$/;
const target = /^([^ ]*[.:][^ ]*) \. (\d+)$/;

type Keys = {
  /** A frontend where its chain or verdict is looked up: `10.96.0.10 . tcp . 80`, `tcp . 30080`. */
  readonly frontend: Spelling<FrontendAddress>;
  /** `10.96.0.10 . 80 . 0`, at a node port `30080 . 0`. */
  readonly slot: Spelling<SlotKey>;
  /** The data of a slot: `10.244.1.1 . 8080`. */
  readonly target: Spelling<Target>;
  /** The data of what leads to a chain: `goto external-XPGD46QR-ns/web/tcp/http`. */
  readonly chain: Spelling<string>;
};

/** All kinds that are read back. */
export const keys: Keys = {
  frontend: {
    write: ({ ip, protocol, port }) =>
      (ip === undefined ? [protocol, port] : [ip, protocol, port]).join(' . '),
    read: (text) => {
      const [, ip, protocol, port] = frontendKey.exec(text) ?? [];
      if (protocol === undefined) return undefined;
      return { ip: ip as Ip | undefined, protocol: protocol as Protocol, port: Number(port) };
    },
  },
  slot: {
    write: ({ ip, port, slot }) => (ip === undefined ? [port, slot] : [ip, port, slot]).join(' . '),
    read: (text) => {
      const [, ip, port, slot] = slotKey.exec(text) ?? [];
      if (slot === undefined) return undefined;
      return { ip: ip as Ip | undefined, port: Number(port), slot: Number(slot) };
    },
  },
  target: {
    write: ({ ip, port }) => [ip, port].join(' . '),
    read: (text) => {
      const [, ip, port] = target.exec(text) ?? [];
      return ip === undefined ? undefined : { ip: ip as Ip, port: Number(port) };
    },
  },
  chain: {
    write: (name) => `goto ${name}`,
    read: (text) => /^goto (\S+)$/.exec(text)?.[1],
  },
};

/** The connection of an endpoint to itself, `10.244.1.1 . 10.244.1.1 . tcp . 8080`. */
export function hairpinKey(protocol: Protocol, { ip, port }: Target): string {
  return `${ip} . ${ip} . ${protocol} . ${port}`;
}

type Elementary = {
  readonly container: string;
  readonly key: string;
  readonly value: string | undefined;
};

/** What an element of a map of slots says: a frontend, and an endpoint of it. */
export type Slot = {
  readonly map: SlotMap;
  readonly frontend: FrontendAddress;
  readonly slot: number;
  readonly endpoint: Target;
};

/** The slot that an element is; undefined where it is in no map of slots. */
export function slotOf(element: Elementary): Slot | undefined {
  const map = slotMapNamed(element.container);
  if (map === undefined) return undefined;
  const key = keys.slot.read(element.key);
  const endpoint = keys.target.read(element.value ?? '');
  if (key === undefined || endpoint === undefined) return undefined;
  const { ip, port, slot } = key;
  return { map, frontend: { ip, protocol: map.protocol, port }, slot, endpoint };
}

/** What an element that is a slot says but for its number: each is drawn as often as any other. */
export function unorderedSlot({ container, key, value }: Elementary): string | undefined {
  if (slotMapNamed(container) === undefined) return undefined;
  return `${container} ${key.slice(0, key.lastIndexOf(' . '))} : ${value}`;
}

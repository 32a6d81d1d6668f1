// What is asked: two texts of the command line in, a packet out. `FROM` is a pod, an address, this node or
// the outside; `TO` an address, a Service or a node port. Pure.
import type { Aside } from '../cluster/decode/aside.ts';
import { quoted } from '../cluster/problem.ts';
import { UsageError } from '../errors.ts';
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import { cidrContains, familyOf, parseIp } from '../model/ip.ts';
import type { ClusterObject, Node, Protocol, Service, ServicePort } from '../model/kubernetes.ts';
import { isLocalAddress } from '../model/settings.ts';
import { addressToOthers, outsideInterface, podInterface, stranger } from '../netfilter/senders.ts';
import type { Packet } from '../netfilter/trace.ts';

/** What a question may name. */
export type Known = {
  readonly objects: readonly ClusterObject[];
  readonly asides: readonly Aside[];
  readonly config: Config;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

/** A packet, or a Service to whose address no packet can be sent. */
export type Question =
  | { readonly kind: 'packet'; readonly packet: Packet }
  | { readonly kind: 'no-address'; readonly aside: Extract<Aside, { kind: 'service' }> };

/** Reads a question; throws UsageError where it names nothing that is known, or too much. */
export function questionOf(from: string, to: string, known: Known): Question {
  const target = parseTarget(to);
  const sender = parseSender(from, known);
  const place = placeOf(target, known, onlyFamily(sender));
  if ('aside' in place) return { kind: 'no-address', aside: place.aside };
  const { destination, port, protocol } = place;
  const packet = { destination, port, protocol, ...senderTo(destination, sender, known) };
  if (familyOf(packet.source) === familyOf(destination)) return { kind: 'packet', packet };
  throw new UsageError(`${packet.source} and ${destination} are not of one family`);
}

type Target = {
  /** The text before the port. */
  readonly place: string;
  /** A number or a name; undefined where none is given. */
  readonly port: string | undefined;
  readonly protocol: Protocol | undefined;
};

// `[fd00::1]:80/tcp`, `10.96.0.10:80`, `web/shop:http`, `web/shop/udp`, `node:30080`.
const bracketed = /^\[([^\]]*)\](?::([^:/]+))?$/;
const plain = /^([^:[\]]+)(?::([^:/]+))?$/;
const protocolAtEnd = /^(.*[:/\]].*|.*:.*)\/(tcp|udp|sctp)$/i;

function parseTarget(to: string): Target {
  const [, rest = to, protocol] = protocolAtEnd.exec(to) ?? [];
  const [, place, port] = bracketed.exec(rest) ?? plain.exec(rest) ?? [];
  if (place === undefined) {
    const isBareIpv6 = parseIp(rest) !== undefined || /^[\da-f:]+:\d+$/i.test(rest);
    const hint = isBareIpv6 ? '; write an IPv6 address in brackets, as [fd00::1]:80' : '';
    throw new UsageError(`TO ${quoted(to)} is no address and port, Service, or node port${hint}`);
  }
  return { place, port, protocol: protocol?.toLowerCase() as Protocol | undefined };
}

type Destination = Pick<Packet, 'destination' | 'port' | 'protocol'>;
type NoAddress = { readonly aside: Extract<Aside, { kind: 'service' }> };

function placeOf(
  target: Target,
  known: Known,
  family: Family | undefined,
): Destination | NoAddress {
  const { place, port, protocol } = target;
  if (place.includes('/')) return servicePlace(target, known, family);
  const destination = place === 'node' ? nodeAddress(known, family ?? 'IPv4') : parseIp(place);
  if (destination === undefined) {
    throw new UsageError(
      `TO ${quoted(place)} is no address, no namespace/name of a Service, and not node`,
    );
  }
  return { destination, port: portNumber(port, place), protocol: protocol ?? 'tcp' };
}

function portNumber(port: string | undefined, place: string): number {
  const number = /^\d{1,5}$/.test(port ?? '') ? Number(port) : 0;
  if (number >= 1 && number <= 65_535) return number;
  const what = port === undefined ? 'a port is missing' : `${quoted(port)} is no port number`;
  throw new UsageError(`TO ${quoted(place)}: ${what}: 1 to 65535`);
}

function servicePlace(
  { place, port, protocol }: Target,
  { objects, asides }: Known,
  family: Family | undefined,
): Destination | NoAddress {
  const service = objects.flatMap((object) =>
    object.kind === 'Service' && object.id === place ? [object.value] : [],
  )[0];
  if (service === undefined) {
    const aside = asides.find((one) => one.kind === 'service' && one.service === place);
    if (aside?.kind === 'service') return { aside };
    throw new UsageError(`Service ${quoted(place)} is not known`);
  }
  const destination =
    service.clusterIps.find((ip) => familyOf(ip) === family) ??
    (family === undefined ? service.clusterIps[0] : undefined);
  if (destination === undefined) {
    throw new UsageError(`Service ${place} has no ${family} address (spec.clusterIPs)`);
  }
  const found = servicePort(service, port, protocol);
  return { destination, port: found.port, protocol: found.protocol };
}

type WantedPort = Pick<ServicePort, 'port' | 'protocol'>;

function servicePort(
  { key, ports }: Service,
  port: string | undefined,
  protocol: Protocol | undefined,
): WantedPort {
  const ofProtocol = ports.filter((one) => protocol === undefined || one.protocol === protocol);
  const fitting = ofProtocol.filter(
    (one) => port === undefined || one.name === port || String(one.port) === port,
  );
  const [only, ...more] = fitting;
  if (only !== undefined && more.length === 0) return only;
  // The same number twice is one port with several protocols: TCP is meant unless one is given.
  const tcp = fitting.find((one) => one.protocol === 'tcp');
  if (tcp !== undefined && new Set(fitting.map((one) => one.port)).size === 1) return tcp;
  const listed = ports.map((one) => `${one.name === '' ? one.port : one.name}/${one.protocol}`);
  if (only !== undefined)
    throw new UsageError(`Service ${key} has several ports: name one of ${listed.join(', ')}`);
  // What it has not can be asked for all the same.
  if (port !== undefined && /^\d+$/.test(port)) {
    return { port: portNumber(port, key), protocol: protocol ?? 'tcp' };
  }
  throw new UsageError(
    `Service ${key} has no port ${quoted(port ?? protocol ?? '')}, but ${listed.join(', ')}`,
  );
}

type Sender = {
  readonly kind: 'node' | 'outside' | 'addresses';
  /** Of a pod there may be one a family. */
  readonly ips: readonly Ip[];
};

/** The family that a sender binds a question to, if it does. */
function onlyFamily({ ips }: Sender): Family | undefined {
  const [family, ...others] = new Set(ips.map(familyOf));
  return others.length === 0 ? family : undefined;
}

function parseSender(from: string, { asides }: Known): Sender {
  if (from === 'node' || from === 'outside') return { kind: from, ips: [] };
  const text = /^\[(.*)\]$/.exec(from)?.[1] ?? from;
  const ip = parseIp(text);
  if (ip !== undefined) return { kind: 'addresses', ips: [ip] };
  const pods = asides.filter((one) => one.kind === 'pod').filter(({ pod }) => pod === from);
  if (pods.length > 0) return { kind: 'addresses', ips: pods.map((pod) => pod.ip) };
  const isName = from.includes('/');
  throw new UsageError(
    isName
      ? `FROM ${quoted(from)}: no endpoint or Pod of that name is known here; name the pod's address`
      : `FROM ${quoted(from)} is no pod (namespace/name), no address, not node and not outside`,
  );
}

function senderTo(
  destination: Ip,
  { kind, ips }: Sender,
  known: Known,
): Pick<Packet, 'origin' | 'interface' | 'source'> {
  const family = familyOf(destination);
  if (kind === 'outside') {
    return { origin: 'elsewhere', interface: outsideInterface, source: stranger[family] };
  }
  const [first] = ips;
  const own = ips.find((ip) => familyOf(ip) === family) ?? first;
  if (own !== undefined) return senderAt(own, known);
  // As the kernel chooses: what a host sends to itself comes from the address that it is for.
  const isToItself = isLocalAddress(destination, known.hostIps);
  const source = isToItself ? destination : nodeAddress(known, family);
  return { origin: 'node', interface: '', source };
}

/** Who sends from an address: this node where it is one of its own. */
function senderAt(
  source: Ip,
  { config, hostIps, objects, asides }: Known,
): Pick<Packet, 'origin' | 'interface' | 'source'> {
  if (isLocalAddress(source, hostIps)) return { origin: 'node', interface: '', source };
  const node = nodeOf(objects, config);
  const isInRange = node?.podCidrs.some((cidr) => cidrContains(cidr, source)) ?? false;
  const isKnown = asides.some(
    (one) => one.kind === 'pod' && one.ip === source && one.nodeName === config.nodeName,
  );
  const isEndpoint = objects.some(
    ({ kind, value }) =>
      kind === 'EndpointSlice' &&
      value.endpoints.some(({ ip, state }) => ip === source && state.nodeName === config.nodeName),
  );
  const isHere = isInRange || isKnown || isEndpoint;
  return {
    origin: 'elsewhere',
    interface: isHere ? podInterface(config) : outsideInterface,
    source,
  };
}

function nodeAddress({ objects, config, hostIps }: Known, family: Family): Ip {
  const own = nodeOf(objects, config)?.ips ?? [];
  const found = addressToOthers(family, [...own, ...hostIps]);
  if (found !== undefined) return found;
  throw new UsageError(`this node has no ${family} address: name the address that is meant`);
}

function nodeOf(objects: readonly ClusterObject[], { nodeName }: Config): Node | undefined {
  return objects.flatMap(({ kind, id, value }) =>
    kind === 'Node' && id === nodeName ? [value] : [],
  )[0];
}

// Asks the tracer in the words of people: who sends what where, and what becomes of it.
import { decodeObject } from '../../src/cluster/decode/object.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { hostPort } from '../../src/model/forwarding.ts';
import type { Ip } from '../../src/model/ip.ts';
import { familyOf, parseIp } from '../../src/model/ip.ts';
import type { ClusterObject, Protocol } from '../../src/model/kubernetes.ts';
import type { Outcome, Packet } from '../../src/netfilter/trace.ts';
import { trace } from '../../src/netfilter/trace.ts';
import { configFor } from './config.ts';
import { hostIpsOf, rulesetOf } from './ruleset.ts';

/** What is asked of. */
export type Stand = {
  readonly objects: readonly ClusterObject[];
  readonly mode: ProxyMode;
  readonly flags?: readonly string[];
  /** More addresses that the node has on its interfaces. */
  readonly moreHostIps?: readonly string[];
};

/** Decodes raw objects; one that has a fault is an error here. */
export function decodeAll(raws: readonly object[]): readonly ClusterObject[] {
  return raws.map((raw) => {
    const decoded = decodeObject(raw);
    if (decoded.kind !== 'object') throw new Error(JSON.stringify(decoded));
    return decoded.object;
  });
}

/** `pod|node|outside ADDRESS [by INTERFACE]` and `PROTOCOL ADDRESS PORT` as a packet. */
export function packetOf(from: string, to: string): Packet {
  const [who, source, , byInterface] = from.split(' ') as [string, string, string?, string?];
  const [protocol, destination, port] = to.split(' ') as [Protocol, string, string];
  return {
    origin: who === 'node' ? 'node' : 'elsewhere',
    interface: byInterface ?? '',
    source: parseIp(source) as Ip,
    destination: parseIp(destination) as Ip,
    protocol,
    port: Number(port),
  };
}

/** All that may become of a connection, such as `1/2 10.244.1.11:8080 masqueraded`, or `rejected`. */
export function answersTo(stand: Stand, from: string, to: string): readonly string[] {
  const { objects, mode, flags, moreHostIps = [] } = stand;
  const packet = packetOf(from, to);
  const hostIps = [...hostIpsOf(objects, 'node-1'), ...(moreHostIps as Ip[])];
  const config = configFor(mode, flags);
  const ruleset = rulesetOf(objects, { config, family: familyOf(packet.destination), hostIps });
  return trace(ruleset, packet).map(outcomeText);
}

/** One end of a packet's way as people read it. */
export function outcomeText({ verdict, endpoint, share, isMasqueraded }: Outcome): string {
  if (endpoint === undefined) return verdict;
  const where = `1/${Math.round(1 / share)} ${hostPort(endpoint.ip, endpoint.port)}`;
  if (verdict !== 'forwarded') return `${where} ${verdict}`;
  return isMasqueraded ? `${where} masqueraded` : where;
}

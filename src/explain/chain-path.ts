// The chains that connections pass to a Service's address: the backend compiles the Service alone, and one
// packet of each client is traced through that Program. Pure.
import { buildParts, buildService } from '../../rules/index.ts';
import type { PureBackend } from '../backends/backend.ts';
import type { ChainPath, ClientSide, PathTo } from '../model/chain-path.ts';
import type { Frontend, ServiceForwarding } from '../model/forwarding.ts';
import type { Cidr, Ip } from '../model/ip.ts';
import { cidrContains, familyOf, parseIp } from '../model/ip.ts';
import type { FamilySettings } from '../model/settings.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Packet } from '../netfilter/trace.ts';
import { outsideInterface, stranger } from '../netfilter/senders.ts';

/** The node that the Service is compiled for. */
export type PathNode = {
  readonly settings: FamilySettings;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

/**
 * Compiles one Service, and returns what finds the ways to its addresses. Branches of iptables mode's dispatch
 * chains are not on them: which there are depends on all other Services.
 */
export function pathsOf<U extends Unit>(
  backend: PureBackend<U>,
  forwarding: ServiceForwarding,
  node: PathNode,
): PathTo {
  const { settings, hostIps } = node;
  const assembly = backend.assemble(buildParts(settings), settings);
  assembly.replace(new Map([[forwarding.service, buildService(forwarding, settings)]]));
  const trace = backend.tracer(assembly.whole(), { family: settings.family, hostIps });
  return (frontend, client) => {
    const packet = packetTo(frontend, client, node);
    if (packet === undefined) return { chains: [], stop: 'untouched' };
    const { chains, outcomes } = trace(packet);
    const [verdict, ...others] = new Set(outcomes.map((outcome) => outcome.verdict));
    return { chains, stop: others.length > 0 ? undefined : stops[verdict ?? 'forwarded'] };
  };
}

const stops: Readonly<Record<string, ChainPath['stop']>> = {
  rejected: 'rejected',
  dropped: 'dropped',
  untouched: 'untouched',
};

function packetTo(
  { address, allowFrom }: Frontend,
  client: ClientSide,
  { settings, hostIps }: PathNode,
): Packet | undefined {
  const destination = address.ip ?? nodePortIp(settings, hostIps);
  if (destination === undefined) return undefined;
  const { protocol, port } = address;
  const from = client === 'pod' ? podOf(settings) : undefined;
  const source = from?.source ?? allowedOf(allowFrom, stranger[settings.family]);
  const inInterface = from?.interface ?? outsideInterface;
  return { origin: 'elsewhere', interface: inInterface, source, destination, protocol, port };
}

function nodePortIp({ family, nodePorts }: FamilySettings, hostIps: readonly Ip[]): Ip | undefined {
  if (nodePorts.kind === 'addresses') return nodePorts.ips[0];
  return hostIps.find((ip) => familyOf(ip) === family && ip !== '::1' && !ip.startsWith('127.'));
}

/** A pod's source; undefined if nothing marks a packet as a pod's. */
function podOf({ family, podSource }: FamilySettings) {
  if (podSource === undefined) return undefined;
  if (podSource.kind === 'cidr') return { source: firstIn(podSource.cidr) };
  const isPrefix = podSource.kind === 'interface-prefix';
  const name = isPrefix ? `${podSource.prefix}0` : podSource.name;
  return { source: stranger[family], interface: name };
}

function allowedOf(allowFrom: readonly Cidr[] | undefined, anybody: Ip): Ip {
  const [first] = allowFrom ?? [];
  const isAllowed = allowFrom?.some((cidr) => cidrContains(cidr, anybody)) ?? true;
  return isAllowed || first === undefined ? anybody : firstIn(first);
}

// The network's own address serves as well as any: rules look at ranges.
function firstIn(cidr: Cidr): Ip {
  return parseIp(cidr.slice(0, cidr.indexOf('/'))) as Ip;
}

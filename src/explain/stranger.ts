// What is said of a packet that is for no Service address: who drops or refuses it, or that nobody does,
// and which Service it just misses. Pure.
import type { Aside } from '../cluster/decode/aside.ts';
import { hostPort, type Frontend } from '../model/forwarding.ts';
import { cidrContains } from '../model/ip.ts';
import type { Service, ServicePort } from '../model/kubernetes.ts';
import type { Cause, Reason } from '../model/reason.ts';
import { isLocalAddress } from '../model/settings.ts';
import type { Packet, Verdict } from '../netfilter/trace.ts';
import type { Decision, End, NearMiss, StopKind } from './explanation.ts';
import { portText } from './explanation.ts';
import {
  frontendFor,
  isNodePortAddress,
  nodePortAddressDecision,
  nodePortFor,
} from './frontend.ts';
import type { World } from './world.ts';

/** Why a packet that has no frontend ends as it does. */
export function strangerDecisions(
  world: World,
  packet: Packet,
  verdict: Verdict,
): readonly Decision[] {
  const away = turnedAway(world, packet);
  if (away !== undefined) return [{ ...away, verdict }];
  if (verdict === 'dropped' && packet.destination.startsWith('127.')) {
    const [object, field] = ['configuration', 'iptables.localhostNodePorts'] as const;
    return [{ kind: 'localnet', object, field, value: 'true' }];
  }
  const health = healthCheckOf(world, packet);
  if (health !== undefined) {
    const [object, field] = [`Service ${health.key}`, 'spec.healthCheckNodePort'] as const;
    return [{ kind: 'health-check-port', object, field, value: String(packet.port) }];
  }
  const nodePort = nodePortFor(world, packet);
  const isMissedPort = nodePort !== undefined && !isNodePortAddress(world, packet);
  const isHere = isLocalAddress(packet.destination, world.hostIps);
  const { protocol, destination, port } = packet;
  const object = `address ${protocol} ${hostPort(destination, port)}` as const;
  return [
    { kind: 'not-ours', object, field: '', value: '' },
    ...(isMissedPort && isHere ? [nodePortAddressDecision(world, packet)] : []),
  ];
}

/** Why a packet that was sent to an endpoint is stopped there: what the rules say of the endpoint's address. */
export function stoppedDecisions(
  world: World,
  packet: Packet,
  ends: readonly End[],
): readonly Decision[] {
  const decisions = ends.flatMap(({ verdict, endpoint }): readonly Decision[] => {
    const isStopped = verdict === 'dropped' || verdict === 'rejected';
    if (!isStopped || endpoint === undefined) return [];
    const { ip: destination, port } = endpoint;
    const sent = { ...packet, destination, port };
    const reason = unanswered(world, sent) ?? turnedAway(world, sent);
    if (reason !== undefined) return [{ ...reason, kind: `endpoint-${reason.kind}`, verdict }];
    const object = `address ${hostPort(destination, port)}` as const;
    return [{ kind: 'endpoint-stopped', object, field: '', value: '', verdict }];
  });
  // A Service range may stop thousands.
  return [...new Map(decisions.map((decision) => [JSON.stringify(decision), decision])).values()];
}

type Stop = Reason<StopKind>;

function unanswered(world: World, packet: Packet): Stop | undefined {
  const reasons = frontendFor(world, packet)?.route.pool.reasons ?? [];
  return reasons.flatMap(({ kind, ...cause }): readonly Stop[] =>
    kind === 'no-endpoints' || kind === 'no-local-endpoints' ? [{ kind, ...cause }] : [],
  )[0];
}

// What the rules say of addresses that belong to Services and mean nothing with this port.
function turnedAway(world: World, packet: Packet): Stop | undefined {
  const owner = ownerOf(world, packet);
  if (owner !== undefined) {
    const [object, value] = [`Service ${owner.key}` as const, packet.destination];
    return { kind: 'unused-port', object, field: 'spec.clusterIPs', value };
  }
  const range = serviceRangeOf(world, packet);
  return range && { kind: 'unallocated', ...range };
}

function ownerOf({ services }: World, { destination }: Packet): Service | undefined {
  return [...services.values()].find(({ clusterIps }) => clusterIps.includes(destination));
}

function serviceRangeOf({ serviceCidrs }: World, { destination }: Packet): Cause | undefined {
  for (const { name, cidrs } of serviceCidrs) {
    const index = cidrs.findIndex((cidr) => cidrContains(cidr, destination));
    const value = cidrs[index];
    if (value === undefined) continue;
    return { object: `ServiceCIDR ${name}`, field: `spec.cidrs[${index}]`, value };
  }
  return undefined;
}

function healthCheckOf({ services, hostIps }: World, packet: Packet): Service | undefined {
  if (packet.protocol !== 'tcp' || !isLocalAddress(packet.destination, hostIps)) return undefined;
  return [...services.values()].find(
    ({ healthCheckNodePort }) => healthCheckNodePort === packet.port,
  );
}

/** The Services that would have it with another port, another protocol, another address. */
export function nearMisses(world: World, packet: Packet): readonly NearMiss[] {
  return [
    ...[...world.services.values()].flatMap((service) => missedAddress(service, packet)),
    ...missedNodePort(world, packet),
    ...missedEndpoint(world, packet),
    ...missedHeadless(world, packet),
    ...pending(world, packet),
  ];
}

function missedAddress(service: Service, packet: Packet): readonly NearMiss[] {
  const { clusterIps, externalIps, loadBalancerIps, ports } = service;
  const all = [...clusterIps, ...externalIps, ...loadBalancerIps];
  if (!all.includes(packet.destination)) return [];
  const sameNumber = ports.filter(({ port }) => port === packet.port);
  const kind = sameNumber.length > 0 ? 'other-protocol' : 'other-port';
  const has = (sameNumber.length > 0 ? sameNumber : ports).map(portOf).join(', ');
  const cause = { object: `Service ${service.key}`, field: 'spec.ports', value: has } as const;
  return [{ kind, service: service.key, has, cause }];
}

function portOf({ protocol, port, name }: ServicePort): string {
  return `${portText(protocol, port)}${name === '' ? '' : ` (${name})`}`;
}

function missedNodePort(world: World, packet: Packet): readonly NearMiss[] {
  const { protocol, port } = packet;
  const exact = nodePortFor(world, packet);
  if (exact !== undefined) return [nodePortMiss('node-port-elsewhere', exact)];
  if (!isNodePortAddress(world, packet)) return [];
  const others = [...world.frontends.values()].filter(
    ({ kind, address }) =>
      kind === 'NodePort' && address.port === port && address.protocol !== protocol,
  );
  return others.map((frontend) => nodePortMiss('other-protocol', frontend));
}

function nodePortMiss(kind: NearMiss['kind'], { service, address }: Frontend): NearMiss {
  const has = portText(address.protocol, address.port);
  const cause = {
    object: `Service ${service}`,
    field: 'spec.ports[].nodePort',
    value: has,
  } as const;
  return { kind, service, has, cause };
}

// Whoever asks an endpoint's own address goes past the Service, and may not know it.
function missedEndpoint(
  world: World,
  { destination, port, protocol }: Packet,
): readonly NearMiss[] {
  return [...world.services.values()].flatMap((service) =>
    world
      .slicesOf(service.key)
      .filter(({ endpoints }) => endpoints.some(({ ip }) => ip === destination))
      .filter(({ ports }) => ports.some((one) => one.port === port && one.protocol === protocol))
      .map(({ namespace, name }): NearMiss => ({
        kind: 'its-endpoint',
        service: service.key,
        has: hostPort(destination, port),
        cause: {
          object: `EndpointSlice ${namespace}/${name}`,
          field: 'endpoints[].addresses',
          value: destination,
        },
      })),
  );
}

/** Where a Service that has no address says so. */
export function asideMiss({ service, why, field, value }: ServiceAside): NearMiss {
  const cause = { object: `Service ${service}`, field, value } as const;
  return { kind: why, service, has: why === 'external-name' ? value : '', cause };
}

type ServiceAside = Extract<Aside, { kind: 'service' }>;

function missedHeadless({ asides }: World, { destination }: Packet): readonly NearMiss[] {
  const owners = asides.flatMap((aside) =>
    aside.kind === 'headless-endpoint' && aside.ip === destination ? [aside.service] : [],
  );
  return asides
    .filter((aside) => aside.kind === 'service')
    .filter(({ service, why }) => why === 'headless' && owners.includes(service))
    .map(asideMiss);
}

// A load balancer's address comes late, or never where nobody gives one.
function pending(world: World, packet: Packet): readonly NearMiss[] {
  const { protocol, port } = packet;
  const isInside =
    ownerOf(world, packet) !== undefined || serviceRangeOf(world, packet) !== undefined;
  const isHere = isLocalAddress(packet.destination, world.hostIps);
  const isPod = isEndpointAddress(world, packet);
  if (isInside || isHere || isPod) return [];
  return [...world.services.values()]
    .filter(({ type, loadBalancerIps }) => type === 'LoadBalancer' && loadBalancerIps.length === 0)
    .filter(({ ports }) => ports.some((one) => one.port === port && one.protocol === protocol))
    .map(({ key, clusterIps }): NearMiss => ({
      kind: 'no-address',
      service: key,
      has: clusterIps.join(', '),
      cause: { object: `Service ${key}`, field: 'status.loadBalancer.ingress', value: '' },
    }));
}

function isEndpointAddress({ services, slicesOf }: World, { destination }: Packet): boolean {
  return [...services.keys()].some((key) =>
    slicesOf(key).some(({ endpoints }) => endpoints.some(({ ip }) => ip === destination)),
  );
}

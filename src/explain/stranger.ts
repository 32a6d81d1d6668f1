// What is said of a packet that is for no Service address: who drops or refuses it, or that nobody does,
// and which Service it just misses. Pure.
import type { Aside } from '../cluster/decode-aside.ts';
import { hostPort, type Frontend } from '../model/forwarding.ts';
import { cidrContains } from '../model/ip.ts';
import type { Service, ServicePort } from '../model/kubernetes.ts';
import { isLocalAddress } from '../netfilter/node-port-address.ts';
import type { Packet, Verdict } from '../netfilter/trace.ts';
import type { Decision, NearMiss } from './explanation.ts';
import { portText } from './explanation.ts';
import { isNodePortAddress, named, nodePortAddressDecision, nodePortFor } from './frontend.ts';
import type { World } from './world.ts';

/** Why a packet that has no frontend ends as it does. */
export function strangerDecisions(
  world: World,
  packet: Packet,
  verdict: Verdict,
): readonly Decision[] {
  const owner = ownerOf(world, packet);
  if (owner !== undefined) {
    const value = packet.destination;
    const cause = { object: named(owner), field: 'spec.clusterIPs', value };
    return [{ kind: 'unused-port', verdict, cause }];
  }
  const range = serviceRangeOf(world, packet);
  if (range !== undefined) return [{ kind: 'unallocated', verdict, cause: range }];
  if (verdict === 'dropped' && packet.destination.startsWith('127.')) {
    const cause = { object: 'configuration', field: 'iptables.localhostNodePorts', value: 'true' };
    return [{ kind: 'localnet', cause }];
  }
  const health = healthCheckOf(world, packet);
  if (health !== undefined) {
    const field = 'spec.healthCheckNodePort';
    const cause = { object: named(health), field, value: String(packet.port) };
    return [{ kind: 'health-check-port', cause }];
  }
  const asked = `${packet.protocol} ${hostPort(packet.destination, packet.port)}`;
  const cause = { object: asked, field: '', value: '' };
  const nodePort = nodePortFor(world, packet);
  const isMissedPort = nodePort !== undefined && !isNodePortAddress(world, packet);
  const isHere = isLocalAddress(packet.destination, world.hostIps);
  return [
    { kind: 'not-ours', cause },
    ...(isMissedPort && isHere ? [nodePortAddressDecision(world, packet)] : []),
  ];
}

function ownerOf({ services }: World, { destination }: Packet): Service | undefined {
  return [...services.values()].find(({ clusterIps }) => clusterIps.includes(destination));
}

function serviceRangeOf(
  { serviceCidrs }: World,
  { destination }: Packet,
): Decision['cause'] | undefined {
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
  const cause = { object: named(service), field: 'spec.ports', value: has };
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
  const cause = { object: `Service ${service}`, field: 'spec.ports[].nodePort', value: has };
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
  const cause = { object: `Service ${service}`, field, value };
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

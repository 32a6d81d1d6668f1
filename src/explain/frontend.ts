// Which Service address a packet is for, and by which fields of which object. Pure.
import type { Frontend, FrontendKind } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Service } from '../model/kubernetes.ts';
import { takesNodePorts } from '../netfilter/node-port-address.ts';
import type { Packet } from '../netfilter/trace.ts';
import { rangeOf } from './client.ts';
import type { Cause, Decision } from './explanation.ts';
import { portText } from './explanation.ts';
import type { World } from './world.ts';

/** The frontend that a packet is for: one with its very address, or a node port at an address that takes them. */
export function frontendFor(world: World, packet: Packet): Frontend | undefined {
  const { destination: ip, protocol, port } = packet;
  const own = world.frontends.get(frontendId({ ip, protocol, port }));
  if (own !== undefined) return own;
  return isNodePortAddress(world, packet) ? nodePortFor(world, packet) : undefined;
}

/** The node port with the packet's protocol and port, at whatever address. */
export function nodePortFor(
  { frontends }: World,
  { protocol, port }: Packet,
): Frontend | undefined {
  return frontends.get(frontendId({ ip: undefined, protocol, port }));
}

/** Whether the destination takes node ports here. */
export function isNodePortAddress({ settings, hostIps }: World, { destination }: Packet): boolean {
  return takesNodePorts(settings.nodePorts, destination, hostIps);
}

/** How it came to be this Service's. */
export function frontendDecisions(
  world: World,
  frontend: Frontend,
  packet: Packet,
): readonly Decision[] {
  const service = world.services.get(frontend.service);
  if (service === undefined) return [];
  const { kind } = frontend;
  const id = frontendId(frontend.address);
  const rivals = world.lost.filter((claim) => frontendId(claim.frontend.address) === id);
  return [
    { kind: 'frontend', frontend: kind, cause: addressCause(service, frontend, packet) },
    ...(kind === 'NodePort' ? [nodePortAddressDecision(world, packet)] : []),
    ...(kind === 'NodePort' ? [] : [servicePortDecision(service, frontend)]),
    ...rivals.map(({ frontend: { service: loser } }): Decision => ({
      kind: 'claimed-too',
      loser,
      cause: {
        object: named(service),
        field: 'metadata.creationTimestamp',
        value: service.createdAt,
      },
    })),
    ...sourceRangesDecision(service, frontend, packet),
  ];
}

/** `Service web/shop`. */
export function named({ key }: Pick<Service, 'key'>): string {
  return `Service ${key}`;
}

/** The place of a Service's port in its spec. */
export function portField({ ports }: Service, { portName, address }: Frontend): string {
  const index = ports.findIndex(
    ({ name, protocol }) => name === portName && protocol === address.protocol,
  );
  return `spec.ports[${Math.max(index, 0)}]`;
}

function addressCause(service: Service, frontend: Frontend, { destination: ip }: Packet): Cause {
  const object = named(service);
  switch (frontend.kind) {
    case 'NodePort': {
      const field = `${portField(service, frontend)}.nodePort`;
      return { object, field, value: portText(frontend.address.protocol, frontend.address.port) };
    }
    case 'ClusterIP':
      return { object, field: `spec.clusterIPs[${service.clusterIps.indexOf(ip)}]`, value: ip };
    case 'ExternalIP':
      return { object, field: `spec.externalIPs`, value: ip };
    case 'LoadBalancer':
      return { object, field: 'status.loadBalancer.ingress[].ip', value: ip };
  }
}

function servicePortDecision(service: Service, frontend: Frontend): Decision {
  const { portName, address } = frontend;
  const name = portName === '' ? '' : ` (${portName})`;
  const value = `${portText(address.protocol, address.port)}${name}`;
  const field = `${portField(service, frontend)}.port`;
  return { kind: 'service-port', cause: { object: named(service), field, value } };
}

/** Whether node ports answer at the packet's destination. */
export function nodePortAddressDecision(world: World, packet: Packet): Decision {
  const { nodePortAddresses } = world.config;
  const value = nodePortAddresses === 'primary' ? 'primary' : nodePortAddresses.join(',');
  const cause = { object: 'configuration', field: 'nodePortAddresses', value };
  return { kind: 'node-port-address', takes: isNodePortAddress(world, packet), cause };
}

const allowing: readonly FrontendKind[] = ['LoadBalancer'];

function sourceRangesDecision(
  service: Service,
  { kind, allowFrom }: Frontend,
  packet: Packet,
): readonly Decision[] {
  if (!allowing.includes(kind) || service.sourceRanges.length === 0) return [];
  const object = named(service);
  const field = 'spec.loadBalancerSourceRanges';
  const given = service.sourceRanges.join(', ');
  if (allowFrom === undefined) {
    return [{ kind: 'source-ranges', allows: true, cause: { object, field, value: given } }];
  }
  const range = rangeOf(allowFrom, packet);
  // Where the node itself may, so may the address of the load balancer that it has on an interface.
  const isOwn = range !== undefined && !service.sourceRanges.includes(range);
  const cause = isOwn
    ? { object, field: 'status.loadBalancer.ingress[].ip', value: range }
    : { object, field, value: range ?? given };
  return [{ kind: 'source-ranges', allows: range !== undefined, cause }];
}

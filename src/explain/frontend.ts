// Which Service address a packet is for, and by which fields of which object. Pure.
import type { Frontend, FrontendKind } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import { cidrContains } from '../model/ip.ts';
import type { Service } from '../model/kubernetes.ts';
import type { OpenToKind, Reason } from '../model/reason.ts';
import { takesNodePorts } from '../model/settings.ts';
import type { Packet } from '../netfilter/trace.ts';
import type { Decision } from './explanation.ts';
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

/** How it came to be this Service's, and whether the sender may use it. */
export function frontendDecisions(
  world: World,
  frontend: Frontend,
  packet: Packet,
): readonly Decision[] {
  const service = world.services.get(frontend.service);
  const { destination: ip, protocol, port } = packet;
  const ids = [frontendId(frontend.address), frontendId({ ip, protocol, port })];
  const rivals = world.conflicts.filter(
    ({ frontend: { address }, winner }) =>
      winner === frontend.service && ids.includes(frontendId(address)),
  );
  return [
    ...(service === undefined ? [] : addressReasons(service, frontend)),
    ...(frontend.kind === 'NodePort' ? [nodePortAddressDecision(world, packet)] : []),
    ...rivals.map(({ frontend: { service: loser }, reason }) => ({ ...reason, loser })),
    ...openToDecisions(frontend, packet),
  ];
}

// Where the address and the port are written.
function addressReasons(
  { key, clusterIps, ports }: Service,
  { kind, address: { ip, protocol, port }, portName }: Frontend,
): readonly Reason<FrontendKind | 'service-port'>[] {
  const index = ports.findIndex((one) => one.name === portName && one.protocol === protocol);
  const object = `Service ${key}` as const;
  const value = portText(protocol, port);
  if (ip === undefined) return [{ kind, object, field: `spec.ports[${index}].nodePort`, value }];
  const fields: Readonly<Record<FrontendKind, string>> = {
    ClusterIP: `spec.clusterIPs[${clusterIps.indexOf(ip)}]`,
    ExternalIP: 'spec.externalIPs',
    LoadBalancer: 'status.loadBalancer.ingress[].ip',
    NodePort: '',
  };
  const named = portName === '' ? value : `${value} (${portName})`;
  return [
    { kind, object, field: fields[kind], value: ip },
    { kind: 'service-port', object, field: `spec.ports[${index}].port`, value: named },
  ];
}

/** Whether node ports answer at the packet's destination. */
export function nodePortAddressDecision(world: World, packet: Packet): Decision {
  const { nodePortAddresses } = world.config;
  const value = nodePortAddresses === 'primary' ? 'primary' : nodePortAddresses.join(',');
  const kind = isNodePortAddress(world, packet) ? 'node-ports-answer' : 'no-node-ports-answer';
  return { kind, object: 'configuration', field: 'nodePortAddresses', value };
}

// The one range that the sender is in, or all of them.
function openToDecisions(
  { allowFrom, openTo }: Frontend,
  { source }: Packet,
): readonly Reason<OpenToKind | 'source-refused'>[] {
  if (allowFrom === undefined) return openTo;
  const range = allowFrom.find((cidr) => cidrContains(cidr, source));
  const found = openTo.find(({ value }) => value === range);
  if (found !== undefined) return [found];
  const ranges = openTo.filter(({ kind }) => kind === 'source-range');
  const value = ranges.map((reason) => reason.value).join(', ');
  return ranges.slice(0, 1).map((first) => ({ ...first, kind: 'source-refused', value }));
}

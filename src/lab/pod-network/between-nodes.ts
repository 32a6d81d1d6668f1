// The way from a node to the pods of the others, as lines for `ip -batch` in the node's namespace.
// Pure text; the process that a tunnel may need is in tunnel.ts.
import type { Dual, LabNode, Overlay } from '../topology.ts';
import { nodes } from '../topology.ts';
import { addressLines, podMtu } from './pod-ports.ts';

/** The device whose packets socat carries in UDP. */
export const udpTunnelDevice = 'udp1';

const vxlanDevice = 'vxlan1';

/** Routes from the node to the pods of all others, and the devices that these routes need. */
export function betweenNodesLines(node: LabNode, overlay: Overlay): readonly string[] {
  const others = nodes.filter((other) => other !== node);
  return others.flatMap((other) => wayLines[overlay](node, other));
}

/** A route of each family. */
export function routeLines(range: Dual, via: Dual): readonly string[] {
  return [`route add ${range.ipv4} via ${via.ipv4}`, `route add ${range.ipv6} via ${via.ipv6}`];
}

const wayLines: Readonly<Record<Overlay, (node: LabNode, other: LabNode) => readonly string[]>> = {
  'host-gw': overLanLines,
  vxlan: vxlanLines,
  udp: udpLines,
  // What leaves a node for another node's pods goes by way of that node, whose connections they are.
  macvlan: overLanLines,
};

function overLanLines(_: LabNode, other: LabNode): readonly string[] {
  return routeLines(other.podRange, other.lan);
}

// Two nodes need no forwarding table: what goes into the tunnel has one place to come out. Each knows the
// other's link-layer address, as Flannel's do: before Linux 5.14 nobody answers ARP for the lowest address of
// its own pod range, which is taken for a broadcast address.
function vxlanLines(node: LabNode, other: LabNode): readonly string[] {
  const peers = `dev eth0 local ${node.lan.ipv4} remote ${other.lan.ipv4}`;
  const device = `${vxlanDevice} mtu ${podMtu.vxlan} address ${linkAddress(node)}`;
  const neighbour = `lladdr ${linkAddress(other)} dev ${vxlanDevice}`;
  return [
    `link add ${device} type vxlan id 1 dstport 8472 ${peers}`,
    ...tunnelAddressLines(vxlanDevice, node),
    `neighbour add ${other.tunnel.ipv4} ${neighbour}`,
    `neighbour add ${other.tunnel.ipv6} ${neighbour}`,
    `route add ${other.podRange.ipv4} via ${other.tunnel.ipv4} dev ${vxlanDevice} onlink`,
    `route add ${other.tunnel.ipv6}/128 dev ${vxlanDevice}`,
    `route add ${other.podRange.ipv6} via ${other.tunnel.ipv6} dev ${vxlanDevice}`,
  ];
}

/** That of the node's VXLAN device: locally administered, with the node's address on the LAN in it. */
function linkAddress({ lan }: LabNode): string {
  const bytes = lan.ipv4.split('.').map((byte) => Number(byte).toString(16).padStart(2, '0'));
  return ['02', '00', ...bytes].join(':');
}

// The device outlives the process behind it, so all of it is made here.
function udpLines(node: LabNode, other: LabNode): readonly string[] {
  return [
    `tuntap add ${udpTunnelDevice} mode tun`,
    `link set ${udpTunnelDevice} mtu ${podMtu.udp}`,
    ...tunnelAddressLines(udpTunnelDevice, node),
    `route add ${other.podRange.ipv4} dev ${udpTunnelDevice}`,
    `route add ${other.podRange.ipv6} dev ${udpTunnelDevice}`,
  ];
}

function tunnelAddressLines(device: string, { tunnel }: LabNode): readonly string[] {
  return addressLines(device, { ipv4: `${tunnel.ipv4}/32`, ipv6: `${tunnel.ipv6}/128` });
}

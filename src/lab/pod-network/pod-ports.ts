// The devices of a node that its pods hang on: their gateway and a port each, as lines for `ip -batch`
// in the node's namespace. Pure text.
import type { Dual, Host, LabNode, Overlay } from '../topology.ts';
import { pods } from '../topology.ts';

/** What the lines of one node are made for. */
export type PodNetwork = {
  readonly overlay: Overlay;
  readonly namespaceOf: (host: Host) => string;
};

/** What a pod may send in one packet: what is left of the LAN's 1500 bytes inside the tunnel. */
export const podMtu: Readonly<Record<Overlay, number>> = {
  'host-gw': 1500,
  vxlan: 1450,
  udp: 1472,
  macvlan: 1500,
};

/** The gateway of the node's pods, and their ports. */
export function podPortLines(node: LabNode, network: PodNetwork): readonly string[] {
  return network.overlay === 'macvlan' ? macvlanLines(node, network) : bridgeLines(node, network);
}

/** Gives a device its addresses and sets it up. */
export function addressLines(device: string, { ipv4, ipv6 }: Dual): readonly string[] {
  // Duplicate address detection would keep an IPv6 address unusable for a second.
  return [
    `address add ${ipv4} dev ${device}`,
    `address add ${ipv6} dev ${device} nodad`,
    `link set ${device} up`,
  ];
}

function bridgeLines(node: LabNode, { overlay, namespaceOf }: PodNetwork): readonly string[] {
  const mtu = podMtu[overlay];
  return [
    `link add cbr0 mtu ${mtu} type bridge forward_delay 0 mcast_snooping 0`,
    ...gatewayLines('cbr0', node),
    ...podsOf(node).flatMap((host) => [
      `link add ${host} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespaceOf(host)}`,
      `link set ${host} master cbr0`,
      `link set ${host} type bridge_slave hairpin on`,
      `link set ${host} up`,
    ]),
  ];
}

// A device and the macvlan devices on it never hear each other. The node has a macvlan of its own beside
// its pods', and that is their gateway: so what they send to Services passes the node's rules.
function macvlanLines(node: LabNode, { namespaceOf }: PodNetwork): readonly string[] {
  return [
    'link add shim0 link eth0 type macvlan mode bridge',
    ...gatewayLines('shim0', node),
    // An older kernel makes the device in this namespace, wherever it is to be, and the name is taken here.
    ...podsOf(node).flatMap((host) => [
      `link add ${host} link eth0 type macvlan mode bridge`,
      `link set ${host} netns ${namespaceOf(host)} name eth0`,
    ]),
  ];
}

function gatewayLines(device: string, { gateway }: LabNode): readonly string[] {
  return addressLines(device, { ipv4: `${gateway.ipv4}/24`, ipv6: `${gateway.ipv6}/64` });
}

function podsOf(node: LabNode): readonly Host[] {
  return pods.filter((pod) => pod.node === node).map(({ host }) => host);
}

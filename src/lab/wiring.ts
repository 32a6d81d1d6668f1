// The topology as commands: for each namespace, the lines that `ip -batch` reads there. Pure text; every
// device is made inside a namespace of the lab, none in the machine's own.
import type { Dual, Host, LabNode, LabPod, Overlay } from './topology.ts';
import { externalRange, nodes, outside, pods, serviceRange } from './topology.ts';

/** A namespace of the lab: a host, or the LAN's switch. */
export type Place = Host | 'lan';

/** Lines for one `ip -batch` in one namespace. */
export type Batch = { readonly place: Place; readonly lines: readonly string[] };

// VXLAN wraps a packet in 50 bytes; the LAN carries 1500.
const overlayMtu = 1450;
const lanMtu = 1500;

/** All batches; those of one step are independent, a later step needs the devices of the one before. */
export function wiringSteps(
  overlay: Overlay,
  namespaceOf: (place: Place) => string,
): readonly (readonly Batch[])[] {
  const mtu = overlay === 'vxlan' ? overlayMtu : lanMtu;
  return [
    [{ place: 'lan', lines: lanLines(namespaceOf) }],
    nodes.map((node) => ({
      place: node.host,
      lines: [
        ...nodeLines(node),
        ...bridgeLines(node, mtu),
        ...podPortLines(node, { mtu, namespaceOf }),
        ...routeLines(node, overlay),
      ],
    })),
    [
      ...pods.map((pod) => ({ place: pod.host, lines: podLines(pod) })),
      { place: 'ext', lines: outsideLines() },
    ],
  ];
}

function lanLines(namespaceOf: (place: Place) => string): readonly string[] {
  const stations: readonly Host[] = ['n1', 'n2', 'ext'];
  return [
    'link add lan type bridge forward_delay 0 mcast_snooping 0',
    'link set lan up',
    ...stations.flatMap((host) => [
      `link add ${host} type veth peer name eth0 netns ${namespaceOf(host)}`,
      `link set ${host} master lan`,
      `link set ${host} up`,
    ]),
  ];
}

function nodeLines(node: LabNode): readonly string[] {
  return [
    'link set lo up',
    ...addressLines('eth0', { ipv4: `${node.lan.ipv4}/24`, ipv6: `${node.lan.ipv6}/64` }),
    ...defaultRouteLines(outside),
  ];
}

function bridgeLines(node: LabNode, mtu: number): readonly string[] {
  return [
    `link add cbr0 mtu ${mtu} type bridge forward_delay 0 mcast_snooping 0`,
    ...addressLines('cbr0', { ipv4: `${node.gateway.ipv4}/24`, ipv6: `${node.gateway.ipv6}/64` }),
  ];
}

function podPortLines(
  node: LabNode,
  { mtu, namespaceOf }: { readonly mtu: number; readonly namespaceOf: (place: Place) => string },
): readonly string[] {
  const own = pods.filter((pod) => pod.node === node);
  return own.flatMap(({ host }) => [
    `link add ${host} mtu ${mtu} type veth peer name eth0 mtu ${mtu} netns ${namespaceOf(host)}`,
    `link set ${host} master cbr0`,
    `link set ${host} type bridge_slave hairpin on`,
    `link set ${host} up`,
  ]);
}

function routeLines(node: LabNode, overlay: Overlay): readonly string[] {
  const others = nodes.filter((other) => other !== node);
  switch (overlay) {
    case 'host-gw':
      return others.flatMap((other) => rangeRouteLines(other.podRange, other.lan));
    case 'vxlan':
      return others.flatMap((other) => tunnelLines(node, other));
  }
}

// Two nodes need no forwarding table: what goes into the tunnel has one place to come out.
function tunnelLines(node: LabNode, other: LabNode): readonly string[] {
  const vxlan = `type vxlan id 1 dstport 8472 dev eth0 local ${node.lan.ipv4} remote ${other.lan.ipv4}`;
  const { ipv4, ipv6 } = node.tunnel;
  return [
    `link add vxlan1 mtu ${overlayMtu} ${vxlan}`,
    ...addressLines('vxlan1', { ipv4: `${ipv4}/32`, ipv6: `${ipv6}/128` }),
    `route add ${other.podRange.ipv4} via ${other.tunnel.ipv4} dev vxlan1 onlink`,
    `route add ${other.tunnel.ipv6}/128 dev vxlan1`,
    `route add ${other.podRange.ipv6} via ${other.tunnel.ipv6} dev vxlan1`,
  ];
}

// A pod knows only its gateway, so that what it answers to a pod beside it passes the node too: an
// answer straight over the bridge would still carry the address that the node has translated.
function podLines({ address, node }: LabPod): readonly string[] {
  return [
    'link set lo up',
    ...addressLines('eth0', { ipv4: `${address.ipv4}/32`, ipv6: `${address.ipv6}/128` }),
    `route add ${node.gateway.ipv4}/32 dev eth0`,
    `route add ${node.gateway.ipv6}/128 dev eth0`,
    ...defaultRouteLines(node.gateway),
  ];
}

function outsideLines(): readonly string[] {
  const [first] = nodes;
  return [
    'link set lo up',
    ...addressLines('eth0', { ipv4: `${outside.ipv4}/24`, ipv6: `${outside.ipv6}/64` }),
    ...rangeRouteLines(externalRange, first.lan),
    ...rangeRouteLines(serviceRange, first.lan),
    ...nodes.flatMap(({ podRange, lan }) => rangeRouteLines(podRange, lan)),
  ];
}

// Duplicate address detection would keep an IPv6 address unusable for a second.
function addressLines(device: string, { ipv4, ipv6 }: Dual): readonly string[] {
  return [
    `address add ${ipv4} dev ${device}`,
    `address add ${ipv6} dev ${device} nodad`,
    `link set ${device} up`,
  ];
}

function defaultRouteLines(via: Dual): readonly string[] {
  return rangeRouteLines({ ipv4: '0.0.0.0/0', ipv6: '::/0' }, via);
}

function rangeRouteLines(range: Dual, via: Dual): readonly string[] {
  return [`route add ${range.ipv4} via ${via.ipv4}`, `route add ${range.ipv6} via ${via.ipv6}`];
}

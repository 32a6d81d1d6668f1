// The laboratory as data: two nodes on one LAN, five pods, one client outside, with their addresses.
// Nothing here touches the machine; wiring.ts says how it is built.

/** A node of the lab, by its short name. */
export type NodeHost = 'n1' | 'n2';

/** A pod of the lab: the first digit is its node's. */
export type PodHost = 'p11' | 'p12' | 'p13' | 'p21' | 'p22';

/** Everything that can send and be asked; each is a network namespace. */
export type Host = NodeHost | PodHost | 'ext';

/** All pod networks that a lab can have, the default first; pod-network/ builds them. */
export const overlays = ['host-gw', 'vxlan', 'udp', 'macvlan'] as const;

/**
 * How pods are joined: by routes between the nodes (host-gw), in a tunnel of VXLAN or of a process that
 * sends packets in UDP, or as macvlan devices on the LAN itself.
 */
export type Overlay = (typeof overlays)[number];

/** How pods reach what is outside: under their own addresses, or under their node's. */
export type Outside = 'routed' | 'masqueraded';

/** One address, or one CIDR, of each family. */
export type Dual = { readonly ipv4: string; readonly ipv6: string };

export type LabNode = {
  readonly host: NodeHost;
  /** metadata.name of its Node object. */
  readonly nodeName: string;
  readonly zone: string;
  /** eth0, on the LAN. */
  readonly lan: Dual;
  /** The gateway of its pods: cbr0, or shim0 where pods are macvlan devices. */
  readonly gateway: Dual;
  readonly podRange: Dual;
  /** The device of the tunnel to other nodes, where there is one. */
  readonly tunnel: Dual;
};

export type LabPod = { readonly host: PodHost; readonly node: LabNode; readonly address: Dual };

/** The TCP ports where a pod answers with its name. */
export const podTcpPorts: readonly number[] = [8080, 8081, 9090];

/** The UDP ports where a pod answers with its name. */
export const podUdpPorts: readonly number[] = [8080, 5353];

/** Where a pod keeps a TCP connection open and answers every line. */
export const podEchoPort = 7070;

/** Where a node itself answers, TCP and UDP. */
export const nodePort = 18080;

/** Where the client outside answers on its own address, TCP and UDP: a server for pods to reach. */
export const outsidePort = 18099;

/** What all pods of the lab have addresses from (`--cluster-cidr`). */
export const clusterRange: Dual = { ipv4: '10.244.0.0/16', ipv6: 'fd00:244::/32' };

/** What Services of the lab have ClusterIPs from. */
export const serviceRange: Dual = { ipv4: '10.96.0.0/12', ipv6: 'fd00:96::/108' };

/** Addresses outside that lead to n1: load balancers and external IPs of Services. */
export const externalRange: Dual = { ipv4: '203.0.113.0/24', ipv6: '2001:db8:113::/64' };

/** The client outside, which is also every node's default route and answers nothing it gets that way. */
export const outside: Dual = { ipv4: '192.168.10.99', ipv6: 'fd00:10::99' };

/** Both nodes; Sluice runs on the first. */
export const nodes: readonly [LabNode, LabNode] = [labNode(1, 'zone-a'), labNode(2, 'zone-b')];

/** All pods. */
export const pods: readonly LabPod[] = [
  labPod('p11', nodes[0]),
  labPod('p12', nodes[0]),
  labPod('p13', nodes[0]),
  labPod('p21', nodes[1]),
  labPod('p22', nodes[1]),
];

/** All hosts: nodes, pods, the client outside. */
export const hosts: readonly Host[] = [
  ...nodes.map(({ host }) => host),
  ...pods.map(({ host }) => host),
  'ext',
];

function labNode(number: 1 | 2, zone: string): LabNode {
  return {
    host: `n${number}`,
    nodeName: `node-${number}`,
    zone,
    lan: { ipv4: `192.168.10.1${number}`, ipv6: `fd00:10::1${number}` },
    gateway: { ipv4: `10.244.${number}.1`, ipv6: `fd00:244:${number}::1` },
    podRange: { ipv4: `10.244.${number}.0/24`, ipv6: `fd00:244:${number}::/64` },
    tunnel: { ipv4: `10.244.${number}.0`, ipv6: `fd00:244:${number}::ff` },
  };
}

function labPod(host: PodHost, node: LabNode): LabPod {
  const last = `1${host.slice(2)}`;
  const [, , number] = node.gateway.ipv4.split('.');
  return {
    host,
    node,
    address: { ipv4: `10.244.${number}.${last}`, ipv6: `fd00:244:${number}::${last}` },
  };
}

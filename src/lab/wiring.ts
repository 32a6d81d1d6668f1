// The topology as commands: for each namespace, the lines that `ip -batch` reads there. Pure text; every
// device is made inside a namespace of the lab, none in the machine's own.
import { betweenNodesLines, routeLines } from './pod-network/between-nodes.ts';
import { addressLines, podPortLines } from './pod-network/pod-ports.ts';
import type { Dual, Host, LabNode, LabPod, Outside, Overlay } from './topology.ts';
import { externalRange, nodes, outside as client, pods, serviceRange } from './topology.ts';

/** A namespace of the lab: a host, or the LAN's switch. */
export type LabNamespace = Host | 'lan';

/** Lines for one `ip -batch` in one namespace. */
export type Batch = { readonly place: LabNamespace; readonly lines: readonly string[] };

/** Which lab is wired. */
export type Plan = {
  readonly overlay: Overlay;
  readonly outside: Outside;
  readonly namespaceOf: (place: LabNamespace) => string;
};

/** All batches; those of one step are independent, a later step needs the devices of the one before. */
export function wiringSteps(plan: Plan): readonly (readonly Batch[])[] {
  return [
    [{ place: 'lan', lines: lanLines(plan) }],
    nodes.map((node) => ({
      place: node.host,
      lines: [
        ...nodeLines(node),
        ...podPortLines(node, plan),
        ...betweenNodesLines(node, plan.overlay),
      ],
    })),
    [
      ...pods.map((pod) => ({ place: pod.host, lines: podLines(pod) })),
      { place: 'ext', lines: outsideLines(plan) },
    ],
  ];
}

function lanLines({ namespaceOf }: Plan): readonly string[] {
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
    ...defaultRouteLines(client),
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

// Where pods are masqueraded, nobody outside knows the way to their addresses.
function outsideLines({ outside }: Plan): readonly string[] {
  const [first] = nodes;
  const known = outside === 'routed' ? nodes : [];
  return [
    'link set lo up',
    ...addressLines('eth0', { ipv4: `${client.ipv4}/24`, ipv6: `${client.ipv6}/64` }),
    ...routeLines(externalRange, first.lan),
    ...routeLines(serviceRange, first.lan),
    ...known.flatMap(({ podRange, lan }) => routeLines(podRange, lan)),
  ];
}

function defaultRouteLines(via: Dual): readonly string[] {
  return routeLines({ ipv4: '0.0.0.0/0', ipv6: '::/0' }, via);
}

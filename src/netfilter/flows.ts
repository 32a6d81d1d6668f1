// Which flows lead to an endpoint that no longer serves: conntrack would send their packets there for as
// long as the client goes on, whatever the rules say. Pure.
import type { Endpoint, Frontend, Pool, Route, ServiceForwarding } from '../model/forwarding.ts';
import { frontendId, hostPort } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import type { Protocol } from '../model/kubernetes.ts';

/** One conntrack entry: where its packets were sent, and what answers. */
export type Flow = {
  readonly protocol: Protocol;
  readonly destination: Ip;
  readonly destinationPort: number;
  readonly replySource: Ip;
  readonly replySourcePort: number;
};

/** The protocols whose clients do not notice that an endpoint is gone. TCP's do: it is reset. */
export const watchedProtocols = ['udp', 'sctp'] as const satisfies readonly Protocol[];

/** What the rules are now, as far as flows are concerned. */
export type FlowView = {
  /** The frontend with this id, if there is one. */
  readonly frontendAt: (id: string) => Frontend | undefined;
  /** Whether node ports answer at this address. */
  readonly takesNodePorts: (ip: Ip) => boolean;
};

/** The ids of all frontends that these Services had, or have, and whose flows may have to go. */
export function touchedFrontends(services: Iterable<ServiceForwarding>): ReadonlySet<string> {
  const ids = new Set<string>();
  for (const { frontends } of services) {
    for (const { address } of frontends) {
      if (isWatched(address.protocol)) ids.add(frontendId(address));
    }
  }
  return ids;
}

/**
 * Tells whether a flow has to go. Only flows of `touched` frontends do, and of those just the ones that
 * lead where the rules would not send them and that the rules would send somewhere else.
 */
export function flowJudge(
  touched: ReadonlySet<string>,
  { frontendAt, takesNodePorts }: FlowView,
): (flow: Flow) => boolean {
  const allows = allowance();
  return (flow) => {
    const { protocol, destination, destinationPort: port } = flow;
    const addressId = frontendId({ ip: destination, protocol, port });
    const nodeId = frontendId({ ip: undefined, protocol, port });
    if (!touched.has(addressId) && !touched.has(nodeId)) return false;
    // What has an address of its own is never a node port's.
    const atAddress = frontendAt(addressId);
    if (atAddress !== undefined) {
      if (!touched.has(addressId) || allows(atAddress.route, flow)) return false;
      return !isUntranslated(flow) || sendsOn(atAddress.route);
    }
    const atNode = frontendAt(nodeId);
    if (atNode !== undefined && allows(atNode.route, flow)) return false;
    if (!isUntranslated(flow)) return true;
    // One that no rule ever sent on would come back just as it is, unless a rule would now.
    const isNodePort = atNode !== undefined && touched.has(nodeId) && takesNodePorts(destination);
    return isNodePort && sendsOn(atNode.route);
  };
}

function isWatched(protocol: Protocol): boolean {
  return watchedProtocols.some((watched) => watched === protocol);
}

function isUntranslated(flow: Flow): boolean {
  return flow.replySource === flow.destination && flow.replySourcePort === flow.destinationPort;
}

function sendsOn({ kind }: Route): boolean {
  return kind === 'forward' || kind === 'forward-local';
}

// Each Route is looked into once, however many flows it has.
function allowance(): (route: Route, flow: Flow) => boolean {
  const known = new Map<Route, ReadonlySet<string>>();
  return (route, { replySource, replySourcePort }) => {
    let allowed = known.get(route);
    if (allowed === undefined) {
      allowed = new Set(poolsOf(route).flatMap(lastingEndpoints));
      known.set(route, allowed);
    }
    return allowed.has(hostPort(replySource, replySourcePort));
  };
}

function poolsOf(route: Route): readonly Pool[] {
  return route.kind === 'forward-local' ? [route.pool, route.cluster] : [route.pool];
}

// An endpoint that ends but still serves keeps the flows that it has, and so does one that serves as
// before and just is not the nearest any more (kube-proxy: whatever the topology).
const lasting = new Set(['terminating-beside-ready', 'other-zone', 'other-node']);

function lastingEndpoints({ members, skipped }: Pool): readonly string[] {
  const spared = skipped.filter(({ reason }) => lasting.has(reason.kind));
  return [...members, ...spared.map(({ endpoint }): Endpoint => endpoint)].map(({ ip, port }) =>
    hostPort(ip, port),
  );
}

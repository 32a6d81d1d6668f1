// The endpoints of one Service port from all its slices: merged, deduplicated, sorted. Pure.
import type { Endpoint } from '../model/forwarding.ts';
import { hostPort } from '../model/forwarding.ts';
import { isSpecial, type Family } from '../model/ip.ts';
import type { EndpointSlice, EndpointState, ServicePort } from '../model/kubernetes.ts';

/** An endpoint with all that decides whether it may get traffic. */
export type Candidate = EndpointState & {
  readonly endpoint: Endpoint;
  /** The slice that it is in. */
  readonly slice: EndpointSlice;
  /** Nothing can answer at its address: it counts as neither ready nor serving. */
  readonly isSpecial: boolean;
  /** `ip:port`; what endpoints are identified and sorted by. */
  readonly id: string;
};

/** Which endpoints a Service port has in a family, as seen from one node. */
export type EndpointQuery = {
  readonly slices: readonly EndpointSlice[];
  readonly family: Family;
  readonly nodeName: string;
};

/** The endpoints of a Service port: slices are matched to it by port name and protocol alone. */
export function collectEndpoints(
  port: Pick<ServicePort, 'name' | 'protocol'>,
  query: EndpointQuery,
): readonly Candidate[] {
  return deduplicate(collect(port, query));
}

function* collect(
  port: Pick<ServicePort, 'name' | 'protocol'>,
  { slices, family, nodeName }: EndpointQuery,
): Generator<Candidate> {
  const sorted = slices
    .filter((slice) => slice.family === family)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const slice of sorted) {
    for (const slicePort of slice.ports) {
      if (slicePort.name !== port.name || slicePort.protocol !== port.protocol) continue;
      for (const { ip, state } of slice.endpoints) {
        const isLocal = nodeName !== '' && state.nodeName === nodeName;
        const endpoint = { ip, port: slicePort.port, isLocal };
        const id = hostPort(ip, slicePort.port);
        const candidate = { endpoint, slice, id, ...state, isSpecial: isSpecial(ip) };
        yield candidate.isSpecial ? { ...candidate, ready: false, serving: false } : candidate;
      }
    }
  }
}

// An address that a new pod took over from one that is ending is listed twice for a while: the one
// that is not ending is meant (kube-proxy's addEndpoints).
function deduplicate(candidates: Iterable<Candidate>): readonly Candidate[] {
  // Equal ones stay in the order in which they were listed.
  const sorted = [...candidates].sort((a, b) => Number(a.id > b.id) - Number(a.id < b.id));
  // Nearly always there are none.
  if (!sorted.some(({ id }, index) => id === sorted[index + 1]?.id)) return sorted;
  const byId = new Map<string, Candidate>();
  for (const candidate of sorted) {
    if (byId.has(candidate.id) && candidate.terminating) continue;
    byId.set(candidate.id, candidate);
  }
  return [...byId.values()];
}

// The endpoints of one Service port from all its slices: merged, deduplicated, sorted; then which of
// them may get traffic, with the reason for each that may not. Pure.
import type { Endpoint, Pool, Reason } from '../model/forwarding.ts';
import { hostPort } from '../model/forwarding.ts';
import type { Family } from '../model/ip.ts';
import type { EndpointSlice, ServicePort, SliceEndpoint } from '../model/kubernetes.ts';

type Candidate = Pick<SliceEndpoint, 'ready' | 'serving' | 'terminating'> & {
  readonly endpoint: Endpoint;
  /** `ip:port`; what endpoints are told apart and sorted by. */
  readonly id: string;
};

/** Which endpoints a Service port has in a family, as seen from one node. */
export type EndpointQuery = {
  readonly slices: readonly EndpointSlice[];
  readonly family: Family;
  readonly nodeName: string;
};

/** The Pool of a Service port: slices are matched to it by port name and protocol alone. */
export function resolvePool(port: ServicePort, query: EndpointQuery): Pool {
  const candidates = deduplicate(collect(port, query));
  const usable = new Set(usableOf(candidates));
  return {
    members: [...usable].map(({ endpoint }) => endpoint),
    excluded: candidates
      .filter((candidate) => !usable.has(candidate))
      .map((candidate) => ({ endpoint: candidate.endpoint, reason: reasonAgainst(candidate) })),
  };
}

function* collect(port: ServicePort, query: EndpointQuery): Generator<Candidate> {
  const { slices, family, nodeName } = query;
  const sorted = slices
    .filter((slice) => slice.family === family)
    .toSorted((a, b) => (a.name < b.name ? -1 : 1));
  for (const slice of sorted) {
    for (const slicePort of slice.ports) {
      if (slicePort.name !== port.name || slicePort.protocol !== port.protocol) continue;
      for (const { ip, nodeName: home, ready, serving, terminating } of slice.endpoints) {
        const isLocal = nodeName !== '' && home === nodeName;
        const endpoint = { ip, port: slicePort.port, isLocal };
        yield { endpoint, id: hostPort(ip, slicePort.port), ready, serving, terminating };
      }
    }
  }
}

// An address that a new pod took over from one that is ending is listed twice for a while: the one
// that is not ending is meant (kube-proxy's addEndpoints).
function deduplicate(candidates: Iterable<Candidate>): readonly Candidate[] {
  const byId = new Map<string, Candidate>();
  for (const candidate of candidates) {
    if (byId.has(candidate.id) && candidate.terminating) continue;
    byId.set(candidate.id, candidate);
  }
  return [...byId.values()].toSorted((a, b) => (a.id < b.id ? -1 : 1));
}

// Endpoints that end but still serve stand in only where none is ready, so that a rollout with no
// overlap does not refuse connections.
function usableOf(candidates: readonly Candidate[]): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready);
  if (ready.length > 0) return ready;
  return candidates.filter(({ serving, terminating }) => serving && terminating);
}

function reasonAgainst({ serving, terminating }: Candidate): Reason {
  if (!terminating) return { kind: 'not-ready' };
  return serving ? { kind: 'terminating-beside-ready' } : { kind: 'terminating-not-serving' };
}

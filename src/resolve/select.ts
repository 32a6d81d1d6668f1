// Which of a Service port's endpoints may get traffic: those of the cluster, those of this node, and the
// reason for each that may not. Pure; kube-proxy's CategorizeEndpoints.
import type { Endpoint, Pool, Reason } from '../model/forwarding.ts';
import type { TrafficPolicy } from '../model/kubernetes.ts';
import type { Candidate } from './endpoints.ts';

/** What of this node decides over endpoints. */
export type NodeView = { readonly nodeName: string; readonly zone: string };

/** The two choices of endpoints that a Service port has on a node. */
export type Selection = {
  readonly cluster: Pool;
  readonly local: Pool;
  /** Whether any endpoint anywhere can be used: where not, connections are refused. */
  readonly hasAny: boolean;
};

/** A filter by hints, with what is said of those that it leaves out. */
type HintFilter = {
  readonly admits: (candidate: Candidate) => boolean;
  readonly against: (candidate: Candidate) => Reason;
};

/** Selects from candidates that are deduplicated and sorted. */
export function selectEndpoints(
  candidates: readonly Candidate[],
  view: NodeView,
  affinitySeconds: number,
): Selection {
  const hints = hintFilter(candidates, view);
  const chosen = usableOf(candidates, hints?.admits);
  const local = usableOf(candidates.filter(({ endpoint }) => endpoint.isLocal));
  const pool = (
    policy: TrafficPolicy,
    usable: readonly Candidate[],
    against: (candidate: Candidate) => Reason | undefined,
  ): Pool => {
    const members = new Set(usable);
    const others = candidates.filter((candidate) => !members.has(candidate));
    return {
      members: usable.map(({ endpoint }): Endpoint => endpoint),
      excluded: others.map((candidate) => ({
        endpoint: candidate.endpoint,
        reason: against(candidate) ?? conditionAgainst(candidate),
      })),
      policy,
      affinitySeconds,
    };
  };
  return {
    cluster: pool('Cluster', chosen, (candidate) =>
      candidate.ready ? hints?.against(candidate) : undefined,
    ),
    local: pool('Local', local, ({ endpoint }) =>
      endpoint.isLocal ? undefined : { kind: 'not-local' },
    ),
    hasAny: candidates.some((candidate) => candidate.ready || isDraining(candidate)),
  };
}

/** Whether an endpoint ends but still serves: it keeps its connections, and stands in where none is ready. */
export function isDraining({ serving, terminating }: Candidate): boolean {
  return serving && terminating;
}

// Endpoints that end but still serve stand in only where none is ready, so that a rollout with no
// overlap does not refuse connections; hints do not hold for them.
function usableOf(
  candidates: readonly Candidate[],
  admits: (candidate: Candidate) => boolean = () => true,
): readonly Candidate[] {
  const ready = candidates.filter((candidate) => candidate.ready && admits(candidate));
  return ready.length > 0 ? ready : candidates.filter(isDraining);
}

// Hints count only where every ready endpoint has one and one of them names this place: otherwise some
// place would be left without endpoints. Those of nodes go before those of zones.
function hintFilter(
  candidates: readonly Candidate[],
  { nodeName, zone }: NodeView,
): HintFilter | undefined {
  const ready = candidates.filter((candidate) => candidate.ready);
  const isComplete = (
    hintsOf: (candidate: Candidate) => readonly string[],
    name: string,
  ): boolean =>
    name !== '' &&
    ready.every((candidate) => hintsOf(candidate).length > 0) &&
    ready.some((candidate) => hintsOf(candidate).includes(name));
  if (isComplete(({ nodeHints }) => nodeHints, nodeName)) {
    return {
      admits: ({ nodeHints }) => nodeHints.includes(nodeName),
      against: ({ nodeHints }) => ({ kind: 'other-node', nodes: nodeHints }),
    };
  }
  if (isComplete(({ zoneHints }) => zoneHints, zone)) {
    return {
      admits: ({ zoneHints }) => zoneHints.includes(zone),
      against: ({ zoneHints }) => ({ kind: 'other-zone', zones: zoneHints }),
    };
  }
  return undefined;
}

function conditionAgainst(candidate: Candidate): Reason {
  if (!candidate.terminating) return { kind: 'not-ready' };
  return isDraining(candidate)
    ? { kind: 'terminating-beside-ready' }
    : { kind: 'terminating-not-serving' };
}

// Which of a Service port's endpoints may get traffic: those of the cluster, those of this node, and the
// reason for each that may not. Pure; kube-proxy's CategorizeEndpoints.
import type { Endpoint, Pool } from '../model/forwarding.ts';
import type { Service, TrafficPolicy } from '../model/kubernetes.ts';
import type { Cause, PoolKind, Reason, SkipKind } from '../model/reason.ts';
import type { Candidate } from './endpoints.ts';
import { SkipReasons } from './skip-reasons.ts';

/** What of this node decides over endpoints. */
export type NodeView = { readonly nodeName: string; readonly zone: string };

/** The two choices of endpoints that a Service port has on a node. */
export type Selection = {
  readonly cluster: Pool;
  readonly local: Pool;
  /** Whether any endpoint anywhere can be used: where not, connections are refused. */
  readonly hasAny: boolean;
};

/** What of a Service decides over endpoints; `object` names it. */
export type ServiceView = Pick<Service, 'affinitySeconds'> & Pick<Cause, 'object'>;

/** A filter by hints, why it holds, and what is said of those that it leaves out. */
type HintFilter = {
  readonly admits: (candidate: Candidate) => boolean;
  readonly against: SkipKind;
  readonly reason: Reason<PoolKind>;
};

/** Selects from candidates that are deduplicated and sorted. */
export function selectEndpoints(
  candidates: readonly Candidate[],
  view: NodeView,
  service: ServiceView,
): Selection {
  const hints = hintFilter(candidates, view);
  const chosen = usableOf(candidates, hints?.admits);
  const local = usableOf(candidates.filter(({ endpoint }) => endpoint.isLocal));
  const hasAny = candidates.some((candidate) => candidate.ready || isDraining(candidate));
  const skipped = new SkipReasons();
  const pool = (
    policy: TrafficPolicy,
    usable: readonly Candidate[],
    against: (candidate: Candidate) => SkipKind | undefined,
  ): Pool => {
    const members = new Set(usable);
    const others = candidates.filter((candidate) => !members.has(candidate));
    return {
      members: usable.map(({ endpoint }): Endpoint => endpoint),
      skipped: others.map((candidate) => ({
        endpoint: candidate.endpoint,
        reason: skipped.of(skipKind(candidate, against), candidate),
      })),
      policy,
      affinitySeconds: service.affinitySeconds,
      reasons: poolReasons(usable, service, { hasAny, by: policy === 'Local' ? undefined : hints }),
    };
  };
  return {
    cluster: pool('Cluster', chosen, (candidate) => (candidate.ready ? hints?.against : undefined)),
    local: pool('Local', local, ({ endpoint }) => (endpoint.isLocal ? undefined : 'not-local')),
    hasAny,
  };
}

const noReasons: readonly Reason<PoolKind>[] = [];

function poolReasons(
  [first]: readonly Candidate[],
  { object, affinitySeconds }: ServiceView,
  { hasAny, by }: { readonly hasAny: boolean; readonly by: HintFilter | undefined },
): readonly Reason<PoolKind>[] {
  if (first === undefined) {
    const kind = hasAny ? 'no-local-endpoints' : 'no-endpoints';
    return [{ kind, object, field: 'EndpointSlices', value: '' }];
  }
  const reasons: Reason<PoolKind>[] = by === undefined ? [] : [by.reason];
  if (!first.ready) {
    const { namespace, name } = first.slice;
    const field = 'endpoints[].conditions.serving';
    const slice = `EndpointSlice ${namespace}/${name}` as const;
    reasons.push({ kind: 'draining', object: slice, field, value: 'true' });
  }
  if (affinitySeconds > 0) {
    const field = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';
    reasons.push({ kind: 'affinity', object, field, value: String(affinitySeconds) });
  }
  // Most pools have none: they share one list.
  return reasons.length === 0 ? noReasons : reasons;
}

/** Whether an endpoint ends but still serves: it keeps its connections, and stands in where none is ready. */
function isDraining({ serving, terminating }: Candidate): boolean {
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
  const object = `Node ${nodeName}` as const;
  if (isComplete(({ nodeHints }) => nodeHints, nodeName)) {
    return {
      admits: ({ nodeHints }) => nodeHints.includes(nodeName),
      against: 'other-node',
      reason: { kind: 'node-hints', object, field: 'metadata.name', value: nodeName },
    };
  }
  if (isComplete(({ zoneHints }) => zoneHints, zone)) {
    const field = 'metadata.labels["topology.kubernetes.io/zone"]';
    return {
      admits: ({ zoneHints }) => zoneHints.includes(zone),
      against: 'other-zone',
      reason: { kind: 'zone-hints', object, field, value: zone },
    };
  }
  return undefined;
}

function skipKind(
  candidate: Candidate,
  against: (candidate: Candidate) => SkipKind | undefined,
): SkipKind {
  if (candidate.isSpecial) return 'special-address';
  return against(candidate) ?? conditionAgainst(candidate);
}

function conditionAgainst(candidate: Candidate): SkipKind {
  if (!candidate.terminating) return 'not-ready';
  return isDraining(candidate) ? 'terminating-beside-ready' : 'terminating-not-serving';
}

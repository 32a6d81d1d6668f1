// Which endpoints a packet may be sent to, and why those and no others. Pure.
import type { Endpoint, Frontend, Pool, Reason, Route } from '../model/forwarding.ts';
import type { EndpointSlice, Service, SliceEndpoint } from '../model/kubernetes.ts';
import type { Verdict } from '../netfilter/trace.ts';
import type { ClientSide } from './client.ts';
import type { Cause, Decision, ExplainedEndpoint, ExplainedPool } from './explanation.ts';
import { named } from './frontend.ts';
import type { World } from './world.ts';

/** The endpoints of a frontend for one client: policy Local asks where it comes from. */
export function poolFor(route: Route, { isNode, isPod }: ClientSide): Pool {
  const isShortCut = route.kind === 'forward-local' && (isPod === true || isNode);
  return isShortCut ? route.cluster : route.pool;
}

/** What a pool's choice rests on. */
export type PoolChoice = {
  readonly frontend: Frontend;
  readonly service: Service;
  readonly client: ClientSide;
  readonly verdict: Verdict | 'unknown' | 'mixed';
};

/** The decisions over endpoints, in the order in which they are made. */
export function poolDecisions(
  world: World,
  { frontend, service, client, verdict }: PoolChoice,
): readonly Decision[] {
  const { route } = frontend;
  const pool = poolFor(route, client);
  return [
    policyDecision(service, frontend),
    ...(pool === route.pool ? [] : [shortCircuit(service, client)]),
    ...hintsDecision(world, pool),
    ...drainingDecision(world, service, pool),
    ...(pool.members.length === 0 ? [emptyDecision(service, route, verdict)] : []),
    ...affinityDecision(service, pool),
  ];
}

/** The pool with where each endpoint is written; `shareOf` says what part of connections it gets. */
export function explainedPool(
  world: World,
  { members, excluded, policy }: Pool,
  { service, shareOf }: { service: Service; shareOf: (endpoint: Endpoint) => number },
): ExplainedPool {
  const found = (endpoint: Endpoint): ExplainedEndpoint => writtenAt(world, service, endpoint);
  return {
    policy,
    members: members.map((endpoint) => ({ ...found(endpoint), share: shareOf(endpoint) })),
    excluded: excluded.map(({ endpoint, reason }) => {
      const where = found(endpoint);
      return { ...where, reason, cause: reasonCause(where, reason) };
    }),
  };
}

function policyDecision(
  { key, internalTrafficPolicy, externalTrafficPolicy }: Service,
  { kind }: Frontend,
): Decision {
  const of = kind === 'ClusterIP' ? 'internal' : 'external';
  const policy = of === 'internal' ? internalTrafficPolicy : externalTrafficPolicy;
  const cause = { object: named({ key }), field: `spec.${of}TrafficPolicy`, value: policy };
  return { kind: 'policy', policy, of, cause };
}

function shortCircuit(service: Service, { isPod }: ClientSide): Decision {
  const cause = { object: named(service), field: 'spec.externalTrafficPolicy', value: 'Local' };
  return { kind: 'short-circuit', client: isPod === true ? 'pod' : 'node', cause };
}

function hintsDecision({ node, config }: World, { excluded }: Pool): readonly Decision[] {
  const kinds = new Set(excluded.map(({ reason }) => reason.kind));
  if (kinds.has('other-node')) {
    const cause = {
      object: `Node ${config.nodeName}`,
      field: 'metadata.name',
      value: config.nodeName,
    };
    return [{ kind: 'hints', by: 'node', cause }];
  }
  if (!kinds.has('other-zone')) return [];
  const field = 'metadata.labels["topology.kubernetes.io/zone"]';
  const cause = { object: `Node ${config.nodeName}`, field, value: node?.zone ?? '' };
  return [{ kind: 'hints', by: 'zone', cause }];
}

function drainingDecision(
  world: World,
  service: Service,
  { members: [first] }: Pool,
): readonly Decision[] {
  if (first === undefined) return [];
  const found = entryOf(world.slicesOf(service.key), first);
  if (found === undefined || !found.entry.terminating) return [];
  const object = `EndpointSlice ${sliceName(found.slice)}`;
  const cause = { object, field: 'endpoints[].conditions.serving', value: 'true' };
  return [{ kind: 'draining', cause }];
}

function emptyDecision(service: Service, route: Route, verdict: PoolChoice['verdict']): Decision {
  const isNone = route.kind === 'reject';
  const met = verdict === 'mixed' || verdict === 'unknown' ? 'untouched' : verdict;
  const cause = { object: named(service), field: 'EndpointSlices', value: '' };
  return { kind: isNone ? 'no-endpoints' : 'no-local-endpoints', verdict: met, cause };
}

function affinityDecision(
  service: Service,
  { affinitySeconds: seconds }: Pool,
): readonly Decision[] {
  if (seconds === 0) return [];
  const cause = { object: named(service), field: 'spec.sessionAffinity', value: 'ClientIP' };
  return [{ kind: 'affinity', seconds, cause }];
}

function writtenAt(world: World, service: Service, endpoint: Endpoint): ExplainedEndpoint {
  const { ip, port, isLocal } = endpoint;
  const found = entryOf(world.slicesOf(service.key), endpoint);
  return {
    ip,
    port,
    isLocal,
    nodeName: found?.entry.nodeName ?? '',
    slice: found === undefined ? '' : sliceName(found.slice),
  };
}

type Written = { readonly slice: EndpointSlice; readonly entry: SliceEndpoint };

// Of an endpoint that is listed twice, the entry that is not ending counts, as it does for the decision.
function entryOf(
  slices: readonly EndpointSlice[],
  { ip, port }: Pick<Endpoint, 'ip' | 'port'>,
): Written | undefined {
  const written = slices
    .filter((slice) => slice.ports.some((one) => one.port === port))
    .flatMap((slice) =>
      slice.endpoints.filter((entry) => entry.ip === ip).map((entry) => ({ slice, entry })),
    );
  return written.find(({ entry }) => !entry.terminating) ?? written[0];
}

function sliceName({ namespace, name }: EndpointSlice): string {
  return `${namespace}/${name}`;
}

/** The field that leaves an endpoint out. */
function reasonCause({ slice, nodeName }: ExplainedEndpoint, reason: Reason): Cause {
  const object = `EndpointSlice ${slice}`;
  switch (reason.kind) {
    case 'not-ready':
      return { object, field: 'endpoints[].conditions.ready', value: 'false' };
    case 'terminating-beside-ready':
      return { object, field: 'endpoints[].conditions.terminating', value: 'true' };
    case 'terminating-not-serving':
      return { object, field: 'endpoints[].conditions.serving', value: 'false' };
    case 'not-local':
      return { object, field: 'endpoints[].nodeName', value: nodeName };
    case 'other-zone':
      return { object, field: 'endpoints[].hints.forZones', value: reason.zones.join(', ') };
    case 'other-node':
      return { object, field: 'endpoints[].hints.forNodes', value: reason.nodes.join(', ') };
  }
}

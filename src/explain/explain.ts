// What becomes of a packet, and why: the whole answer in one value. The ends are those of the rules as
// the backend spells them; the decisions are told from the objects. Pure.
import type { Endpoint } from '../model/forwarding.ts';
import type { TracedOutcome } from '../netfilter/kube-proxy/outcome.ts';
import { mergeOutcomes } from '../netfilter/kube-proxy/compare.ts';
import type { Packet } from '../netfilter/trace.ts';
import { trace } from '../netfilter/trace.ts';
import { clientDecision, clientSide } from './client.ts';
import type { Cause, Decision, End, Explanation } from './explanation.ts';
import { frontendDecisions, frontendFor } from './frontend.ts';
import { explainedPool, poolDecisions, poolFor } from './pool.ts';
import { sourceDecisions } from './source.ts';
import { nearMisses, strangerDecisions } from './stranger.ts';
import type { World } from './world.ts';

/** Explains the first packet of a connection of the world's family. */
export function explain(world: World, packet: Packet): Explanation {
  const { rules, outcomes } = world.rules(packet);
  const ends = endsOf(packet, outcomes);
  const decided = endsOf(packet, trace(world.ruleset, packet));
  const isAsDecided = isSame(ends, decided);
  const common = {
    packet,
    verdict: verdictOf(ends),
    ends,
    rules,
    decided: isAsDecided ? undefined : decided,
  };
  return { ...common, ...storyOf(world, packet, ends) };
}

type Story = Pick<Explanation, 'service' | 'decisions' | 'pool' | 'nearMisses'>;

function storyOf(world: World, packet: Packet, ends: readonly End[]): Story {
  const frontend = frontendFor(world, packet);
  const service = frontend && world.services.get(frontend.service);
  const verdict = verdictOf(ends);
  const client = clientDecision(world, packet);
  if (frontend === undefined || service === undefined) {
    const met = verdict === 'mixed' || verdict === 'unknown' ? 'untouched' : verdict;
    return {
      service: undefined,
      decisions: [client, ...strangerDecisions(world, packet, met)],
      pool: undefined,
      nearMisses: nearMisses(world, packet),
    };
  }
  const side = clientSide(world, packet);
  const pool = poolFor(frontend.route, side);
  const choice = { frontend, service, client: side, pool, verdict };
  const addressed = frontendDecisions(world, frontend, packet);
  const isRefused = addressed.some(({ kind, ...rest }) => kind === 'source-ranges' && isNo(rest));
  // Whoever may not use the address meets nothing else, unless nobody is asked for lack of endpoints.
  const isOver = isRefused && verdict === 'dropped';
  const shareOf = sharesOf(ends);
  return {
    service: { key: service.key, portName: frontend.portName },
    decisions: [
      client,
      ...addressed,
      ...(isOver ? [] : poolDecisions(world, choice)),
      ...(isOver ? [] : sourceDecisions(world, packet, choice)),
      ...stoppedDecisions(ends),
    ],
    pool: isOver ? undefined : explainedPool(world, pool, { service, shareOf }),
    nearMisses: [],
  };
}

function isNo(decision: object): boolean {
  return 'allows' in decision && decision.allows === false;
}

function sharesOf(ends: readonly End[]): (endpoint: Endpoint) => number {
  return ({ ip, port }) =>
    ends
      .filter(({ endpoint }) => endpoint?.ip === ip && endpoint.port === port)
      .reduce((sum, { share }) => sum + share, 0);
}

// An endpoint may have the address of a Service port that nothing answers, by mistake or in malice.
function stoppedDecisions(ends: readonly End[]): readonly Decision[] {
  return ends
    .filter(({ verdict, endpoint }) => endpoint !== undefined && verdict !== 'forwarded')
    .map(({ endpoint, verdict }) => {
      const value = `${endpoint?.ip} ${endpoint?.port}`;
      const cause: Cause = { object: 'endpoint', field: verdict, value };
      return { kind: 'endpoint-stopped', cause };
    });
}

function endsOf(packet: Packet, outcomes: readonly TracedOutcome[]): readonly End[] {
  return mergeOutcomes(outcomes).map((outcome) => ({
    verdict: outcome.verdict,
    endpoint: outcome.endpoint && { ip: outcome.endpoint.ip, port: outcome.endpoint.port },
    share: outcome.share,
    after: afterOf(packet, outcome),
  }));
}

function afterOf(
  packet: Packet,
  { verdict, endpoint, isMasqueraded }: TracedOutcome,
): End['after'] {
  if (verdict !== 'forwarded' && verdict !== 'untouched') return undefined;
  const { ip, port } = endpoint ?? { ip: packet.destination, port: packet.port };
  return { source: isMasqueraded ? 'node' : packet.source, destination: ip, port };
}

function verdictOf(ends: readonly End[]): Explanation['verdict'] {
  const [verdict, ...others] = new Set(ends.map((end) => end.verdict));
  return verdict === undefined || others.length > 0 ? 'mixed' : verdict;
}

// Shares of many endpoints are sums that round; one endpoint more makes a greater difference.
const roundingError = 1e-9;

function isSame(some: readonly End[], others: readonly End[]): boolean {
  return (
    some.length === others.length &&
    some.every((end, index) => {
      const other = others[index];
      if (other === undefined || Math.abs(end.share - other.share) > roundingError) return false;
      return idOf(end) === idOf(other);
    })
  );
}

function idOf({ verdict, after }: End): string {
  return `${verdict} ${after?.source} ${after?.destination} ${after?.port}`;
}

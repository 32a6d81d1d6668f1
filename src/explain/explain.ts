// What becomes of a packet, and why: the whole answer in one value. The ends are those of the rules as
// the backend spells them; the decisions are read from the objects. Pure.
import type { Endpoint } from '../model/forwarding.ts';
import { hostPort } from '../model/forwarding.ts';
import { mergeOutcomes } from '../netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../netfilter/kube-proxy/outcome.ts';
import { isSameShare } from '../netfilter/share.ts';
import type { Packet } from '../netfilter/trace.ts';
import { trace } from '../netfilter/trace.ts';
import { clientOf } from './client.ts';
import type { End, Explanation } from './explanation.ts';
import { frontendDecisions, frontendFor } from './frontend.ts';
import { explainedPool } from './pool.ts';
import { choiceDecisions, choiceFor, sourceDecisions } from './route.ts';
import { nearMisses, stoppedDecisions, strangerDecisions } from './stranger.ts';
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
  const verdict = verdictOf(ends);
  const met = verdict === 'mixed' || verdict === 'unknown' ? 'untouched' : verdict;
  const { sender, reason } = clientOf(world, packet);
  if (frontend === undefined) {
    return {
      service: undefined,
      decisions: [reason, ...strangerDecisions(world, packet, met)],
      pool: undefined,
      nearMisses: nearMisses(world, packet),
    };
  }
  const { route, service: key, portName } = frontend;
  const choice = choiceFor(route, sender);
  const addressed = frontendDecisions(world, frontend, packet);
  const isRefused = addressed.some(({ kind }) => kind === 'source-refused');
  // Whoever may not use the address meets nothing else, unless nobody is asked for lack of endpoints.
  const isOver = isRefused && verdict === 'dropped';
  const further = [
    ...choiceDecisions(choice, met),
    ...sourceDecisions(world, packet, { route, sender }),
    ...stoppedDecisions(world, packet, ends),
  ];
  const pool = { pool: choice.pool, shareOf: sharesOf(ends) };
  return {
    service: { key, portName },
    decisions: [reason, ...addressed, ...(isOver ? [] : further)],
    pool: isOver ? undefined : explainedPool(world, frontend, pool),
    nearMisses: [],
  };
}

function sharesOf(ends: readonly End[]): (endpoint: Endpoint) => number {
  return ({ ip, port }) =>
    ends
      .filter(({ endpoint }) => endpoint?.ip === ip && endpoint.port === port)
      .reduce((sum, { share }) => sum + share, 0);
}

function endsOf(packet: Packet, outcomes: readonly TracedOutcome[]): readonly End[] {
  return mergeOutcomes(outcomes, endId).map((outcome) => ({
    verdict: outcome.verdict,
    endpoint: outcome.endpoint && { ip: outcome.endpoint.ip, port: outcome.endpoint.port },
    share: outcome.share,
    after: afterOf(packet, outcome),
  }));
}

// What was sent to an endpoint and stopped on the way there is reported for each endpoint.
function endId({ verdict, endpoint, isMasqueraded }: TracedOutcome): string {
  const to = endpoint === undefined ? '' : hostPort(endpoint.ip, endpoint.port);
  return `${verdict} ${to} ${verdict === 'forwarded' && isMasqueraded}`;
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

function isSame(some: readonly End[], others: readonly End[]): boolean {
  return (
    some.length === others.length &&
    some.every((end, index) => {
      const other = others[index];
      if (other === undefined || !isSameShare(end.share, other.share)) return false;
      return idOf(end) === idOf(other);
    })
  );
}

function idOf({ verdict, after }: End): string {
  return `${verdict} ${after?.source} ${after?.destination} ${after?.port}`;
}

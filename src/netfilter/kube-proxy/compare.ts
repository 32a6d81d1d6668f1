// Do two proxies' rules do the same with the same packets? In: packets and two tracers. Out: every packet
// that may end differently, with both answers. Pure.
import type { FrontendAddress } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { Ip } from '../../model/ip.ts';
import { familyOf } from '../../model/ip.ts';
import { isSameShare } from '../share.ts';
import type { Packet } from '../trace.ts';
import type { TracedOutcome, Tracer } from './outcome.ts';

/** Who sends: a pod here, this node itself, somebody outside. */
export type Client = Pick<Packet, 'origin' | 'interface' | 'source'>;

/** One packet that two proxies' rules treat differently, with each one's ends as `mergeOutcomes` has them. */
export type Difference = {
  readonly packet: Packet;
  readonly theirs: readonly TracedOutcome[];
  readonly ours: readonly TracedOutcome[];
};

/** Every client's packet to every address of its family; to a node port, at each of `nodeIps`. */
export function* packetsTo(
  addresses: Iterable<FrontendAddress>,
  { clients, nodeIps }: { readonly clients: readonly Client[]; readonly nodeIps: readonly Ip[] },
): Generator<Packet> {
  for (const { ip, protocol, port } of addresses) {
    for (const destination of ip === undefined ? nodeIps : [ip]) {
      for (const client of clients) {
        if (familyOf(client.source) !== familyOf(destination)) continue;
        yield { ...client, destination, protocol, port };
      }
    }
  }
}

/**
 * The packets that differ in a verdict, in the endpoints or their shares, or in who is masqueraded. One
 * that met a rule that is not understood always differs: nobody can say that it does not.
 */
export function* compare(
  packets: Iterable<Packet>,
  tracers: { readonly theirs: Tracer; readonly ours: Tracer },
): Generator<Difference> {
  for (const packet of packets) {
    const theirs = mergeOutcomes(tracers.theirs(packet));
    const ours = mergeOutcomes(tracers.ours(packet));
    if (!isSame(theirs, ours)) yield { packet, theirs, ours };
  }
}

/** Outcomes without doubles: those with one id share one, with the sum of their shares. Sorted by id. */
export function mergeOutcomes(
  outcomes: readonly TracedOutcome[],
  idFor: (outcome: TracedOutcome) => string = idOf,
): readonly TracedOutcome[] {
  const merged = new Map<string, TracedOutcome>();
  for (const outcome of outcomes) {
    const id = idFor(outcome);
    const known = merged.get(id);
    merged.set(id, known ? { ...known, share: known.share + outcome.share } : outcome);
  }
  return [...merged]
    .toSorted(([left], [right]) => (left < right ? -1 : 1))
    .map(([, outcome]) => outcome);
}

function idOf({ verdict, endpoint, isMasqueraded }: TracedOutcome): string {
  // What happened to a packet before it was stopped does not matter any more.
  if (verdict !== 'forwarded' && verdict !== 'untouched') return verdict;
  const to = endpoint === undefined ? '' : hostPort(endpoint.ip, endpoint.port);
  return `${verdict} ${to} ${isMasqueraded}`;
}

function isSame(theirs: readonly TracedOutcome[], ours: readonly TracedOutcome[]): boolean {
  return (
    theirs.length === ours.length &&
    theirs.every((one, index) => {
      const other = ours[index];
      return (
        other !== undefined &&
        one.verdict !== 'unknown' &&
        idOf(one) === idOf(other) &&
        isSameShare(one.share, other.share)
      );
    })
  );
}

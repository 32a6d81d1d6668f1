// Whether it is explained that a packet is handled differently, and no harm. By the cluster: rules that nobody kept up
// to date lead to endpoints that are gone by now, lack those that came, and know Services that were deleted. By the
// proxy mode: where nobody answers, nftables mode refuses and drops what a node itself sends, too. Pure.
import type { FrontendAddress } from '../model/forwarding.ts';
import { frontendId, hostPort } from '../model/forwarding.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { Difference } from '../netfilter/kube-proxy/compare.ts';
import type { TracedOutcome } from '../netfilter/kube-proxy/outcome.ts';

/** The Service addresses that either side's rules know. */
export type KnownAddresses = Readonly<Record<'theirs' | 'ours', readonly FrontendAddress[]>>;

/** Judges differences between rules that are there and ours, which were made for these objects. */
export function explainedBy(
  objects: readonly ClusterObject[],
  { known, isSameMode }: { readonly known: KnownAddresses; readonly isSameMode: boolean },
): (difference: Difference) => boolean {
  const ready = readyEndpoints(objects);
  const isKnown = { theirs: lookUp(known.theirs), ours: lookUp(known.ours) };
  const kept = known.theirs.filter((address) => isKnown.ours(address)).length;
  // Otherwise the rules are of another cluster, or the objects are not all there.
  const isSameCluster = kept * 2 >= known.theirs.length;
  return ({ packet, theirs, ours }) => {
    const { destination: ip, protocol, port } = packet;
    const isIn = (side: 'theirs' | 'ours'): boolean =>
      isKnown[side]({ ip, protocol, port }) || isKnown[side]({ ip: undefined, protocol, port });
    if ([...theirs, ...ours].some(({ verdict }) => verdict === 'unknown')) return false;
    if (!isIn('theirs') || !isIn('ours')) return isSameCluster;
    if (!isSameMode && [theirs, ours].every((side) => endpointsIn(side).size === 0)) return true;
    return areOtherEndpoints(theirs, ours, ready);
  };
}

/** Whether both do the same with the endpoints that they have, and those that only theirs has are gone. */
function areOtherEndpoints(
  theirs: readonly TracedOutcome[],
  ours: readonly TracedOutcome[],
  ready: ReadonlySet<string>,
): boolean {
  const [before, after] = [endpointsIn(theirs), endpointsIn(ours)];
  const added = [...after.keys()].filter((endpoint) => !before.has(endpoint));
  const gone = [...before.keys()].filter((endpoint) => !after.has(endpoint));
  if (added.length + gone.length === 0 || gone.some((endpoint) => ready.has(endpoint)))
    return false;
  // Whom theirs refuses for lack of endpoints; whom they drop may be kept out.
  if (before.size === 0) return theirs.every(({ verdict }) => verdict === 'rejected');
  const how = new Set([...before.values(), ...after.values()]);
  return how.size === 1;
}

/** Where connections go, and whether the sender's address is replaced. */
function endpointsIn(outcomes: readonly TracedOutcome[]): ReadonlyMap<string, boolean> {
  return new Map(
    outcomes.flatMap(({ verdict, endpoint, isMasqueraded }) => {
      if (verdict !== 'forwarded' || endpoint === undefined) return [];
      return [[hostPort(endpoint.ip, endpoint.port), isMasqueraded] as const];
    }),
  );
}

function readyEndpoints(objects: readonly ClusterObject[]): ReadonlySet<string> {
  const ready = objects.flatMap((object) => {
    if (object.kind !== 'EndpointSlice') return [];
    const { endpoints, ports } = object.value;
    const usable = endpoints.filter(({ state }) => state.ready);
    return usable.flatMap(({ ip }) => ports.map(({ port }) => hostPort(ip, port)));
  });
  return new Set(ready);
}

function lookUp(addresses: readonly FrontendAddress[]): (address: FrontendAddress) => boolean {
  const ids = new Set(addresses.map(frontendId));
  return (address) => ids.has(frontendId(address));
}

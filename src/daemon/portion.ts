// Which of the changes that wait the next pass takes up: all of them, but for those of a Service with very many
// endpoints, which come in portions, so that no other Service waits until all of them are done. Pure.
import type { ClusterState } from '../cluster/state.ts';
import type { ClusterChange, EndpointSlice } from '../model/kubernetes.ts';

/** Both in the order in which they came; where something is left for later, the last change of each object. */
export type Portion = {
  readonly now: readonly ClusterChange[];
  readonly later: readonly ClusterChange[];
};

// In endpoints times ports, as one full slice of 100 ports has. With twice as many, others waited 2.6 s at the most in
// place of 1.4 (measured on a slow machine).
const most = 10_000;

/**
 * Takes up the Services with the fewest endpoints first; of the first that has too many for what is left of the
 * portion as many changes as there is room for, and one at least.
 */
export function portionOf(
  waiting: readonly ClusterChange[],
  known: Pick<ClusterState, 'slice'>,
): Portion {
  const items = waiting.map((change) => itemOf(change, known));
  if (sum(items) <= most) return { now: waiting, later: [] };
  const last = [...new Map(items.map((item) => [item.object, item])).values()];
  const taken = chosen(last);
  return {
    now: last.filter((item) => taken.has(item)).map(({ change }) => change),
    later: last.filter((item) => !taken.has(item)).map(({ change }) => change),
  };
}

/** A change, and what it is about. */
type Item = {
  readonly change: ClusterChange;
  readonly object: string;
  /** The Service, where it is about one. */
  readonly group: string;
  /** About how many elements it leads to, for each address of the Service. */
  readonly weight: number;
};

function itemOf(change: ClusterChange, known: Pick<ClusterState, 'slice'>): Item {
  const { kind, id } = change.op === 'set' ? change.object : change;
  const object = `${kind} ${id}`;
  if (kind !== 'EndpointSlice') return { change, object, group: object, weight: 1 };
  const was = known.slice(id);
  const is = change.op === 'set' ? (change.object.value as EndpointSlice) : undefined;
  const service = (is ?? was)?.service;
  return {
    change,
    object,
    group: service === undefined ? object : `Service ${service}`,
    weight: Math.max(1, sizeOf(is), sizeOf(was)),
  };
}

function sizeOf(slice: EndpointSlice | undefined): number {
  return slice === undefined ? 0 : slice.endpoints.length * slice.ports.length;
}

function chosen(items: readonly Item[]): ReadonlySet<Item> {
  const groups = [...Map.groupBy(items, ({ group }) => group).values()];
  const taken = new Set<Item>();
  let left = most;
  for (const group of groups.toSorted((one, other) => sum(one) - sum(other))) {
    for (const item of group) {
      if (item.weight > left && item !== group[0]) return taken;
      taken.add(item);
      left -= item.weight;
    }
    if (left <= 0) return taken;
  }
  return taken;
}

function sum(items: readonly Item[]): number {
  return items.reduce((total, { weight }) => total + weight, 0);
}

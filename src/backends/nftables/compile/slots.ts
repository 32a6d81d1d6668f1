// The endpoints of a frontend in numbered slots, and how one of them is drawn. Pure. However many Services
// and sizes there are, a draw costs the same, and an endpoint that comes or goes moves one other at most.
import type { Endpoint, FrontendAddress } from '../../../model/forwarding.ts';
import { frontendId } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { ServiceKey } from '../../../model/kubernetes.ts';
import { shareTolerance } from '../../../netfilter/share.ts';
import type { Expression } from '../expression.ts';
import type { Target } from '../keys.ts';
import { keys, slotOf } from '../keys.ts';
import type { SlotMap } from '../schema.ts';
import { familyWords, fieldExpressions } from '../schema.ts';
import type { ChainUnit, ElementUnit, NftRule, NftUnit } from '../unit.ts';
import { chainUnit, slotElement } from '../unit.ts';

/** The endpoints of one frontend, by slot. */
export type SlotRow = {
  readonly map: SlotMap;
  readonly address: FrontendAddress;
  readonly endpoints: readonly Endpoint[];
};

/** What identifies a row. */
export function rowId(map: SlotMap, address: FrontendAddress): string {
  return `${map.name} ${frontendId(address)}`;
}

/** The elements of a row; only of the slots in which `other` has another endpoint or none, where it is given. */
export function rowElements(
  { map, address: frontend, endpoints }: SlotRow,
  owner: ServiceKey,
  other: readonly Target[] = [],
): ElementUnit[] {
  return endpoints.flatMap((endpoint, slot) =>
    isSameTarget(endpoint, other[slot])
      ? []
      : slotElement({ map, frontend, slot, endpoint }, owner),
  );
}

function isSameTarget({ ip, port }: Target, other: Target | undefined): boolean {
  return ip === other?.ip && port === other.port;
}

/** Endpoints by slot, by the row that they are in. */
export type Standing = ReadonlyMap<string, readonly (Target | undefined)[]>;

/** The rows that these units are elements of. */
export function standingIn(units: Iterable<NftUnit>): Standing {
  const rows = new Map<string, (Target | undefined)[]>();
  for (const unit of units) {
    const found = unit.kind === 'element' ? slotOf(unit) : undefined;
    if (found === undefined) continue;
    const id = rowId(found.map, found.frontend);
    const row = rows.get(id) ?? [];
    if (row.length === 0) rows.set(id, row);
    row[found.slot] = found.endpoint;
  }
  return rows;
}

/**
 * The endpoints by slot, without gaps: those that stay keep theirs, others fill what is free, and whoever
 * stands beyond the last slot moves. The order says nothing, as each slot is drawn as often as any other.
 */
export function arranged(
  endpoints: readonly Endpoint[],
  standing: readonly (Target | undefined)[] | undefined,
): readonly Endpoint[] {
  if (standing === undefined) return endpoints;
  const left = new Map(endpoints.map((endpoint) => [keys.target.write(endpoint), endpoint]));
  const slots = endpoints.map((_, slot) => {
    const id = standing[slot] && keys.target.write(standing[slot]);
    const stays = id === undefined ? undefined : left.get(id);
    if (id !== undefined) left.delete(id);
    return stays;
  });
  // Endpoints of a pool are all different: there are as many left as slots are free.
  const free = [...left.values()].toReversed();
  const filled = slots.map((endpoint) => endpoint ?? (free.pop() as Endpoint));
  const isSame = filled.every((endpoint, slot) => endpoint === endpoints[slot]);
  return isSame ? endpoints : filled;
}

/**
 * Out of how many slots is drawn for so many endpoints: the least of 1, 2, 3, 4, 6, 8, 12, 16, 24, ... that
 * holds them all. More than two thirds of them are taken, so that few draws meet none.
 */
export function capacityOf(endpoints: number): number {
  if (endpoints < 3) return endpoints;
  const power = 2 ** Math.ceil(Math.log2(endpoints));
  return endpoints <= (power / 4) * 3 ? (power / 4) * 3 : power;
}

// A draw that met no endpoint is repeated until less than the part of a share that is no difference is left, and
// then the first of the endpoints, of which there are more than the capacity before, share the connection.
const missBits = Math.ceil(-Math.log2(shareTolerance));

/** The name of the chain that draws one of so many slots. */
export function drawChainName({ name }: SlotMap, capacity: number): string {
  return `${name}-${capacity}`;
}

/**
 * The chain that sends a connection to an endpoint in one of so many slots. The number of slots is a constant of
 * a rule in nftables, and a chain for each number of endpoints would make each change of one a change of verdict,
 * and each new number make the kernel walk the whole map (nf_tables_bind_set): so capacities are few, and a draw
 * that meets no endpoint goes on to the next rule.
 */
export function drawChain(family: Family, map: SlotMap, capacity: number): ChainUnit {
  const fewest = fewestOf(capacity);
  const misses = 1 - fewest / capacity;
  const draws = misses === 0 ? 1 : Math.ceil(missBits / -Math.log2(misses));
  const rules = Array.from({ length: draws }, () => drawRule(family, map, capacity));
  const last = misses === 0 ? [] : [drawRule(family, map, fewest - 1)];
  return chainUnit(drawChainName(map, capacity), [...rules, ...last]);
}

/** The fewest endpoints that have this capacity. */
function fewestOf(capacity: number): number {
  let fewest = capacity;
  while (fewest > 1 && capacityOf(fewest - 1) === capacity) fewest -= 1;
  return fewest;
}

function drawRule(family: Family, { name, protocol, key }: SlotMap, slots: number): NftRule {
  const slot: Expression = { numgen: { mode: 'random', mod: slots, offset: 0 } };
  const fields = key.filter((field) => field !== 'slot');
  const concat = { concat: [...fieldExpressions(family, fields, protocol), slot] };
  const addr = { map: { key: concat, data: `@${name}` } };
  return { expr: [{ dnat: { family: familyWords[family].table, addr } }] };
}

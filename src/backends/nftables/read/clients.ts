// Where the remembered clients of a listing may be sent: to endpoints that the rules which look them up draw
// from. A client of any other one stands out, so that a plan takes it away. Pure.
import type { Family } from '../../../model/ip.ts';
import { keys, slotOf } from '../keys.ts';
import { portNames } from '../names.ts';
import { slotMapNamed } from '../schema.ts';
import { rowId } from '../compile/slots.ts';
import type { ChainUnit, NftRule, NftUnit } from '../unit.ts';
import { containerUnit } from '../unit.ts';

/** The same units; maps of clients with the endpoints of their Service ports, and with all that are `remembered`. */
export function withClients(
  family: Family,
  units: ReadonlyMap<string, NftUnit>,
  remembered: ReadonlyMap<string, readonly string[]>,
): ReadonlyMap<string, NftUnit> {
  if (remembered.size === 0) return units;
  const drawn = drawnFor(units);
  return new Map(
    [...units].map(([id, unit]) => {
      if (unit.kind !== 'map' || unit.container.timeoutSeconds === undefined) return [id, unit];
      const { name } = unit.container;
      const port = portNames.read(name)?.clients?.port;
      const there = (drawn.get(name) ?? []).filter((target) => target.endsWith(` . ${port}`));
      const targets = new Set([...there, ...(remembered.get(name) ?? [])]);
      const endpoints = [...targets]
        .map((target) => keys.target.read(target))
        .filter((target) => target !== undefined);
      return [id, { ...containerUnit(family, unit.container, endpoints), owner: unit.owner }];
    }),
  );
}

/** A rule that looks clients up in a map, where others draw a slot. */
type LookUpRule = { readonly clients: string; readonly slots: string };

/** The endpoints that the rules beside each look-up of clients draw from, by the map of clients. */
function drawnFor(units: ReadonlyMap<string, NftUnit>): ReadonlyMap<string, readonly string[]> {
  const lookUps = new Map<string, readonly LookUpRule[]>();
  const slots = new Map<string, string[]>();
  for (const unit of units.values()) {
    if (unit.kind === 'chain') lookUps.set(unit.name, lookUpsIn(unit));
    const slot = unit.kind === 'element' ? slotOf(unit) : undefined;
    if (slot === undefined) continue;
    add(slots, rowId(slot.map, slot.frontend), keys.target.write(slot.endpoint));
  }
  const drawn = new Map<string, string[]>();
  for (const unit of units.values()) {
    const address = unit.kind === 'element' ? keys.frontend.read(unit.key) : undefined;
    if (unit.kind !== 'element' || address === undefined) continue;
    for (const look of lookUps.get(keys.chain.read(unit.value ?? '') ?? '') ?? []) {
      const map = slotMapNamed(look.slots);
      const targets = map === undefined ? [] : (slots.get(rowId(map, address)) ?? []);
      add(drawn, look.clients, ...targets);
    }
  }
  return drawn;
}

function lookUpsIn({ rules }: ChainUnit): readonly LookUpRule[] {
  return rules.flatMap((rule, at) => {
    const clients = clientsOf(rule);
    const draw = rules.slice(at + 1).find((next) => clientsOf(next) === undefined);
    const slots = /^goto (.+)-\d+$/.exec(gotoOf(draw))?.[1];
    return clients === undefined || slots === undefined ? [] : [{ clients, slots }];
  });
}

function add(to: Map<string, string[]>, key: string, ...more: readonly string[]): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [...more]);
  else known.push(...more);
}

/** The map in which a rule looks clients up. */
export function clientsOf({ expr }: NftRule): string | undefined {
  for (const one of expr) {
    const addr = 'dnat' in one ? one.dnat.addr : '';
    if (typeof addr !== 'object' || !('map' in addr)) continue;
    const { data } = addr.map;
    const name = typeof data === 'string' ? data.replace(/^@/, '') : '';
    return slotMapNamed(name) === undefined ? name : undefined;
  }
  return undefined;
}

/** The verdict of a rule that ends with one, such as `goto endpoints-tcp-8`. */
function gotoOf(rule: NftRule | undefined): string {
  const last = rule?.expr.at(-1);
  return last !== undefined && 'goto' in last ? keys.chain.write(last.goto.target) : '';
}

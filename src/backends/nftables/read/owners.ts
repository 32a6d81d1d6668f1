// Whose units a listing shows. A listing names Services in the comments of dispatch elements and in the
// names of their own chains and sets; what these lead to belongs to the same Service. Pure.
import { frontendId } from '../../../model/forwarding.ts';
import type { ServiceKey } from '../../../model/kubernetes.ts';
import { servicePortNamed } from '../../../model/kubernetes.ts';
import type { Slot } from '../keys.ts';
import { hairpinKey, keys, slotOf } from '../keys.ts';
import { portNames } from '../names.ts';
import { containers } from '../schema.ts';
import type { NftUnit } from '../unit.ts';
import { ownedUnit } from '../unit.ts';

/** The same units with their owners; a unit that several Services share is given to one of them. */
export function withOwners(units: ReadonlyMap<string, NftUnit>): ReadonlyMap<string, NftUnit> {
  const owners = new Map<string, ServiceKey>();
  const each = [...units.values()];
  for (const unit of each) addNamed(owners, unit);
  for (const unit of each) {
    const slot = unit.kind === 'element' ? slotOf(unit) : undefined;
    const owner = slot && owners.get(frontendId(slot.frontend));
    if (slot === undefined || owner === undefined) continue;
    for (const id of reachedBy(slot)) if (units.has(id)) owners.set(id, owner);
  }
  return new Map(
    each.map((unit) => {
      const owner = namedOwner(unit) ?? owners.get(subjectOf(unit));
      return [unit.id, owner === undefined ? unit : ownedUnit(unit, owner)];
    }),
  );
}

/** The Service that a name or a comment gives. */
function namedOwner(unit: NftUnit): ServiceKey | undefined {
  if (unit.kind === 'element') {
    const to = keys.chain.read(unit.value ?? '') ?? '';
    return servicePortNamed(unit.comment ?? '')?.service ?? portNames.read(to)?.service;
  }
  if (unit.kind === 'chain') return portNames.read(unit.name)?.service;
  return unit.kind === 'table' ? undefined : portNames.read(unit.container.name)?.service;
}

/** What an unnamed unit is known by: slots by their frontend, all others by themselves. */
function subjectOf(unit: NftUnit): string {
  const slot = unit.kind === 'element' ? slotOf(unit) : undefined;
  return slot === undefined ? unit.id : frontendId(slot.frontend);
}

/** Adds the frontend of an element whose comment names a Service. */
function addNamed(owners: Map<string, ServiceKey>, unit: NftUnit): void {
  const owner = unit.kind === 'element' ? namedOwner(unit) : undefined;
  const address = unit.kind === 'element' ? keys.frontend.read(unit.key) : undefined;
  if (owner === undefined || address === undefined) return;
  owners.set(frontendId(address), owner);
  if (address.ip !== undefined) owners.set(`${containers.clusterIps.name} ${address.ip}`, owner);
}

/** The other elements that there may be for the endpoint in a slot. */
function reachedBy({ frontend: { protocol }, endpoint }: Slot): readonly string[] {
  const { affinityEndpoints, hairpinConnections } = containers;
  return [
    `${hairpinConnections.name} ${hairpinKey(protocol, endpoint)}`,
    `${affinityEndpoints.name} ${keys.frontend.write({ ...endpoint, protocol })}`,
  ];
}

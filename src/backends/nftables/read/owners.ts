// Whose units a listing shows. A listing names Services in the comments of dispatch elements and in the
// names of their own chains and sets; what these lead to belongs to the same Service. Pure.
import type { ServiceKey } from '../../../model/kubernetes.ts';
import { serviceOf } from '../names.ts';
import { containers, endpointsMapNamed } from '../schema.ts';
import type { ChainUnit, ElementUnit, NftUnit } from '../unit.ts';
import { ownedUnit } from '../unit.ts';

/** The same units with their owners; a unit that several Services share is given to one of them. */
export function withOwners(units: ReadonlyMap<string, NftUnit>): ReadonlyMap<string, NftUnit> {
  const owners = ownersById([...units.values()]);
  const owned = new Map<string, NftUnit>();
  for (const [id, unit] of units) {
    const owner = ownNameOf(unit) ?? owners.get(id) ?? owners.get(slotOwner(unit));
    owned.set(id, owner === undefined ? unit : ownedUnit(unit, owner));
  }
  return owned;
}

function ownersById(units: readonly NftUnit[]): ReadonlyMap<string, ServiceKey> {
  const owners = new Map<string, ServiceKey>();
  const elements = units.filter((unit) => unit.kind === 'element');
  for (const element of elements) {
    for (const [id, service] of namedBy(element)) owners.set(id, service);
  }
  for (const slot of elements) {
    const owner = owners.get(slotOwner(slot));
    const protocol = endpointsMapNamed(slot.container)?.protocol;
    if (owner === undefined || protocol === undefined) continue;
    const [ip = '', port = ''] = slot.value?.split(' . ') ?? [];
    owners.set(hairpinId(ip, protocol, port), owner);
  }
  for (const chain of units) {
    const owner = chain.kind === 'chain' ? ownNameOf(chain) : undefined;
    if (owner === undefined) continue;
    for (const id of hairpinsOf(chain as ChainUnit)) owners.set(id, owner);
  }
  return owners;
}

function ownNameOf(unit: NftUnit): ServiceKey | undefined {
  if (unit.kind === 'chain') return serviceOf(unit.name) as ServiceKey | undefined;
  const isContainer = unit.kind === 'set' || unit.kind === 'map';
  return isContainer ? (serviceOf(unit.container.name) as ServiceKey | undefined) : undefined;
}

/** What an element whose comment names a Service says of itself, and of what it leads to. */
function namedBy(element: ElementUnit): readonly [id: string, service: ServiceKey][] {
  const { id, comment, key } = element;
  if (comment === undefined) return [];
  const [service] = comment.split(':') as [ServiceKey];
  const parts = key.split(' . ');
  const [port = '', protocol = '', ip] = parts.toReversed();
  const frontend = ip === undefined ? port : `${ip} . ${port}`;
  const ids = [id, `${protocol} ${frontend}`];
  if (ip !== undefined) ids.push(`${containers.clusterIps.name} ${ip}`);
  return ids.map((each) => [each, service]);
}

/** What the slots of one frontend have in common; '' for what is no slot. */
function slotOwner(unit: NftUnit): string {
  if (unit.kind !== 'element') return '';
  const map = endpointsMapNamed(unit.container);
  return map === undefined
    ? ''
    : `${map.protocol} ${unit.key.slice(0, unit.key.lastIndexOf(' . '))}`;
}

/** The connection to itself of the endpoint that a chain sends to. */
function hairpinsOf({ name, rules }: ChainUnit): readonly string[] {
  const protocol = /^[^/]+\/[^/]+\/([^/]+)\//.exec(name)?.[1] ?? '';
  return rules.flatMap(({ expr }) =>
    expr.flatMap((statement) => {
      if (!('dnat' in statement) || 'family' in statement.dnat) return [];
      const { addr, port } = statement.dnat;
      return [hairpinId(addr, protocol, String(port))];
    }),
  );
}

function hairpinId(ip: string, protocol: string, port: string): string {
  return `${containers.hairpinConnections.name} ${ip} . ${ip} . ${protocol} . ${port}`;
}

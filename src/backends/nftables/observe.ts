// What nft lists of our table (`nft -j list table`), as a Program. Lenient where nft's versions
// differ in how they print the same thing; strict in that a table of another shape says so.
import type { Family } from '../../model/ip.ts';
import { parseIp } from '../../model/ip.ts';
import type { Protocol, ServiceKey } from '../../model/kubernetes.ts';
import type { Hook } from '../../model/ruleset.ts';
import type { Expression } from './expression.ts';
import { protocolNames } from './expression.ts';
import type { Container } from './schema.ts';
import {
  baseChains,
  containers,
  endpointsName,
  familyWords,
  tableName,
  typeNames,
} from './schema.ts';
import type { ElementUnit, NftHook, NftRule, NftUnit } from './unit.ts';
import { chainUnit, containerUnit, elementUnit, tableUnit } from './unit.ts';

/** The parts of a listing that we read; everything else is passed over. */
type Listed = {
  readonly table?: { readonly family: string; readonly name: string };
  readonly set?: ListedContainer;
  readonly map?: ListedContainer;
  readonly chain?: ListedChain;
  readonly rule?: NftRule & { readonly chain: string };
};
type ListedChain = { readonly name: string } & Partial<NftHook>;
type ListedContainer = {
  readonly name: string;
  readonly type: unknown;
  readonly map?: unknown;
  readonly elem?: readonly unknown[];
};

/** Reads a listing of our table in `family`; other tables in it (a saved ruleset) are passed over. */
export function parseListing(family: Family, listing: string): ReadonlyMap<string, NftUnit> {
  const parsed = JSON.parse(listing) as { nftables: readonly Listed[] };
  const items = parsed.nftables.filter((item) => isOurs(family, item));
  const units = new Map<string, NftUnit>();
  const layoutFaults: string[] = [];
  const keep = (unit: NftUnit): void => void units.set(unit.id, unit);
  const rules = Map.groupBy(
    items.flatMap(({ rule }) => (rule === undefined ? [] : [rule])),
    ({ chain }) => chain,
  );
  for (const { set, map, chain } of items) {
    const listed = set ?? map;
    if (listed !== undefined) {
      const container = Object.values<Container>(containers).find(
        ({ name }) => name === listed.name,
      );
      if (container === undefined || !hasShape(family, listed, container)) {
        layoutFaults.push(listed.name);
      } else {
        keep(containerUnit(family, container));
        for (const element of listed.elem ?? []) keep(readElement(container, element));
      }
    }
    if (chain === undefined) continue;
    if (hasPlace(chain)) keep(readChain(chain, rules.get(chain.name) ?? []));
    else layoutFaults.push(chain.name);
  }
  if (!items.some(({ table }) => table !== undefined)) return new Map();
  // A table of another shape is replaced as a whole, so nothing that is in it counts as there.
  if (layoutFaults.length > 0) units.clear();
  const layout = layoutFaults.length === 0 ? '' : ` with another ${layoutFaults.join(', ')}`;
  keep(tableUnit(family, layout));
  return withOwners(units);
}

function isOurs(family: Family, item: Listed): boolean {
  const { table, set, map, chain, rule } = item as Record<string, Record<string, unknown>>;
  const object = table ?? set ?? map ?? chain ?? rule;
  const name = table === undefined ? object?.['table'] : table['name'];
  return object?.['family'] === familyWords[family].table && name === tableName;
}

function hasShape(family: Family, listed: ListedContainer, { key, data }: Container): boolean {
  const dataNames = data === undefined || data === 'verdict' ? data : typeNames(family, data);
  return (
    shape(listed.type) === typeNames(family, key).join(' . ') &&
    shape(listed.map) === (Array.isArray(dataNames) ? dataNames.join(' . ') : shape(dataNames))
  );
}

// nft 1.0.6 lists types as a list or as joined text, 1.1 as `typeof` with expressions.
function shape(type: unknown): string {
  if (type === undefined) return '';
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return type.join(' . ');
  const { concat } = (type as { typeof: { concat: readonly Expression[] } }).typeof;
  return concat.map(typeOfField).join(' . ');
}

function typeOfField(field: Expression): string {
  if (typeof field !== 'object') return String(field);
  if ('numgen' in field) return 'integer';
  if ('meta' in field) return 'inet_proto';
  if (!('payload' in field)) return JSON.stringify(field);
  const { protocol, field: name } = field.payload;
  if (name !== 'daddr') return 'inet_service';
  return protocol === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
}

// nft cannot move a chain to another hook, nor make it a base chain.
function hasPlace({ name, type, hook, prio }: ListedChain): boolean {
  const place = Object.hasOwn(baseChains, name) ? baseChains[name as Hook] : undefined;
  return type === place?.type && hook === place?.hook && prio === place?.prio;
}

function readChain(chain: ListedChain, rules: readonly NftRule[]): NftUnit {
  const { name, type, hook, prio } = chain;
  const isBase = type !== undefined && hook !== undefined && prio !== undefined;
  const kept = rules.map(({ expr, comment }) =>
    comment === undefined ? { expr } : { expr, comment },
  );
  return chainUnit(name, kept, isBase ? { type, hook, prio } : undefined);
}

function readElement({ name, key, data }: Container, listed: unknown): ElementUnit {
  const [keyPart, dataPart] = data === undefined ? [listed] : (listed as [unknown, unknown]);
  const { val, comment } = (keyPart as { elem?: { val: unknown; comment?: string } }).elem ?? {
    val: keyPart,
  };
  const read = {
    container: name,
    key: readConcat(val, key.indexOf('inet_proto')),
    ...(comment === undefined ? {} : { comment }),
  };
  return elementUnit(data === undefined ? read : { ...read, value: readData(dataPart) });
}

function readData(data: unknown): string {
  const { goto: target, concat, drop } = data as Record<string, unknown>;
  if (target !== undefined) return `goto ${(target as { target: string }).target}`;
  if (concat !== undefined) return readConcat(data, -1);
  return drop === undefined ? JSON.stringify(data) : 'drop';
}

function readConcat(value: unknown, protocolAt: number): string {
  const parts =
    typeof value === 'object' && value !== null && 'concat' in value
      ? (value.concat as readonly unknown[])
      : [value];
  return parts
    .map((part) => (typeof part === 'string' ? part : JSON.stringify(part)))
    .map((part, index) => (index === protocolAt ? (protocolNames[part] ?? part) : part))
    .map((part) => parseIp(part) ?? part)
    .join(' . ');
}

// A listing names Services in the comments of dispatch elements alone; what these lead to belongs to
// the same Service. A unit that several Services share is given to one of them.
function withOwners(units: Map<string, NftUnit>): Map<string, NftUnit> {
  const owners = ownersById(units.values());
  for (const unit of units.values()) {
    const owner = owners.get(unit.id) ?? owners.get(slotOwner(unit));
    if (owner !== undefined) units.set(unit.id, { ...unit, owner });
  }
  return units;
}

function ownersById(units: Iterable<NftUnit>): ReadonlyMap<string, ServiceKey> {
  const owners = new Map<string, ServiceKey>();
  const slots: ElementUnit[] = [];
  for (const unit of units) {
    if (unit.kind !== 'element') continue;
    if (unit.comment === undefined) {
      slots.push(unit);
      continue;
    }
    const [service] = unit.comment.split(':') as [ServiceKey];
    const [ip, protocol, port] = unit.key.split(' . ') as [string, Protocol, string];
    owners.set(unit.id, service);
    owners.set(`${containers.clusterIps.name} ${ip}`, service);
    owners.set(`${endpointsName(protocol)} ${ip} . ${port}`, service);
    if (unit.value?.startsWith('goto KUBE-SVC-'))
      owners.set(`chain ${unit.value.slice(5)}`, service);
  }
  for (const slot of slots) {
    const owner = owners.get(slotOwner(slot));
    const [ip, port] = slot.value?.split(' . ') ?? [];
    const protocol = slot.container.slice(endpointsName('').length);
    const hairpin = `${containers.hairpinConnections.name} ${ip} . ${ip} . ${protocol} . ${port}`;
    if (owner !== undefined) owners.set(hairpin, owner);
  }
  return owners;
}

// A slot's id without the slot: what the frontend's other slots share.
function slotOwner({ id }: NftUnit): string {
  return id.slice(0, id.lastIndexOf(' . '));
}

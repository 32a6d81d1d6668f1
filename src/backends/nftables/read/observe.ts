// What nft lists of our table (`nft -j list table`), as a Program. Lenient where nft's versions
// differ in how they print the same thing; strict in that a table of another shape says so.
import type { ServiceCounters } from '../../../model/config.ts';
import type { Family } from '../../../model/ip.ts';
import { parseIp } from '../../../model/ip.ts';
import type { Expression, Statement } from '../expression.ts';
import { protocolNames } from '../expression.ts';
import { portNames } from '../names.ts';
import { withClients } from './clients.ts';
import { withOwners } from './owners.ts';
import type { BaseChain, Container } from '../schema.ts';
import {
  affinityMap,
  affinityMaps,
  baseChains,
  containers,
  counting,
  familyWords,
  slotMaps,
  tableName,
  typeNames,
} from '../schema.ts';
import type { ElementUnit, NftHook, NftRule, NftUnit } from '../unit.ts';
import { chainUnit, containerUnit, elementUnit, tableUnit } from '../unit.ts';

/** The parts of a listing that we read; everything else is passed over. */
export type Listed = {
  readonly table?: { readonly family: string; readonly name: string };
  readonly set?: ListedContainer;
  readonly map?: ListedContainer;
  readonly chain?: ListedChain;
  readonly rule?: {
    readonly chain: string;
    readonly expr: readonly (Statement | string)[];
    readonly comment?: string;
  };
};
type ListedChain = { readonly name: string } & Partial<NftHook>;
type ListedContainer = {
  readonly name: string;
  readonly type: unknown;
  readonly map?: unknown;
  readonly timeout?: number;
  /** What each element carries. */
  readonly stmt?: readonly object[];
  readonly elem?: readonly unknown[];
};

/**
 * Reads a listing of our table in `family`; other tables in it (a saved ruleset) are passed over. With
 * `counters`, a set that counts otherwise is of another shape.
 */
export function parseListing(
  family: Family,
  listing: string,
  counters?: ServiceCounters,
): ReadonlyMap<string, NftUnit> {
  const parsed = JSON.parse(listing) as { nftables: readonly Listed[] };
  const items = parsed.nftables.filter((item) => isOurs(family, item));
  if (!items.some(({ table }) => table !== undefined)) return new Map();
  const rules = Map.groupBy(
    items.flatMap(({ rule }) => (rule === undefined ? [] : [rule])),
    ({ chain }) => chain,
  );
  const layoutFaults: string[] = [];
  const remembered = new Map<string, readonly string[]>();
  const read = items.flatMap(({ set, map, chain }) => {
    const listed = set ?? map;
    if (listed?.timeout !== undefined) remembered.set(listed.name, endpointsIn(listed));
    if (listed !== undefined) {
      return readContainer(family, listed, counters) ?? fault(layoutFaults, listed.name);
    }
    if (chain === undefined) return [];
    return hasPlace(chain)
      ? [readChain(chain, rules.get(chain.name) ?? [])]
      : fault(layoutFaults, chain.name);
  });
  const layout = layoutFaults.length === 0 ? '' : ` with another ${layoutFaults.join(', ')}`;
  // A table of another shape is replaced as a whole, so nothing that is in it counts as there.
  const units = [...(layout === '' ? read : []), tableUnit(family, layout)];
  const owned = withOwners(new Map(units.map((unit) => [unit.id, unit])));
  return withClients(family, owned, remembered);
}

function fault(faults: string[], name: string): readonly NftUnit[] {
  faults.push(name);
  return [];
}

/** Whether it is our table in this family, or in it. */
export function isOurs(family: Family, item: Listed): boolean {
  const { table, set, map, chain, rule } = item as Record<string, Record<string, unknown>>;
  const object = table ?? set ?? map ?? chain ?? rule;
  const name = table === undefined ? object?.['table'] : table['name'];
  return object?.['family'] === familyWords[family].table && name === tableName;
}

/** A set or map with its elements; undefined where it is none of ours, or of another shape. */
function readContainer(
  family: Family,
  listed: ListedContainer,
  counters: ServiceCounters | undefined,
): readonly NftUnit[] | undefined {
  const container = containerOf(listed, counters);
  if (container === undefined || !hasShape(family, listed, container)) return undefined;
  // Elements that packets added belong to the clients: no plan adds them, and none takes them away.
  const ours = container.timeoutSeconds === undefined ? (listed.elem ?? []) : [];
  return [
    containerUnit(family, container),
    ...ours.map((element) => readElement(container, element)),
  ];
}

/** Where the clients in a listed map are sent, each endpoint once. */
function endpointsIn({ name, elem = [] }: ListedContainer): readonly string[] {
  const port = portNames.read(name)?.clients?.port;
  const ips = elem.flatMap((element) =>
    Array.isArray(element) ? [readConcat(element[1], -1)] : [],
  );
  return [...new Set(ips)].map((ip) => `${ip} . ${port}`);
}

const containersByName: ReadonlyMap<string, Container> = new Map(
  [...Object.values<Container>(containers), ...affinityMaps, ...slotMaps].map((container) => [
    container.name,
    container,
  ]),
);

/** The container as it is to be with these counters; without any, as it is listed. */
function containerOf(
  { name, stmt = [] }: ListedContainer,
  counters: ServiceCounters | undefined,
): Container | undefined {
  const container = containerNamed(name);
  if (container === undefined || counters !== undefined) {
    return container && counting(container, counters ?? 'off');
  }
  return stmt.some((one) => 'counter' in one) ? { ...container, counts: true } : container;
}

/** The set or map of ours with this name. */
export function containerNamed(name: string): Container | undefined {
  const clients = portNames.read(name)?.clients;
  if (clients !== undefined) return affinityMap(name, clients.seconds);
  return containersByName.get(name);
}

function hasShape(family: Family, listed: ListedContainer, container: Container): boolean {
  const { key, data, timeoutSeconds, counts = false } = container;
  const dataShape = data === undefined || data === 'verdict' ? data : typeNames(family, data);
  return (
    shape(listed.type) === typeNames(family, key) &&
    shape(listed.map) === shape(dataShape) &&
    listed.timeout === timeoutSeconds &&
    (listed.stmt ?? []).some((one) => 'counter' in one) === counts
  );
}

// nft 1.0.6 lists types as a list or as joined text, 1.1 as `typeof` with expressions.
function shape(type: unknown): string {
  if (type === undefined) return '';
  if (typeof type === 'string') return type;
  if (Array.isArray(type)) return type.join(' . ');
  const { typeof: of } = type as { typeof: Expression };
  if (typeof of === 'object' && 'concat' in of) return of.concat.map(typeOfField).join(' . ');
  return typeOfField(of);
}

function typeOfField(field: Expression): string {
  if (typeof field !== 'object') return String(field);
  if ('numgen' in field) return 'integer';
  if ('meta' in field) return 'inet_proto';
  // How our own rendering declares a map to verdicts.
  if ('accept' in field) return 'verdict';
  if (!('payload' in field)) return JSON.stringify(field);
  const { protocol, field: name } = field.payload;
  if (name !== 'daddr' && name !== 'saddr') return 'inet_service';
  return protocol === 'ip' ? 'ipv4_addr' : 'ipv6_addr';
}

// nft cannot move a chain to another hook, nor make it a base chain.
function hasPlace({ name, type, hook, prio }: ListedChain): boolean {
  const place = Object.hasOwn(baseChains, name) ? baseChains[name as BaseChain] : undefined;
  return type === place?.type && hook === place?.hook && prio === place?.prio;
}

function readChain(chain: ListedChain, rules: readonly Required<Listed>['rule'][]): NftUnit {
  const { name, type, hook, prio } = chain;
  const isBase = type !== undefined && hook !== undefined && prio !== undefined;
  const kept = rules.map(({ expr: listed, comment }): NftRule => {
    const expr = listed.map((one) => (typeof one === 'string' ? { text: one } : one));
    return comment === undefined ? { expr } : { expr, comment };
  });
  return chainUnit(name, kept, isBase ? { type, hook, prio } : undefined);
}

/** An element as nft lists it. */
export function readElement({ name, key, data }: Container, listed: unknown): ElementUnit {
  const [keyPart, dataPart] = data === undefined ? [listed] : (listed as [unknown, unknown]);
  const { val, comment } = (keyPart as { elem?: { val: unknown; comment?: string } }).elem ?? {
    val: keyPart,
  };
  const read = {
    container: name,
    key: readConcat(val, key.indexOf('l4proto')),
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

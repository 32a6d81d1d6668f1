// What `nft -j list table` printed, as kube-proxy's table of one family. A listing that is cut off, or
// none of nft's, is refused.
import type { Family } from '../../model/ip.ts';
import type { Lookup } from './nftables/lookup.ts';
import { fieldsOf } from './nftables/lookup.ts';
import type { NftStatement, TableContents } from './nftables/statement.ts';
import { parseStatement } from './nftables/statement.ts';
import { RulesetError } from './outcome.ts';
import type { NetfilterHook } from './walk.ts';

export type NftRule = {
  readonly statements: readonly NftStatement[];
  /** Its comment, or '' where it has none. */
  readonly comment: string;
};

/** A chain that netfilter calls; lower priorities come first. */
export type NftBaseChain = {
  readonly name: string;
  readonly hook: NetfilterHook;
  readonly priority: number;
  /** What becomes of packets that none of its rules stopped. */
  readonly policy: 'accept' | 'drop';
};

/** One table. */
export type NftTable = {
  readonly family: Family;
  /** In the order in which the kernel calls them. */
  readonly baseChains: readonly NftBaseChain[];
  readonly chains: ReadonlyMap<string, readonly NftRule[]>;
};

/** Which table is read. */
export type NftTableName = { readonly family: Family; readonly name: string };

/** Reads a table from a listing of it, or of all; undefined where the listing has no such table. */
export function readNft(listing: string, table: NftTableName): NftTable | undefined {
  const items = itemsOf(listing).flatMap((item, index) => itemOf(item, index, table));
  if (!items.some(({ kind }) => kind === 'table')) return undefined;
  const chains = new Map<string, NftRule[]>();
  const baseChains: NftBaseChain[] = [];
  for (const { kind, content, number } of items) {
    if (kind !== 'chain') continue;
    chains.set(nameIn(content, number), []);
    baseChains.push(...baseChainOf(content, number));
  }
  const around = contentsOf(items, chains);
  for (const { kind, content, number } of items) {
    if (kind !== 'rule') continue;
    const { chain, expr, comment } = content;
    const rules = chains.get(String(chain));
    if (rules === undefined) fail(number, `rule of chain ${String(chain)}, which is not listed`);
    if (!Array.isArray(expr)) fail(number, `rule of chain ${String(chain)} without statements`);
    const statements = expr.map((statement) => parseStatement(statement, around(number)));
    rules.push({ statements, comment: typeof comment === 'string' ? comment : '' });
  }
  const inOrder = baseChains.toSorted((left, right) => left.priority - right.priority);
  return { family: table.family, baseChains: inOrder, chains };
}

type Fields = Readonly<Record<string, unknown>>;
type Item = { readonly kind: string; readonly content: Fields; readonly number: number };

function itemsOf(listing: string): readonly unknown[] {
  let parsed: unknown;
  try {
    parsed = JSON.parse(listing);
  } catch (error) {
    const { message } = error as SyntaxError;
    const [, position] = /at position (\d+)/.exec(message) ?? [];
    const end = position === undefined ? listing.length : Number(position);
    const line = listing.slice(0, end).split('\n').length;
    throw new RulesetError(`line ${line}: not the JSON of a whole listing: ${message}`, {
      cause: error,
    });
  }
  const { nftables } = fieldsOf(parsed);
  if (!Array.isArray(nftables)) {
    throw new RulesetError('line 1: this JSON is not what nft -j prints');
  }
  return nftables;
}

/** The item, if it is of the table or the table itself; items are counted from 1. */
function itemOf(listed: unknown, index: number, { family, name }: NftTableName): readonly Item[] {
  const [kind = '', ...more] = Object.keys(fieldsOf(listed));
  const content = fieldsOf(fieldsOf(listed)[kind]);
  const number = index + 1;
  if (kind === '' || more.length > 0) fail(number, 'neither a table nor anything in one');
  const tableName = kind === 'table' ? content['name'] : content['table'];
  const isOfIt = content['family'] === (family === 'IPv4' ? 'ip' : 'ip6') && tableName === name;
  return isOfIt ? [{ kind, content, number }] : [];
}

function nameIn({ name }: Fields, number: number): string {
  return typeof name === 'string' ? name : fail(number, 'it has no name');
}

const hooks: readonly string[] = [
  'prerouting',
  'input',
  'forward',
  'output',
  'postrouting',
] satisfies NetfilterHook[];

function baseChainOf(content: Fields, number: number): readonly NftBaseChain[] {
  const { hook, prio, policy } = content;
  if (typeof hook !== 'string' || !hooks.includes(hook)) return [];
  const name = nameIn(content, number);
  if (typeof prio !== 'number') fail(number, `base chain ${name} without a priority`);
  return [
    {
      name,
      hook: hook as NetfilterHook,
      priority: prio,
      policy: policy === 'drop' ? 'drop' : 'accept',
    },
  ];
}

function contentsOf(
  items: readonly Item[],
  chains: ReadonlyMap<string, unknown>,
): (number: number) => TableContents {
  const containers = new Map<string, readonly unknown[]>();
  for (const { kind, content, number } of items) {
    if (kind !== 'set' && kind !== 'map') continue;
    const { elem = [] } = content;
    const name = nameIn(content, number);
    if (!Array.isArray(elem)) fail(number, `${kind} ${name} without a list of elements`);
    containers.set(name, isFilledByPackets(content) ? [] : elem);
  }
  const lookups = new Map<string, Lookup<unknown>>();
  return (number) => ({
    elementsOf: (name) => containers.get(name),
    once: <V>(id: string, make: () => Lookup<V>) => {
      const known = lookups.get(id) as Lookup<V> | undefined;
      const lookup = known ?? make();
      lookups.set(id, lookup);
      return lookup;
    },
    checkChain: (name) => {
      if (!chains.has(name)) fail(number, `it leads to chain ${name}, which is not listed`);
    },
  });
}

// Clients that are remembered (nft 1.0.6 does not list `dynamic`); who connects first is not in it.
function isFilledByPackets({ flags, timeout }: Fields): boolean {
  const listed: readonly unknown[] = Array.isArray(flags) ? flags : [flags];
  return timeout !== undefined || listed.includes('dynamic') || listed.includes('timeout');
}

function fail(number: number, message: string): never {
  throw new RulesetError(`item ${number}: ${message}`);
}

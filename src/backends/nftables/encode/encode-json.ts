// The same transaction as libnftables JSON (man libnftables-json).
import type { Family } from '../../../model/ip.ts';
import { declarationJson } from '../declaration.ts';
import { familyWords, tableName } from '../schema.ts';
import type { ElementBatch, Transaction } from '../transaction.ts';
import type { ChainUnit, ElementUnit } from '../unit.ts';

type Command = Readonly<Record<string, Readonly<Record<string, object>>>>;

/** The input of `nft -j -f -` for this transaction; '' where there is nothing to do. */
export function encodeJson(family: Family, transaction: Transaction, table = tableName): string {
  const word = familyWords[family].table;
  const at = { family: word, table };
  const itself = { family: word, name: table };
  const nftables: Command[] = [
    ...(transaction.deleteTable ? [{ delete: { table: itself } }] : []),
    ...(transaction.addTable ? [{ add: { table: itself } }] : []),
    ...transaction.addContainers.map(({ kind, container }) => ({
      add: { [kind]: { ...at, name: container.name, ...declarationJson(family, container) } },
    })),
    ...transaction.addChains.map(({ name, hook }) => ({
      add: { chain: { ...at, name, ...hook } },
    })),
    ...transaction.flushChains.map(({ name }) => ({ flush: { chain: { ...at, name } } })),
    ...transaction.fillChains.flatMap((chain) => rules(at, chain)),
    ...transaction.refreshElements.map((batch) => ({ add: elements(at, batch, wholeOf) })),
    ...transaction.deleteElements.map((batch) => ({ delete: elements(at, batch, keyOf) })),
    ...transaction.addElements.map((batch) => ({ add: elements(at, batch, wholeOf) })),
    ...transaction.deleteChains.map(({ name }) => ({ flush: { chain: { ...at, name } } })),
    ...transaction.deleteChains.map(({ name }) => ({ delete: { chain: { ...at, name } } })),
    ...transaction.deleteContainers.map(({ kind, container: { name } }) => ({
      delete: { [kind]: { ...at, name } },
    })),
  ];
  // A command a line costs nothing, and lets a person read what a failed transaction held.
  const lines = nftables.map((command) => JSON.stringify(command)).join(',\n');
  return nftables.length === 0 ? '' : `{"nftables":[\n${lines}\n]}\n`;
}

function rules(at: object, { name, rules: list }: ChainUnit): Command[] {
  return list.map((rule) => ({ add: { rule: { ...at, chain: name, ...rule } } }));
}

function elements(
  at: object,
  { container, elements: list }: ElementBatch,
  spell: (element: ElementUnit) => unknown,
): Command[string] {
  return { element: { ...at, name: container, elem: list.map(spell) } };
}

function keyOf({ key }: ElementUnit): unknown {
  return concat(key);
}

function wholeOf({ key, value, comment, expiresSeconds: expires }: ElementUnit): unknown {
  const val = concat(key);
  const more = { ...(comment && { comment }), ...(expires && { expires }) };
  const commented = Object.keys(more).length === 0 ? val : { elem: { val, ...more } };
  return value === undefined ? commented : [commented, data(value)];
}

function data(value: string): unknown {
  if (value === 'drop') return { drop: null };
  return value.startsWith('goto ') ? { goto: { target: value.slice(5) } } : concat(value);
}

// Ports and slots must be numbers: nft ignores numbers that are written as strings.
function concat(text: string): unknown {
  const parts = text.split(' . ').map((part) => (/^\d+$/.test(part) ? Number(part) : part));
  return parts.length === 1 ? parts[0] : { concat: parts };
}

// One statement of a rule as `nft -j` lists it, as data. What kube-proxy never writes stays text:
// whoever meets it cannot say what happens.
import type { Ip } from '../../../model/ip.ts';
import type { Fraction } from '../fraction.ts';
import type { Field } from './fields.ts';
import { bitsOf, fieldsIn, slotShare, spellingOf } from './fields.ts';
import type { Lookup } from './lookup.ts';
import { fieldsOf, lookupOf, textOf } from './lookup.ts';

/** What a verdict does; `continue` goes on with the next rule. */
export type NftVerdict =
  | { readonly kind: 'jump' | 'goto'; readonly chain: string }
  | { readonly kind: 'return' | 'continue' | 'accept' | 'drop' | 'reject' };

/** Where a connection is sent; without a port it keeps its own. */
export type NftDestination = { readonly ip: Ip; readonly port: number | undefined };

/** A condition ends the rule where it does not hold; where `is` is false, its opposite must hold. */
export type NftStatement =
  | {
      readonly kind: 'match';
      readonly is: boolean;
      readonly fields: readonly Field[];
      readonly lookup: Lookup<true>;
    }
  | { readonly kind: 'random'; readonly share: Fraction }
  | { readonly kind: 'state'; readonly is: boolean; readonly states: readonly string[] }
  | { readonly kind: 'translated' }
  | { readonly kind: 'local'; readonly is: boolean; readonly end: 'source' | 'destination' }
  | { readonly kind: 'mark'; readonly keep: number; readonly flip: number }
  | {
      readonly kind: 'verdict-map';
      readonly fields: readonly Field[];
      readonly lookup: Lookup<NftVerdict>;
    }
  | {
      readonly kind: 'dnat-map';
      readonly fields: readonly Field[];
      readonly lookup: Lookup<NftDestination>;
    }
  | { readonly kind: 'dnat'; readonly to: NftDestination }
  | { readonly kind: 'verdict'; readonly verdict: NftVerdict }
  | { readonly kind: 'masquerade' }
  /** It changes no packet's way: counts, logs, remembers a client. */
  | { readonly kind: 'pass' }
  | { readonly kind: 'unknown'; readonly text: string };

/** The sets and chains of the table that a statement stands in. */
export type TableContents = {
  /** The elements of a named set or map; undefined where there is none of that name. */
  readonly elementsOf: (name: string) => readonly unknown[] | undefined;
  /** Makes a lookup of a named set or map once, however many rules use it. */
  readonly once: <V>(name: string, make: () => Lookup<V>) => Lookup<V>;
  /** Throws where no chain of that name is listed. */
  readonly checkChain: (name: string) => void;
};

/** Parses one statement. */
export function parseStatement(listed: unknown, around: TableContents): NftStatement {
  const [kind = '', ...more] = Object.keys(fieldsOf(listed));
  const content = fieldsOf(listed)[kind];
  const parse = Object.hasOwn(parsers, kind) ? parsers[kind] : undefined;
  const parsed = more.length === 0 ? parse?.(content, around) : undefined;
  return parsed ?? { kind: 'unknown', text: JSON.stringify(listed) };
}

type Parser = (content: unknown, around: TableContents) => NftStatement | undefined;

const pass = (): NftStatement => ({ kind: 'pass' });
const plain =
  (kind: 'return' | 'continue' | 'accept' | 'drop' | 'reject'): Parser =>
  () => ({ kind: 'verdict', verdict: { kind } });
const leading =
  (kind: 'jump' | 'goto'): Parser =>
  (content, around) => {
    const verdict = parseVerdict({ [kind]: content }, around);
    return verdict && { kind: 'verdict', verdict };
  };

const parsers: Readonly<Record<string, Parser>> = {
  match: parseMatch,
  mangle: parseMangle,
  vmap: parseVerdictMap,
  dnat: parseDnat,
  masquerade: () => ({ kind: 'masquerade' }),
  counter: pass,
  log: pass,
  set: parseUpdate,
  map: parseUpdate,
  text: parseText,
  jump: leading('jump'),
  goto: leading('goto'),
  return: plain('return'),
  continue: plain('continue'),
  accept: plain('accept'),
  drop: plain('drop'),
  reject: plain('reject'),
};

function parseMatch(content: unknown, around: TableContents): NftStatement | undefined {
  const { op, left, right } = fieldsOf(content);
  if (op !== '==' && op !== '!=' && op !== 'in') return undefined;
  const is = op !== '!=';
  const { ct, fib } = fieldsOf(left);
  if (ct !== undefined) return parseConntrack(fieldsOf(ct)['key'], { is, op, right });
  if (fib !== undefined) return parseFib(fieldsOf(fib), { is, right });
  const fields = fieldsIn(left);
  if (fields === undefined) return undefined;
  const readKey = (key: unknown) => ({ key, value: true as const });
  const lookup = elementsLookup(right, { fields, around, readElement: readKey });
  if (lookup === undefined) return undefined;
  const share = slotShare(fields, lookup, is);
  if (share !== undefined) return { kind: 'random', share };
  return fields.some(({ kind }) => kind === 'slot')
    ? undefined
    : { kind: 'match', is, fields, lookup };
}

/** The lookup of `@name`, of `{ ... }`, or of one value alone. */
function elementsLookup<V>(
  data: unknown,
  {
    fields,
    around,
    readElement,
  }: {
    readonly fields: readonly Field[];
    readonly around: TableContents;
    readonly readElement: (element: unknown) => { key: unknown; value: V } | undefined;
  },
): Lookup<V> | undefined {
  const spellings = fields.map(spellingOf);
  const { set } = fieldsOf(data);
  if (typeof data === 'string' && data.startsWith('@')) {
    const elements = around.elementsOf(data.slice(1));
    const id = `${data} ${spellings.join(' ')}`;
    return elements && around.once(id, () => lookupOf(elements, spellings, readElement));
  }
  if (Array.isArray(data)) return undefined;
  return lookupOf(Array.isArray(set) ? set : [data], spellings, readElement);
}

type Condition = { readonly is: boolean; readonly right: unknown };

function parseConntrack(
  key: unknown,
  { is, op, right }: Condition & { readonly op: string },
): NftStatement | undefined {
  const { set } = fieldsOf(right);
  const listed: unknown = Array.isArray(set) ? set : right;
  const values: readonly unknown[] = Array.isArray(listed) ? listed : [listed];
  const states = values.flatMap((value) => (typeof value === 'string' ? [value] : []));
  if (states.length !== values.length || states.length === 0) return undefined;
  if (key === 'state') return { kind: 'state', is, states };
  const isTranslated = key === 'status' && op === 'in' && states.join(' ') === 'dnat';
  return isTranslated ? { kind: 'translated' } : undefined;
}

function parseFib(
  { result, flags }: Readonly<Record<string, unknown>>,
  { is, right }: Condition,
): NftStatement | undefined {
  const [flag, ...more]: readonly unknown[] = Array.isArray(flags) ? flags : [flags];
  if (result !== 'type' || right !== 'local' || more.length > 0) return undefined;
  if (flag === 'saddr') return { kind: 'local', is, end: 'source' };
  return flag === 'daddr' ? { kind: 'local', is, end: 'destination' } : undefined;
}

function parseMangle(content: unknown): NftStatement | undefined {
  const { key, value } = fieldsOf(content);
  const isMark = fieldsOf(fieldsOf(key)['meta'])['key'] === 'mark';
  const bits = isMark ? bitsOf(value) : undefined;
  return bits && { kind: 'mark', ...bits };
}

function parseUpdate(content: unknown): NftStatement | undefined {
  const { op } = fieldsOf(content);
  return op === 'update' || op === 'add' ? { kind: 'pass' } : undefined;
}

// nft 1.0.6 prints what it has no JSON for as text: who is remembered goes on all the same.
function parseText(content: unknown): NftStatement | undefined {
  return /^(update|add) @\S+ \{[^{}]*\}$/.test(String(content)) ? { kind: 'pass' } : undefined;
}

function parseVerdictMap(content: unknown, around: TableContents): NftStatement | undefined {
  const { key, data } = fieldsOf(content);
  const fields = fieldsIn(key);
  if (fields === undefined) return undefined;
  const lookup = elementsLookup(data, {
    fields,
    around,
    readElement: pairReader((value) => parseVerdict(value, around)),
  });
  return lookup && { kind: 'verdict-map', fields, lookup };
}

function parseDnat(content: unknown, around: TableContents): NftStatement | undefined {
  const { addr, port } = fieldsOf(content);
  const { map } = fieldsOf(addr);
  if (map === undefined) {
    const to = parseDestination(port === undefined ? addr : { concat: [addr, port] });
    return to && { kind: 'dnat', to };
  }
  const { key, data } = fieldsOf(map);
  const fields = fieldsIn(key);
  if (fields === undefined) return undefined;
  const readElement = pairReader((value) =>
    parseDestination(port === undefined ? value : { concat: [value, port] }),
  );
  const lookup = elementsLookup(data, { fields, around, readElement });
  return lookup && { kind: 'dnat-map', fields, lookup };
}

function pairReader<V>(
  readValue: (value: unknown) => V | undefined,
): (element: unknown) => { key: unknown; value: V } | undefined {
  return (element) => {
    if (!Array.isArray(element) || element.length !== 2) return undefined;
    const [key, listed]: readonly unknown[] = element;
    const value = readValue(listed);
    return value === undefined ? undefined : { key, value };
  };
}

function parseDestination(value: unknown): NftDestination | undefined {
  const { concat } = fieldsOf(value);
  const [address, port, ...more]: readonly unknown[] = Array.isArray(concat) ? concat : [value];
  const ip = textOf(address, 'address');
  const number = port === undefined ? '0' : textOf(port, 'number');
  if (ip === undefined || number === undefined || more.length > 0) return undefined;
  return { ip: ip as Ip, port: port === undefined ? undefined : Number(number) };
}

function parseVerdict(value: unknown, around: TableContents): NftVerdict | undefined {
  const [kind = '', ...more] = Object.keys(fieldsOf(value));
  if (more.length > 0) return undefined;
  switch (kind) {
    case 'jump':
    case 'goto': {
      const { target } = fieldsOf(fieldsOf(value)[kind]);
      if (typeof target !== 'string') return undefined;
      around.checkChain(target);
      return { kind, chain: target };
    }
    case 'return':
    case 'continue':
    case 'accept':
    case 'drop':
      return { kind };
    default:
      return undefined;
  }
}

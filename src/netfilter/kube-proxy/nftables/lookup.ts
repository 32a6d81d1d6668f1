// A set or a map of nft that can be asked: keys as they are listed go in, an answer in one step comes
// out. Prefixes and ranges are tried one by one; kube-proxy has few.
import ipaddr from 'ipaddr.js';
import type { Ip } from '../../../model/ip.ts';
import { parseIp } from '../../../model/ip.ts';

/** How the values of one part of a key are spelled. */
export type Spelling = 'address' | 'protocol' | 'number' | 'name';

/** What a key leads to, with the comment of its element. */
export type Entry<V> = { readonly value: V; readonly comment: string };

export type Lookup<V> = {
  /** Keys without ranges, their parts joined by spaces. */
  readonly exact: ReadonlyMap<string, Entry<V>>;
  readonly ranged: readonly { readonly key: readonly Part[]; readonly entry: Entry<V> }[];
  /** Elements that were not understood: any key that is not found may be among them. */
  readonly unread: readonly string[];
};

/** An entry, none, or that nobody can say. */
export type Found<V> = Entry<V> | 'none' | 'unknown';

type Part =
  | { readonly kind: 'exact' | 'beginning'; readonly text: string }
  | { readonly kind: 'range'; readonly low: bigint; readonly high: bigint };

/** Looks a key up, part by part. */
export function find<V>({ exact, ranged, unread }: Lookup<V>, key: readonly string[]): Found<V> {
  const found = exact.get(key.join(' '));
  if (found !== undefined) return found;
  const near = ranged.find((candidate) =>
    candidate.key.every((part, index) => isIn(part, key[index] ?? '')),
  );
  return near?.entry ?? (unread.length > 0 ? 'unknown' : 'none');
}

function isIn(part: Part, text: string): boolean {
  switch (part.kind) {
    case 'exact':
      return part.text === text;
    case 'beginning':
      return text.startsWith(part.text);
    case 'range': {
      const number = numberOf(text);
      return part.low <= number && number <= part.high;
    }
  }
}

/** Makes a lookup of listed elements; `readValue` answers undefined for what it does not understand. */
export function lookupOf<V>(
  elements: readonly unknown[],
  spellings: readonly Spelling[],
  readValue: (element: unknown) => { key: unknown; value: V } | undefined,
): Lookup<V> {
  const exact = new Map<string, Entry<V>>();
  const ranged: { key: readonly Part[]; entry: Entry<V> }[] = [];
  const unread: string[] = [];
  for (const element of elements) {
    const read = readValue(element);
    const { key, comment } = unwrapped(read?.key);
    const parts = read && partsOf(key, spellings);
    if (read === undefined || parts === undefined) {
      unread.push(JSON.stringify(element));
      continue;
    }
    const entry = { value: read.value, comment };
    const texts = parts.flatMap((part) => (part.kind === 'exact' ? [part.text] : []));
    if (texts.length === parts.length) exact.set(texts.join(' '), entry);
    else ranged.push({ key: parts, entry });
  }
  return { exact, ranged, unread };
}

/** An object of JSON with its fields, or one without any. */
export function fieldsOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

/** What stands in `{"elem": ...}` where an element has more than its key. */
function unwrapped(key: unknown): { key: unknown; comment: string } {
  const { elem } = fieldsOf(key);
  const { val, comment } = fieldsOf(elem);
  return val === undefined
    ? { key, comment: '' }
    : { key: val, comment: typeof comment === 'string' ? comment : '' };
}

function partsOf(key: unknown, spellings: readonly Spelling[]): readonly Part[] | undefined {
  const { concat } = fieldsOf(key);
  const values: readonly unknown[] = Array.isArray(concat) ? concat : [key];
  const parts = spellings.flatMap((spelling, index) => partOf(values[index], spelling) ?? []);
  return values.length === spellings.length && parts.length === spellings.length
    ? parts
    : undefined;
}

function partOf(value: unknown, spelling: Spelling): Part | undefined {
  const text = textOf(value, spelling);
  if (text !== undefined) {
    const isBeginning = spelling === 'name' && text.endsWith('*');
    return isBeginning ? { kind: 'beginning', text: text.slice(0, -1) } : { kind: 'exact', text };
  }
  const { prefix, range } = fieldsOf(value);
  if (prefix !== undefined) return spelling === 'address' ? partOfPrefix(prefix) : undefined;
  if (!Array.isArray(range) || range.length !== 2 || spelling === 'name') return undefined;
  const [low, high] = range.map((end: unknown) => textOf(end, spelling));
  if (low === undefined || high === undefined || spelling === 'protocol') return undefined;
  return { kind: 'range', low: numberOf(low), high: numberOf(high) };
}

/** The one text of a value: the canonical address, the name of a protocol, a decimal number. */
export function textOf(value: unknown, spelling: Spelling): string | undefined {
  switch (spelling) {
    case 'address':
      return typeof value === 'string' ? parseIp(value) : undefined;
    case 'protocol':
      return typeof value === 'string' || typeof value === 'number' ? protocolOf(value) : undefined;
    case 'number':
      return Number.isSafeInteger(value) && Number(value) >= 0 ? String(value) : undefined;
    case 'name':
      return typeof value === 'string' ? value : undefined;
  }
}

// nft lists numbers where the host has no /etc/protocols.
const protocols: Readonly<Record<string, string>> = { 6: 'tcp', 17: 'udp', 132: 'sctp' };

function protocolOf(value: string | number): string {
  return protocols[value] ?? String(value);
}

function partOfPrefix(prefix: unknown): Part | undefined {
  const { addr, len } = fieldsOf(prefix);
  const ip = textOf(addr, 'address');
  if (ip === undefined || !Number.isInteger(len)) return undefined;
  const bits = (ip.includes(':') ? 128 : 32) - Number(len);
  if (bits < 0 || Number(len) < 0) return undefined;
  const low = (numberOf(ip) >> BigInt(bits)) << BigInt(bits);
  return { kind: 'range', low, high: low + (1n << BigInt(bits)) - 1n };
}

function numberOf(text: string): bigint {
  if (/^\d+$/.test(text)) return BigInt(text);
  const bytes = ipaddr.parse(text as Ip).toByteArray();
  return bytes.reduce((number, byte) => (number << 8n) | BigInt(byte), 0n);
}

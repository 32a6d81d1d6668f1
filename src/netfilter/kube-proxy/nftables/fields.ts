// What of a packet an expression of nft looks at, as data, and what it is for a given packet.
import type { Protocol } from '../../../model/kubernetes.ts';
import type { Fraction } from '../fraction.ts';
import type { Walk } from '../walk.ts';
import type { Lookup, Spelling } from './lookup.ts';
import { fieldsOf, find } from './lookup.ts';

/** One part of a key. */
export type Field =
  | { readonly kind: 'source' | 'destination' | 'protocol' | 'in-interface' }
  /** What the client asked for, before it was sent anywhere. */
  | { readonly kind: 'asked-address' | 'asked-port' }
  /** With a protocol: a rule that looks at its port concerns no other packet. */
  | { readonly kind: 'port'; readonly protocol: Protocol | undefined }
  /** The bits of `keep` of the mark, with those of `flip` changed. */
  | { readonly kind: 'mark'; readonly keep: number; readonly flip: number }
  /** A random number below `mod`, with `offset` added. */
  | { readonly kind: 'slot'; readonly mod: number; readonly offset: number };

/** The fields of a key; undefined where one is not understood. */
export function fieldsIn(key: unknown): readonly Field[] | undefined {
  const { concat } = fieldsOf(key);
  const parts: readonly unknown[] = Array.isArray(concat) ? concat : [key];
  const fields = parts.flatMap((part) => fieldIn(part) ?? []);
  const slots = fields.filter(({ kind }) => kind === 'slot');
  return fields.length === parts.length && fields.length > 0 && slots.length <= 1
    ? fields
    : undefined;
}

function fieldIn(part: unknown): Field | undefined {
  const { payload, meta, numgen, ct } = fieldsOf(part);
  if (payload !== undefined) return fieldOfPayload(fieldsOf(payload));
  if (numgen !== undefined) return fieldOfNumgen(fieldsOf(numgen));
  if (ct !== undefined) return fieldOfConntrack(fieldsOf(ct));
  switch (fieldsOf(meta)['key']) {
    case 'l4proto':
      return { kind: 'protocol' };
    case 'iifname':
      return { kind: 'in-interface' };
    default: {
      const bits = bitsOf(part);
      return bits === undefined || typeof part === 'number' ? undefined : { kind: 'mark', ...bits };
    }
  }
}

function fieldOfPayload({ protocol, field }: Readonly<Record<string, unknown>>): Field | undefined {
  if (protocol === 'ip' || protocol === 'ip6') {
    if (field === 'saddr') return { kind: 'source' };
    if (field === 'daddr') return { kind: 'destination' };
    return field === 'protocol' || field === 'nexthdr' ? { kind: 'protocol' } : undefined;
  }
  if (field !== 'dport') return undefined;
  if (protocol === 'th') return { kind: 'port', protocol: undefined };
  const isOurs = protocol === 'tcp' || protocol === 'udp' || protocol === 'sctp';
  return isOurs ? { kind: 'port', protocol } : undefined;
}

function fieldOfConntrack({ key, dir }: Readonly<Record<string, unknown>>): Field | undefined {
  if (dir !== 'original') return undefined;
  if (key === 'ip daddr' || key === 'ip6 daddr') return { kind: 'asked-address' };
  return key === 'proto-dst' ? { kind: 'asked-port' } : undefined;
}

// Every slot is looked up for itself; no Service has more endpoints than a map could name.
const maxSlots = 65_536;

function fieldOfNumgen(numgen: Readonly<Record<string, unknown>>): Field | undefined {
  const { mode, mod, offset = 0 } = numgen;
  const isCount = Number.isSafeInteger(mod) && Number(mod) > 0 && Number(mod) <= maxSlots;
  if (mode !== 'random' || !isCount || !Number.isSafeInteger(offset)) return undefined;
  return { kind: 'slot', mod: Number(mod), offset: Number(offset) };
}

/** How a mark is made from the mark that a packet has: keep these bits, then change those. */
export type Bits = { readonly keep: number; readonly flip: number };

// No rule has more operators than fit into one line.
const maxOperators = 16;

/** The bits of an expression of marks and numbers, such as `mark | 0x4000`. */
export function bitsOf(expression: unknown, depth = 0): Bits | undefined {
  if (typeof expression === 'number') {
    return Number.isInteger(expression) && expression >= 0 && expression <= 0xffff_ffff
      ? { keep: 0, flip: expression }
      : undefined;
  }
  const [operator = '', ...more] = Object.keys(fieldsOf(expression));
  const content = fieldsOf(expression)[operator];
  if (more.length > 0) return undefined;
  if (operator === 'meta') {
    return fieldsOf(content)['key'] === 'mark' ? { keep: 0xffff_ffff, flip: 0 } : undefined;
  }
  if (!Array.isArray(content) || content.length !== 2 || depth >= maxOperators) return undefined;
  const bits = bitsOf(content[0], depth + 1);
  const number: unknown = content[1];
  if (bits === undefined || typeof number !== 'number') return undefined;
  return combined(bits, operator, number);
}

function combined({ keep, flip }: Bits, operator: string, number: number): Bits | undefined {
  switch (operator) {
    case '&':
      return { keep: (keep & number) >>> 0, flip: (flip & number) >>> 0 };
    case '|':
      return { keep: (keep & ~number) >>> 0, flip: ((flip & ~number) | number) >>> 0 };
    case '^':
      return { keep, flip: (flip ^ number) >>> 0 };
    default:
      return undefined;
  }
}

/** A mark with these bits kept and those changed. */
export function markWith(mark: number, { keep, flip }: Bits): number {
  return ((mark & keep) ^ flip) >>> 0;
}

/** How values of a field are spelled in sets. */
export function spellingOf({ kind }: Field): Spelling {
  switch (kind) {
    case 'source':
    case 'destination':
    case 'asked-address':
      return 'address';
    case 'protocol':
      return 'protocol';
    case 'in-interface':
      return 'name';
    case 'port':
    case 'asked-port':
    case 'mark':
    case 'slot':
      return 'number';
  }
}

/** The value of a field; undefined where the packet is of another protocol than the field. */
export function valueOf(
  field: Exclude<Field, { kind: 'slot' }>,
  { packet, destination, port, mark }: Walk,
): string | undefined {
  switch (field.kind) {
    case 'source':
      return packet.source;
    case 'destination':
      return destination;
    case 'asked-address':
      return packet.destination;
    case 'asked-port':
      return String(packet.port);
    case 'protocol':
      return packet.protocol;
    case 'in-interface':
      return packet.interface;
    case 'port':
      return field.protocol === undefined || field.protocol === packet.protocol
        ? String(port)
        : undefined;
    case 'mark':
      return String(markWith(mark, field));
  }
}

/** The share of random numbers that fit; undefined where more than a random number is looked at. */
export function slotShare(
  fields: readonly Field[],
  lookup: Lookup<true>,
  is: boolean,
): Fraction | undefined {
  const [field, ...more] = fields;
  if (field?.kind !== 'slot' || more.length > 0) return undefined;
  let fitting = 0;
  for (let slot = 0; slot < field.mod; slot += 1) {
    const found = find(lookup, [String(slot + field.offset)]);
    if (found === 'unknown') return undefined;
    if ((found !== 'none') === is) fitting += 1;
  }
  return { numerator: BigInt(fitting), denominator: BigInt(field.mod) };
}

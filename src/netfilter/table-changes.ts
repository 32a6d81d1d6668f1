// What the kernel tells of changes in the tables of nftables: messages of objects, and behind those of one
// transaction a message that says who made it. Pure. The numbers are those of linux/netfilter/nfnetlink.h and
// nf_tables.h; the order of bytes is that of the machines that Kubernetes runs on, the small end first, but for
// what the kernel says in the network's.
import type { Family } from '../model/ip.ts';

/** Whose rules a change is of; `maybe`: what was changed is not known, or is not ours alone. */
export type Touch = { readonly family: Family; readonly certainty: Certainty };
export type Certainty = 'sure' | 'maybe';

/**
 * An object that was added, changed or deleted. Names are read when they are asked for: who makes many changes
 * must not cost us much.
 */
export type Change = {
  readonly kind: 'change';
  readonly isDeleted: boolean;
  readonly object: 'table' | 'chain' | 'rule' | 'other';
  readonly family: Family;
  readonly table: string;
  /** The chain, or that of the rule; undefined for other objects. */
  readonly chain: string | undefined;
};

/** What a change says of our rules; undefined where it is about anything else. */
export type TouchOf = (change: Change) => Touch | undefined;

/**
 * Who made a transaction. `pid` is that of the machine, which is not what a process in a pid namespace of its
 * own knows; `process` is the kernel's name for it: up to 15 characters, of any kind.
 */
export type Author = { readonly pid: number; readonly process: string };

/** The end of a transaction; the author is 'unknown' where the kernel does not say. */
export type End = {
  readonly kind: 'end';
  readonly author: Author | 'unknown';
  /** The number of the transaction in its network namespace: each has that of the one before and 1, but never 0. */
  readonly generation: number | undefined;
};

const headerLength = 16;
// Behind the header: family, version, resource.
const prefaceLength = 4;
const attributeHeaderLength = 4;

const nfTables = 10;
const newGeneration = 15;

type Kind = Pick<Change, 'object' | 'isDeleted'> & {
  /** The attribute with the name of the chain. */
  readonly chainAt?: number;
};

// NFT_MSG_*; what is DESTROY for who asks is told with its own numbers by newer kernels.
const kinds: ReadonlyMap<number, Kind> = new Map<number, Kind>([
  [0, { object: 'table', isDeleted: false }],
  [2, { object: 'table', isDeleted: true }],
  [26, { object: 'table', isDeleted: true }],
  [3, { object: 'chain', isDeleted: false, chainAt: 3 }],
  [5, { object: 'chain', isDeleted: true, chainAt: 3 }],
  [27, { object: 'chain', isDeleted: true, chainAt: 3 }],
  [6, { object: 'rule', isDeleted: false, chainAt: 2 }],
  [8, { object: 'rule', isDeleted: true, chainAt: 2 }],
  [28, { object: 'rule', isDeleted: true, chainAt: 2 }],
]);
const otherKind: Kind = { object: 'other', isDeleted: false };

const families: ReadonlyMap<number, Family> = new Map([
  [2, 'IPv4'],
  [10, 'IPv6'],
]);

// The name of the table is the first attribute of every object.
const tableAt = 1;
const generationAt = 1;
const pidAt = 2;
const processAt = 3;

/**
 * The messages in what was read at once, in order; those of other families and subsystems are left out, as is
 * what follows one that is cut off. They are good for as long as the bytes are.
 */
export function* messagesIn(bytes: Buffer): Generator<Change | End> {
  for (let start = 0; start + headerLength + prefaceLength <= bytes.length;) {
    const length = bytes.readUInt32LE(start);
    if (length < headerLength + prefaceLength || start + length > bytes.length) return;
    const message = messageIn({ bytes, start, end: start + length });
    if (message !== undefined) yield message;
    start += aligned(length);
  }
}

/** A part of what was read: others may make so many that none is copied. */
type Span = { readonly bytes: Buffer; readonly start: number; readonly end: number };

function messageIn(span: Span): Change | End | undefined {
  const { bytes, start } = span;
  const [type, subsystem] = [bytes[start + 4] ?? 0, bytes[start + 5]];
  if (subsystem !== nfTables) return undefined;
  if (type === newGeneration) {
    return { kind: 'end', author: authorIn(span), generation: numberIn(span, generationAt) };
  }
  const family = families.get(bytes[start + headerLength] ?? 0);
  if (family === undefined) return undefined;
  return new ChangeInBytes(span, kinds.get(type) ?? otherKind, family);
}

class ChangeInBytes implements Change {
  readonly kind = 'change';
  readonly family: Family;
  readonly #span: Span;
  readonly #kind: Kind;

  constructor(span: Span, kind: Kind, family: Family) {
    this.#span = span;
    this.#kind = kind;
    this.family = family;
  }

  get object(): Change['object'] {
    return this.#kind.object;
  }

  get isDeleted(): boolean {
    return this.#kind.isDeleted;
  }

  get table(): string {
    return textIn(this.#span, tableAt) ?? '';
  }

  get chain(): string | undefined {
    const { chainAt } = this.#kind;
    return chainAt === undefined ? undefined : textIn(this.#span, chainAt);
  }
}

function authorIn(span: Span): Author | 'unknown' {
  const pid = numberIn(span, pidAt);
  return pid === undefined ? 'unknown' : { pid, process: textIn(span, processAt) ?? '' };
}

function numberIn(span: Span, wanted: number): number | undefined {
  const value = attributeIn(span, wanted);
  if (value === undefined || value.end - value.start !== 4) return undefined;
  return value.bytes.readUInt32BE(value.start);
}

function textIn(span: Span, wanted: number): string | undefined {
  const value = attributeIn(span, wanted);
  if (value === undefined) return undefined;
  const { bytes, start } = value;
  let end = start;
  while (end < value.end && bytes[end] !== 0) end += 1;
  return bytes.toString('utf8', start, end);
}

// Above are flags.
const attributeTypes = 0x3fff;

function attributeIn({ bytes, start, end }: Span, wanted: number): Span | undefined {
  let at = start + headerLength + prefaceLength;
  while (at + attributeHeaderLength <= end) {
    const length = bytes.readUInt16LE(at);
    if (length < attributeHeaderLength || at + length > end) return undefined;
    if ((bytes.readUInt16LE(at + 2) & attributeTypes) === wanted) {
      return { bytes, start: at + attributeHeaderLength, end: at + length };
    }
    at += aligned(length);
  }
  return undefined;
}

function aligned(length: number): number {
  return (length + 3) & ~3;
}

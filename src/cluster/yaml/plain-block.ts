// Reads YAML as programs write most of it, a line for a field, many times faster than the parser for all
// of YAML: text in, its value out, or undefined where anything in it needs that parser. What it reads it
// reads as that one does; a test compares them.
import { plainValue } from './scalar.ts';

/** The value of a document, and the 1-based line at which it starts. */
export type PlainDocument = {
  readonly value: Readonly<Record<string, unknown>>;
  readonly line: number;
};

const newline = 10;
const space = 32;
const quote = 34;
const hash = 35;
const apostrophe = 39;
const dash = 45;
const dot = 46;
const colon = 58;
const maxDepth = 100;

/** Letters, digits and what stands in the names of labels: all of it means itself in a key. */
const isInKey = new Uint8Array(128);
for (const character of 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_./:-') {
  isInKey[character.charCodeAt(0)] = 1;
}

/** The map that the text stands for, if it is one document of block maps, block lists and scalars. */
export function plainBlock(text: string): PlainDocument | undefined {
  if (!/^[\n\x20-\x7e]*$/.test(text)) return undefined;
  return new PlainBlock(text).document();
}

/** Invariant: #at is in the line that comes next, #indent columns in; at the end #indent is -1. */
class PlainBlock {
  readonly #text: string;
  #at = 0;
  #indent = -1;
  #line = 1;

  constructor(text: string) {
    this.#text = text;
  }

  document(): PlainDocument | undefined {
    if (this.#text.startsWith('---\n')) this.#at = '---'.length;
    this.#nextLine();
    const line = this.#line;
    const value = this.#map(this.#indent, 0);
    return value === undefined || this.#indent !== -1 ? undefined : { value, line };
  }

  #code(): number {
    return this.#text.charCodeAt(this.#at);
  }

  #isAtEndOfLine(): boolean {
    return this.#at >= this.#text.length || this.#code() === newline;
  }

  /** Goes from the start of the text, or the end of a line, to the next line with anything in it. */
  #nextLine(): void {
    const text = this.#text;
    let at = this.#at;
    for (;;) {
      if (at >= text.length) break;
      if (text.charCodeAt(at) === newline) {
        at++;
        this.#line++;
      }
      const start = at;
      while (text.charCodeAt(at) === space) at++;
      const code = text.charCodeAt(at);
      if (code === hash) {
        const end = text.indexOf('\n', at);
        at = end === -1 ? text.length : end;
      } else if (code !== newline && at < text.length) {
        this.#at = at;
        this.#indent = at - start;
        return;
      }
    }
    this.#at = text.length;
    this.#indent = -1;
  }

  #map(indent: number, depth: number): Record<string, unknown> | undefined {
    const map: Record<string, unknown> = {};
    do {
      const key = this.#key();
      if (key === undefined || Object.hasOwn(map, key)) return undefined;
      const value = this.#isAtEndOfLine() ? this.#below(indent, depth) : this.#beside();
      if (value === undefined) return undefined;
      map[key] = value;
    } while (this.#indent === indent);
    return map;
  }

  /** What stands below a key at the end of its line; lists may be as far to the left as the key is. */
  #below(indent: number, depth: number): unknown {
    this.#nextLine();
    const isDeeper = this.#indent > indent;
    if (this.#isAtDash()) {
      return isDeeper || this.#indent === indent ? this.#list(this.#indent, depth + 1) : null;
    }
    if (!isDeeper) return null;
    return depth < maxDepth ? this.#map(this.#indent, depth + 1) : undefined;
  }

  /** A scalar in what is left of the line, and then the next line: a deeper one fits nowhere. */
  #beside(): unknown {
    const value = this.#scalar();
    this.#nextLine();
    return value;
  }

  #list(indent: number, depth: number): unknown[] | undefined {
    if (depth > maxDepth) return undefined;
    const list: unknown[] = [];
    do {
      const start = this.#at;
      this.#at++;
      while (this.#code() === space) this.#at++;
      const column = indent + this.#at - start;
      const entry = this.#at;
      const isMap = this.#key() !== undefined;
      this.#at = entry;
      const value = isMap ? this.#map(column, depth + 1) : this.#beside();
      if (value === undefined) return undefined;
      list.push(value);
    } while (this.#indent === indent && this.#isAtDash());
    return list;
  }

  #isAtDash(): boolean {
    return this.#code() === dash && this.#text.charCodeAt(this.#at + 1) === space;
  }

  /** The key that the line goes on with, up to its value or the end of the line. */
  #key(): string | undefined {
    const text = this.#text;
    const start = this.#at;
    const first = text.charCodeAt(start) | 0x20;
    if ((first < 0x61 || first > 0x7a) && text.charCodeAt(start) !== dot) return undefined;
    for (let at = start; isInKey[text.charCodeAt(at)] === 1; at++) {
      if (text.charCodeAt(at) !== colon) continue;
      const after = text.charCodeAt(at + 1);
      if (after !== space && after !== newline && at + 1 < text.length) continue;
      const key = text.slice(start, at);
      this.#at = at + 1;
      while (this.#code() === space) this.#at++;
      // Blanks at the end of a line are for the whole parser.
      if (this.#at > at + 1 && this.#isAtEndOfLine()) return undefined;
      return typeof plainValue(key) === 'string' ? key : undefined;
    }
    return undefined;
  }

  #scalar(): unknown {
    const text = this.#text;
    const start = this.#at;
    const lineEnd = text.indexOf('\n', start);
    const end = lineEnd === -1 ? text.length : lineEnd;
    this.#at = end;
    const first = text.charCodeAt(start);
    if (first === quote || first === apostrophe) {
      const inside = text.slice(start + 1, end - 1);
      const isClosed = end - 1 > start && text.charCodeAt(end - 1) === first;
      return isClosed && !/["'\\]/.test(inside) ? inside : undefined;
    }
    const plain = text.slice(start, end);
    if (plain === '[]') return [];
    if (plain === '{}') return {};
    return /^[A-Za-z0-9]/.test(plain) && !/: |:$| #| $/.test(plain) ? plainValue(plain) : undefined;
  }
}

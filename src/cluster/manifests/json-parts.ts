// Cuts JSON into the texts that are parsed one at a time, so that a whole cluster in one List is never in
// memory as one value: text in, texts out.
import { lineCounter } from '../yaml/walk-document.ts';
import { isList } from './listed-objects.ts';

/** The text of a value, valid, and the 1-based line on which it begins. */
export type JsonPart = { readonly text: string; readonly line: number };

/** A document of JSON. */
export type JsonParts = {
  /** The fields of the List whose items the parts are; undefined where the one part is the document. */
  readonly list: object | undefined;
  readonly parts: readonly JsonPart[];
};

// As js-yaml has it; no object of Kubernetes is nested nearly as deep.
const maxDepth = 100;

/**
 * The parts of a document of JSON. Undefined for other text, for an object that has a key twice, of which
 * one would get lost, and for what is nested more than 100 deep.
 */
export function jsonPartsOf(text: string): JsonParts | undefined {
  const scan = scanned(text);
  if (scan === undefined) return undefined;
  try {
    const { keys, ...parts } = listIn(text, scan.marks) ?? wholeOf(text);
    return keys === scan.keys ? parts : undefined;
  } catch (error) {
    if (error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Parts, and how many keys their values have: fewer than are written where one is written twice. */
type Counted = JsonParts & { readonly keys: number };

function wholeOf(text: string): Counted {
  const { keys, ...part } = partIn(text);
  return { list: undefined, parts: [part], keys };
}

/** The List cut at its marks; undefined where the text is no List. Throws SyntaxError where it is no JSON. */
function listIn(text: string, marks: readonly number[]): Counted | undefined {
  const [start, ...ends] = marks;
  const end = ends.at(-1);
  if (start === undefined || end === undefined || text[start] !== '[') return undefined;
  const list: unknown = JSON.parse(`${text.slice(0, start)}[]${text.slice(end + 1)}`);
  if (!isList(list)) return undefined;
  const parts: JsonPart[] = [];
  let keys = keyCount(list);
  const lineAt = lineCounter(text);
  const isEmpty = ends.length === 1 && firstInk(text.slice(start + 1, end)) === -1;
  for (const [index, to] of isEmpty ? [] : ends.entries()) {
    const from = (marks[index] as number) + 1;
    const { keys: more, text: part } = partIn(text.slice(from, to));
    keys += more;
    parts.push({ text: part, line: lineAt(to - part.length) });
  }
  return { list, parts, keys };
}

/**
 * The value that the text is. It is parsed here and by the caller again: until the last part of a List
 * is, nobody knows whether the List is JSON. Throws SyntaxError.
 */
function partIn(text: string): JsonPart & { readonly keys: number } {
  const start = Math.max(firstInk(text), 0);
  const part = text.slice(start);
  return { text: part, line: lineCounter(text)(start), keys: keyCount(JSON.parse(part)) };
}

/** Where something other than the space that JSON knows begins, or -1. */
function firstInk(text: string): number {
  return text.search(/[^ \t\n\r]/);
}

type Scan = {
  /** Where what is in the field `items` of the root opens, is divided by commas, and closes. */
  readonly marks: readonly number[];
  /** How many keys are written. */
  readonly keys: number;
};

const closers: Readonly<Record<string, string>> = { '{': '}', '[': ']' };

/** What JSON has; of other text anything, or undefined. Undefined for what is nested too deep. */
function scanned(text: string): Scan | undefined {
  const marks: number[] = [];
  const awaited: string[] = [];
  let keys = 0;
  let [wordStart, wordEnd] = [0, 0];
  let isInItems = false;
  for (let at = 0; at < text.length; at++) {
    const char = text.charAt(at);
    switch (char) {
      case '"':
        wordStart = at + 1;
        at = wordEnd = endOfString(text, wordStart);
        break;
      case ':':
        keys++;
        if (awaited.length === 1) isInItems = text.slice(wordStart, wordEnd) === 'items';
        break;
      case '{':
      case '[':
        awaited.push(closers[char] ?? '');
        if (awaited.length > maxDepth) return undefined;
        if (isInItems && awaited.length === 2) marks.push(at);
        break;
      case ',':
        if (isInItems && awaited.length === 2) marks.push(at);
        break;
      case '}':
      case ']':
        if (awaited.pop() !== char) return undefined;
        if (awaited.length > 1 || !isInItems) break;
        if (awaited.length === 1) marks.push(at);
        isInItems = false;
    }
  }
  return { marks, keys };
}

/** Where the quote is that ends the string, or the end of the text. */
function endOfString(text: string, from: number): number {
  let at = from;
  for (; at < text.length && text.charAt(at) !== '"'; at++) if (text.charAt(at) === '\\') at++;
  return at;
}

function keyCount(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  let count = Array.isArray(value) ? 0 : Object.keys(value).length;
  for (const field of Object.values(value)) count += keyCount(field);
  return count;
}

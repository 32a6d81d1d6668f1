// Cuts the JSON of a List into its items, so that a whole cluster in one file never stands in memory as
// one value: bytes in, the bounds of the items out. One walk finds them, as all marks of JSON are ASCII.
import { parseJson } from './parse-json.ts';
import { isObject, type Loose } from './listed-objects.ts';

/** Where the items of a List stand, and the rest of it. */
export type JsonItems = {
  /** The List, with no items. */
  readonly list: Loose;
  /** For each item its start, its end (exclusive) and the 1-based line of its start. */
  readonly bounds: readonly (readonly [start: number, end: number, line: number])[];
};

const tab = 9;
const newline = 10;
const carriageReturn = 13;
const space = 32;
const quote = 34;
const comma = 44;
const colon = 58;
const openBracket = 91;
const backslash = 92;
const closeBracket = 93;
const openBrace = 123;
const closeBrace = 125;

/**
 * The items of the List that the bytes are, or undefined where they are anything else. What is
 * between the bounds has yet to be parsed: the whole is JSON if all of the items are.
 */
export function itemsInJson(bytes: Buffer): JsonItems | undefined {
  const found = lastItems(bytes);
  if (found === undefined) return undefined;
  const list = parseJson(
    `${bytes.toString('utf8', 0, found.start)}[]${bytes.toString('utf8', found.end)}`,
  );
  return isObject(list) && Array.isArray(list['items'])
    ? { list, bounds: found.bounds }
    : undefined;
}

type Found = { readonly start: number; readonly end: number; readonly bounds: JsonItems['bounds'] };

/** The list that is the value of the last `items` of the object that the bytes are: the one that counts. */
function lastItems(bytes: Buffer): Found | undefined {
  let found: Found | undefined;
  let depth = 0;
  let line = 1;
  let key = '';
  let isValue = false;
  // Of the list that is being read: where it starts, and its items so far.
  let start = -1;
  let bounds: [start: number, end: number, line: number][] = [];
  let itemStart = -1;
  let itemLine = 1;
  for (let at = 0; at < bytes.length; at++) {
    const code = bytes[at] as number;
    if (code === newline) line++;
    if (code === space || code === newline || code === carriageReturn || code === tab) continue;
    if (start !== -1 && itemStart === -1 && code !== closeBracket) {
      itemStart = at;
      itemLine = line;
    }
    switch (code) {
      case quote: {
        const end = endOfString(bytes, at);
        if (depth === 1 && !isValue) key = bytes.toString('utf8', at, end + 1);
        at = end;
        break;
      }
      case openBrace:
      case openBracket:
        if (depth === 0 && code === openBracket) return undefined;
        depth++;
        if (depth !== 2 || !isValue || code !== openBracket || parseJson(key) !== 'items') break;
        start = at;
        bounds = [];
        break;
      case closeBrace:
      case closeBracket:
        depth--;
        if (depth !== 1 || start === -1) break;
        if (itemStart !== -1) bounds.push([itemStart, at, itemLine]);
        // A comma after the last item, or another bracket than the list was opened with.
        else if (bounds.length > 0) return undefined;
        if (code !== closeBracket) return undefined;
        found = { start, end: at + 1, bounds };
        start = itemStart = -1;
        break;
      case colon:
        if (depth === 1) isValue = true;
        break;
      case comma:
        if (depth === 1) isValue = false;
        if (depth !== 2 || start === -1) break;
        bounds.push([itemStart, at, itemLine]);
        itemStart = -1;
        break;
    }
  }
  return found;
}

/** Where the string that starts at `start` has its closing quote, or the end where it has none. */
function endOfString(bytes: Buffer, start: number): number {
  let at = start + 1;
  while (at < bytes.length && bytes[at] !== quote) at += bytes[at] === backslash ? 2 : 1;
  return at;
}

// Cuts the text of a manifest into documents and parses each: text in, plain values and a way to find
// the line of any field out. What the values mean is the decoders' business.
import { EVENT_ID } from 'js-yaml';
import type { Path } from '../problem.ts';
import { parseYaml, yamlEvents } from '../yaml/parse-yaml.ts';
import { plainBlock } from '../yaml/plain-block.ts';
import { itemsInJson } from './json-items.ts';
import { linesInJson } from './json-lines.ts';
import { parseJson } from './parse-json.ts';
import {
  inheritedFrom,
  listedObjects,
  withInherited,
  type ListedObject,
} from './listed-objects.ts';
import { linesInYaml } from './yaml-lines.ts';

const newline = 10;
const percent = 37;
const openBracket = 91;
const openBrace = 123;
const byteOrderMark = Buffer.from('\uFEFF');

/** A piece of a file that parses on its own, and the 1-based line at which it starts. */
export type Chunk = { readonly bytes: Buffer; readonly startLine: number };

/** One document, or one item of a List; lines are 1-based and count from the start of its chunk. */
export type RawDocument = {
  readonly objects: readonly ListedObject[];
  /** For each path the line of its value, else of the nearest list entry around it, else of the root. */
  readonly linesOf: (paths: readonly Path[]) => readonly number[];
};

/** Text that is neither YAML nor JSON. */
export type SyntaxProblem = { readonly line: number; readonly message: string };

/**
 * The chunks of a file: its documents, so that an edit of one needs no parse of the others. They are cut
 * from the bytes: a text would stand in memory beside them, for as long as any part of it is kept.
 */
export function* chunksOf(file: Buffer): Generator<Chunk> {
  let start = file.indexOf(byteOrderMark) === 0 ? byteOrderMark.length : 0;
  // Directives belong to the document after them, so such a file stays in one piece, as JSON does.
  const hasDirectives = file[start] === percent || file.includes('\n%');
  const isWhole = hasDirectives || looksLikeJson(file.subarray(start));
  let startLine = 1;
  while (start < file.length) {
    const end = isWhole ? file.length : nextDocument(file, start);
    yield { bytes: file.subarray(start, end), startLine };
    startLine += newlinesIn(file, start, end);
    start = end;
  }
}

/** Where the next line with `---` begins, or the end of the file. */
function nextDocument(file: Buffer, start: number): number {
  for (let at = start; ; at++) {
    at = file.indexOf('\n---', at);
    if (at === -1) return file.length;
    const after = file[at + '\n---'.length];
    if (after === undefined || isSpace(after)) return at + 1;
  }
}

function newlinesIn(file: Buffer, start: number, end: number): number {
  // What comes after the last chunk has no line.
  if (end === file.length) return 0;
  let count = 0;
  for (let at = start; at < end; at++) if (file[at] === newline) count++;
  return count;
}

/** What `read` makes of the documents of a chunk, or the first thing that is wrong with its syntax. */
export function readDocuments<T>(
  bytes: Buffer,
  read: (document: RawDocument) => readonly T[],
): readonly T[] | SyntaxProblem {
  const isJson = looksLikeJson(bytes);
  const items = isJson ? readItems(bytes, read) : undefined;
  if (items !== undefined) return items;
  const text = bytes.toString('utf8');
  if (isJson) {
    const value = parseJson(text);
    if (value !== undefined) {
      return read({
        objects: listedObjects(value),
        linesOf: (paths) => linesInJson(text, paths),
      });
    }
  }
  return readYaml(text, read);
}

/** One item after the other: all of them as values would take many times the memory of the text. */
function readItems<T>(
  bytes: Buffer,
  read: (document: RawDocument) => readonly T[],
): readonly T[] | undefined {
  const found = itemsInJson(bytes);
  const inherited = found && inheritedFrom(found.list);
  if (found === undefined || inherited === undefined) return undefined;
  const all: T[] = [];
  for (const [start, end, line] of found.bounds) {
    const itemText = bytes.toString('utf8', start, end);
    const item = parseJson(itemText);
    if (item === undefined) return undefined;
    const value = withInherited(item, inherited);
    const result = read({
      objects: value === null ? [{ path: [], value }] : listedObjects(value),
      linesOf: (paths) => linesInJson(itemText, paths).map((inItem) => inItem + line - 1),
    });
    for (const one of result) all.push(one);
  }
  return all;
}

function readYaml<T>(
  text: string,
  read: (document: RawDocument) => readonly T[],
): readonly T[] | SyntaxProblem {
  const plain = plainBlock(text);
  if (plain !== undefined) {
    const { value, line } = plain;
    return read({
      objects: listedObjects(value),
      // Of most documents only the line of the object is asked for.
      linesOf: (paths) =>
        paths.every(({ length }) => length === 0)
          ? paths.map(() => line)
          : linesInYaml({ text, events: yamlEvents(text), from: 0 }, paths),
    });
  }
  const parsed = parseYaml(text);
  if ('message' in parsed) return parsed;
  const { values, events } = parsed;
  const all: T[] = [];
  let next = 0;
  for (const value of values) {
    while (events[next]?.type !== EVENT_ID.DOCUMENT) next++;
    const source = { text, events, from: next++ };
    const result = read({
      objects: listedObjects(value),
      linesOf: (paths) => linesInYaml(source, paths),
    });
    for (const one of result) all.push(one);
  }
  return all;
}

function looksLikeJson(bytes: Buffer): boolean {
  const first = bytes.find((byte) => !isSpace(byte));
  return first === openBracket || first === openBrace;
}

function isSpace(byte: number): boolean {
  return byte === 32 || (byte >= 9 && byte <= 13);
}

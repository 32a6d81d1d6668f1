// Cuts the text of a manifest into documents and parses each: text in, plain values and a way to find
// the line of any field out. What the values mean is the decoders' business.
import { LineCounter, parseAllDocuments, type Document, type ParsedNode } from 'yaml';
import { linesInJson } from './json-lines.ts';
import type { Path } from '../problem.ts';

/** A piece of a file that parses on its own, and the 1-based line at which it starts. */
export type Chunk = { readonly text: string; readonly startLine: number };

/** One document; lines are 1-based and count from the start of its chunk. */
export type RawDocument = {
  readonly value: unknown;
  /** For each path the line of its value, else of the nearest list entry around it, else of the root. */
  readonly linesOf: (paths: readonly Path[]) => readonly number[];
};

/** Text that is neither YAML nor JSON. */
export type SyntaxProblem = { readonly line: number; readonly message: string };

type ParsedDocument = Document.Parsed<ParsedNode>;

// Enough for any manifest written by hand; a "billion laughs" needs millions.
const maxAliases = 1000;

/** The chunks of a file: its documents, so that an edit of one needs no parse of the others. */
export function chunksOf(text: string): readonly Chunk[] {
  const clean = text.startsWith('\uFEFF') ? text.slice(1) : text;
  // Directives belong to the document after them, so such a file stays in one piece, as JSON does.
  if (/^%/m.test(clean) || looksLikeJson(clean)) return [{ text: clean, startLine: 1 }];
  let startLine = 1;
  return clean.split(/^(?=---(?:\s|$))/m).map((piece) => {
    const chunk = { text: piece, startLine };
    startLine += piece.split('\n').length - 1;
    return chunk;
  });
}

/** The documents of a chunk, or the first thing that is wrong with its syntax. */
export function documentsOf(text: string): readonly RawDocument[] | SyntaxProblem {
  const json = parseJson(text);
  if (json !== undefined) {
    return [{ value: json.value, linesOf: (paths) => linesInJson(text, paths) }];
  }
  const lines = new LineCounter();
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: lines,
      merge: true,
      prettyErrors: false,
    });
    const documents: readonly ParsedDocument[] = 'empty' in parsed ? [] : parsed;
    const error = documents.flatMap((document) => document.errors)[0];
    if (error !== undefined) {
      return { line: lines.linePos(error.pos[0]).line, message: reasonOf(error) };
    }
    return documents.map((document) => rawDocument(document, lines));
  } catch (error) {
    // Aliases without an anchor, or more of them than the bound, or deeper than the stack.
    if (error instanceof ReferenceError || error instanceof RangeError) {
      return { line: 1, message: reasonOf(error) };
    }
    throw error;
  }
}

function rawDocument(document: ParsedDocument, lines: LineCounter): RawDocument {
  return {
    value: document.toJS({ maxAliasCount: maxAliases }) as unknown,
    linesOf: (paths) => paths.map((path) => lineInYaml(document, path, lines)),
  };
}

function lineInYaml(document: ParsedDocument, path: Path, lines: LineCounter): number {
  for (let length = path.length; length >= 0; length--) {
    const isWanted = length === path.length || length === 0 || typeof path[length - 1] === 'number';
    const offset = isWanted ? offsetOf(document, path.slice(0, length)) : undefined;
    if (offset !== undefined) return lines.linePos(offset).line;
  }
  return 1;
}

function offsetOf(document: ParsedDocument, path: Path): number | undefined {
  const node = path.length === 0 ? document.contents : document.getIn(path, true);
  const range = (node as { range?: readonly number[] | null } | null | undefined)?.range;
  return range?.[0];
}

/** The value of JSON text, or undefined where the text is something else; YAML reads that. */
function parseJson(text: string): { readonly value: unknown } | undefined {
  if (!looksLikeJson(text)) return undefined;
  try {
    return { value: JSON.parse(text) as unknown };
  } catch {
    return undefined;
  }
}

function looksLikeJson(text: string): boolean {
  return /^\s*[[{]/.test(text);
}

function reasonOf({ message }: Error): string {
  if (message.startsWith('Maximum call stack')) return 'nested too deeply';
  return message.split('\n')[0] ?? '';
}

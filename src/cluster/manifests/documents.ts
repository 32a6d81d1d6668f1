// Cuts the text of a manifest into documents and parses each: text in, plain values and a way to find
// the line of any field out. What the values mean is the decoders' business.
import { parseEvents } from 'js-yaml';
import type { Path } from '../problem.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import type { YamlDocument } from '../yaml/walk-document.ts';
import { fieldLines } from './field-lines.ts';
import { listedObjects, type ListedObject } from './listed-objects.ts';

/** The objects of one document. */
export type RawDocument = {
  readonly kind: 'document';
  readonly objects: readonly ListedObject[];
  /** For each path the 1-based line of its value, else of the nearest list entry around it, else of the root. */
  readonly linesOf: (paths: readonly Path[]) => readonly number[];
};

/** Text that is neither YAML nor JSON; the line is 1-based. */
export type SyntaxProblem = {
  readonly kind: 'syntax';
  readonly line: number;
  readonly message: string;
};

/**
 * The documents of a file, one after the other: all of them at once would take twenty times the memory of
 * the text. Ends with the first thing that is wrong with the syntax.
 */
export function* documentsIn(text: string): Generator<RawDocument | SyntaxProblem> {
  // Directives belong to the document after them, so such a file stays in one piece.
  const pieces = /^%/m.test(text) ? [text] : text.split(/^(?=---(?:\s|$))/m);
  let linesBefore = 0;
  for (const piece of pieces) {
    for (const document of documentsOfPiece(piece)) {
      yield movedDown(document, linesBefore);
      if (document.kind === 'syntax') return;
    }
    linesBefore += piece.split('\n').length - 1;
  }
}

function movedDown<T extends RawDocument | SyntaxProblem>(document: T, by: number): T {
  if (by === 0) return document;
  if (document.kind === 'syntax') return { ...document, line: document.line + by };
  const { linesOf } = document;
  return { ...document, linesOf: (paths) => linesOf(paths).map((line) => line + by) };
}

function* documentsOfPiece(text: string): Generator<RawDocument | SyntaxProblem> {
  const json = /^\s*[[{]/.test(text) ? parseJson(text) : undefined;
  if (json !== undefined) {
    yield {
      kind: 'document',
      objects: listedObjects(json),
      linesOf: (paths) => jsonLines(text, paths),
    };
    return;
  }
  const parsed = parseYaml(text);
  if ('message' in parsed) yield { kind: 'syntax', ...parsed };
  else {
    for (const [index, value] of parsed.values.entries()) {
      const document: YamlDocument = { text, events: parsed.events, index };
      yield {
        kind: 'document',
        objects: listedObjects(value),
        linesOf: (paths) => fieldLines(document, paths),
      };
    }
  }
}

/** What the text stands for, or undefined, which no JSON stands for, where it is no JSON. */
function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

// The positions of all values take twenty times the memory of the text.
const longestPlacedJson = 4 * 1024 * 1024;

// JSON is YAML, and only the parser for YAML says where a value is. In a longer text, and in one that is
// nested deeper than that parser goes, everything has the line of the document.
function jsonLines(text: string, paths: readonly Path[]): readonly number[] {
  const rootLine = text.slice(0, text.search(/\S/)).split('\n').length;
  if (text.length > longestPlacedJson) return paths.map(() => rootLine);
  try {
    return fieldLines({ text, events: parseEvents(text, {}), index: 0 }, paths);
  } catch {
    return paths.map(() => rootLine);
  }
}

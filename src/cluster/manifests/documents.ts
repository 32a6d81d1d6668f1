// Cuts the text of a manifest into documents and parses each: text in, plain values and a way to find
// the line of any field out. What the values mean is the decoders' business.
import { parseEvents } from 'js-yaml';
import type { Path } from '../problem.ts';
import { parseYaml } from '../yaml/parse-yaml.ts';
import { lineCounter, type YamlDocument } from '../yaml/walk-document.ts';
import { fieldLines } from './field-lines.ts';
import { jsonPartsOf, type JsonPart, type JsonParts } from './json-parts.ts';
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
    linesBefore += lineCounter(piece)(piece.length) - 1;
  }
}

function movedDown<T extends RawDocument | SyntaxProblem>(document: T, by: number): T {
  if (by === 0) return document;
  if (document.kind === 'syntax') return { ...document, line: document.line + by };
  const { linesOf } = document;
  return { ...document, linesOf: (paths) => linesOf(paths).map((line) => line + by) };
}

function* documentsOfPiece(text: string): Generator<RawDocument | SyntaxProblem> {
  const json = /^\s*[[{]/.test(text) ? jsonPartsOf(text) : undefined;
  const comment = json === undefined ? commentProblem(text) : undefined;
  if (comment !== undefined) yield { kind: 'syntax', ...comment };
  else yield* json === undefined ? documentsOfYaml(text) : documentsOfJson(json);
}

/** Each item of a List as a document of its own. */
function* documentsOfJson({ list, parts }: JsonParts): Generator<RawDocument> {
  for (const part of parts) {
    const value: unknown = JSON.parse(part.text);
    if (list === undefined) {
      const linesOf = (paths: readonly Path[]): readonly number[] => jsonLines(part, paths);
      yield { kind: 'document', objects: listedObjects(value), linesOf };
    } else {
      yield {
        kind: 'document',
        objects: listedObjects({ ...list, items: [value] }),
        linesOf: (paths) =>
          jsonLines(
            part,
            paths.map((path) => path.slice(itemPathLength)),
          ),
      };
    }
  }
}

/** That of `['items', 0]`. */
const itemPathLength = 2;

function* documentsOfYaml(text: string): Generator<RawDocument | SyntaxProblem> {
  const parsed = parseYaml(text);
  if ('message' in parsed) {
    yield { kind: 'syntax', ...(templateProblem(text) ?? parsed) };
    return;
  }
  for (const [index, value] of parsed.values.entries()) {
    const document: YamlDocument = { text, events: parsed.events, index };
    yield {
      kind: 'document',
      objects: listedObjects(value),
      linesOf: (paths) => fieldLines(document, paths),
    };
  }
}

// The parser's complaint about a template would lead nowhere.
function templateProblem(text: string): LineMessage | undefined {
  const line = lineOf(text, /\{\{.*\}\}/);
  const message = 'has {{ }}: this is a template, such as of a Helm chart; render it first';
  return line === 0 ? undefined : { line, message };
}

// As YAML, a comment in JSON would be a part of the key after it.
function commentProblem(text: string): LineMessage | undefined {
  if (!/^(?:\s|\/\/.*|\/\*[\s\S]*?\*\/)*[[{]/.test(text)) return undefined;
  const line = lineOf(text.replaceAll(/"(?:[^"\\\n]|\\.)*"/g, '""'), /(?:^|[\s,{}[\]])\/[/*]/);
  return line === 0 ? undefined : { line, message: 'has a comment, which JSON cannot have' };
}

type LineMessage = Pick<SyntaxProblem, 'line' | 'message'>;

/** The first 1-based line that matches; 0 where none does. */
function lineOf(text: string, pattern: RegExp): number {
  return text.split('\n').findIndex((line) => pattern.test(line)) + 1;
}

// The positions of all values take twenty times the memory of the text. No object is as large: etcd takes 1.5 MiB.
const longestPlacedJson = 4 * 1024 * 1024;

// JSON is YAML, and only the parser for YAML says where a value is.
function jsonLines({ text, line }: JsonPart, paths: readonly Path[]): readonly number[] {
  if (text.length > longestPlacedJson || paths.every(({ length }) => length === 0)) {
    return paths.map(() => line);
  }
  const lines = fieldLines({ text, events: parseEvents(text, {}), index: 0 }, paths);
  return lines.map((lineInText) => line + lineInText - 1);
}

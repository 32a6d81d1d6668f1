// Reads the text of one manifest file: text in, its objects with their lines and problems out. Pure; text
// that was read before is taken from what is known.
import { hash } from 'node:crypto';
import {
  chunksOf,
  readDocuments,
  type Chunk,
  type RawDocument,
  type SyntaxProblem,
} from './documents.ts';
import { keptObject, type Words } from './kept-object.ts';
import { decodeObject, isReadKind } from '../decode-object.ts';
import { printable, quoted, type Decoded, type Path } from '../problem.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';

/** What is wrong at a line of a file. */
export type LineProblem = {
  readonly line: number;
  readonly field: string;
  readonly message: string;
};

/** One object of a file; kinds that a Service proxy never reads leave no entry. */
export type Entry = {
  /** `Service default/web`, by which a later version replaces it; undefined where it cannot be known. */
  readonly key: string | undefined;
  /** How messages name it. */
  readonly label: string;
  readonly line: number;
  /** Undefined where the object is bad, or valid but nothing to a Service proxy. */
  readonly object: ClusterObject | undefined;
  readonly problems: readonly LineProblem[];
};

/** One file as it was read; with a failure, its entries are what it last held, or none. */
export type FileReading = {
  readonly file: string;
  readonly entries: readonly Entry[];
  /** Why the file as a whole cannot be used. */
  readonly failure: SyntaxProblem | undefined;
};

/** What pieces of files hold, by the SHA-256 of their bytes. */
export type KnownChunks = ReadonlyMap<string, KnownChunk>;

/** What a piece holds, and the line at which it started when it was read: its lines count from there. */
export type KnownChunk = {
  readonly startLine: number;
  readonly read: readonly Entry[] | SyntaxProblem;
};

/** What the file holds, and its pieces for the next time. */
export function readEntries(
  file: string,
  bytes: Buffer,
  known: KnownChunks,
): { readonly reading: FileReading; readonly chunks: KnownChunks } {
  const chunks = new Map<string, KnownChunk>();
  const entries: Entry[] = [];
  const words: Words = new Map();
  // An editor that truncates and then writes shows an empty file in between: no reason to forget.
  let failure = bytes.length === 0 ? { line: 1, message: 'the file is empty' } : undefined;
  for (const chunk of chunksOf(bytes)) {
    const digest = hash('sha256', chunk.bytes, 'base64');
    const read = readChunk(chunk, known.get(digest), words);
    chunks.set(digest, { startLine: chunk.startLine, read });
    if ('message' in read) failure ??= read;
    else for (const entry of read) entries.push(entry);
  }
  return { reading: { file, entries: failure === undefined ? entries : [], failure }, chunks };
}

function readChunk(
  { bytes, startLine }: Chunk,
  known: KnownChunk | undefined,
  words: Words,
): readonly Entry[] | SyntaxProblem {
  const offset = startLine - (known?.startLine ?? 1);
  const read =
    known?.read ?? readDocuments(bytes, (document) => entriesOfDocument(document, words));
  if (offset === 0) return read;
  if ('message' in read) return { ...read, line: read.line + offset };
  return read.map((entry) => movedDown(entry, offset));
}

function entriesOfDocument(document: RawDocument, words: Words): readonly Entry[] {
  const decoded = document.objects.map(({ path, value }) => ({
    path,
    value,
    result: decodeObject(value),
  }));
  const relevant = decoded.filter(({ result }) => result.kind !== 'ignored' || result.id !== '');
  if (relevant.length === 0) return [];
  const paths = relevant.flatMap(({ path, result }) => [path, ...problemPaths(path, result)]);
  const lines = document.linesOf(paths).values();
  const nextLine = (): number => lines.next().value ?? 1;
  return relevant.map(({ value, result }) => {
    const line = nextLine();
    return {
      ...naming(value, result),
      line,
      object: result.kind === 'object' ? keptObject(result.object, words) : undefined,
      problems: lineProblems(result, nextLine),
    };
  });
}

const noProblems: readonly LineProblem[] = [];

function lineProblems(result: Decoded, nextLine: () => number): readonly LineProblem[] {
  const problems = problemsOf(result);
  if (problems.length === 0) return noProblems;
  return problems.map(({ field, message }) => ({
    line: nextLine(),
    field,
    message: printable(message),
  }));
}

function naming(value: unknown, result: Decoded): { key: string | undefined; label: string } {
  const { kind, metadata } = (value ?? {}) as {
    kind?: unknown;
    metadata?: { name?: unknown } | null;
  };
  const kindName = typeof kind === 'string' && isReadKind(kind) ? kind : 'document';
  const id = result.kind === 'object' ? result.object.id : result.id;
  if (id !== undefined) {
    const key = `${kindName} ${id}`;
    return { key, label: key };
  }
  const name = typeof metadata?.name === 'string' ? ` ${quoted(metadata.name)}` : '';
  return { key: undefined, label: `${kindName}${name}` };
}

function problemPaths(base: Path, result: Decoded): readonly Path[] {
  return problemsOf(result).map(({ path }) => [...base, ...path]);
}

function problemsOf(result: Decoded) {
  return result.kind === 'ignored' ? [] : result.problems;
}

function movedDown(entry: Entry, offset: number): Entry {
  const line = entry.line + offset;
  if (entry.problems.length === 0) return { ...entry, line };
  const problems = entry.problems.map((problem) => ({ ...problem, line: problem.line + offset }));
  return { ...entry, line, problems };
}

// Reads the text of one manifest file: text in, its objects with their lines and problems out. Pure; text
// that was read before is taken from what is known.
import { hash } from 'node:crypto';
import { chunksOf, documentsOf, type RawDocument, type SyntaxProblem } from './documents.ts';
import { listedObjects } from './listed-objects.ts';
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

/** The entries of pieces of text by its digest, lines counted from the start of the piece. */
export type KnownChunks = ReadonlyMap<string, readonly Entry[] | SyntaxProblem>;

/** What `text` holds, and its pieces for the next time. */
export function readEntries(
  file: string,
  text: string,
  known: KnownChunks,
): { readonly reading: FileReading; readonly chunks: KnownChunks } {
  const chunks = new Map<string, readonly Entry[] | SyntaxProblem>();
  const entries: Entry[] = [];
  // An editor that truncates and then writes shows an empty file in between: no reason to forget.
  let failure = text === '' ? { line: 1, message: 'the file is empty' } : undefined;
  for (const chunk of chunksOf(text)) {
    const digest = hash('sha256', chunk.text);
    const read = known.get(digest) ?? entriesOf(chunk.text);
    chunks.set(digest, read);
    const offset = chunk.startLine - 1;
    if ('message' in read) failure ??= { line: read.line + offset, message: read.message };
    else for (const entry of read) entries.push(movedDown(entry, offset));
  }
  return { reading: { file, entries: failure === undefined ? entries : [], failure }, chunks };
}

function entriesOf(chunk: string): readonly Entry[] | SyntaxProblem {
  const documents = documentsOf(chunk);
  return 'message' in documents ? documents : documents.flatMap(entriesOfDocument);
}

function entriesOfDocument(document: RawDocument): readonly Entry[] {
  const decoded = listedObjects(document.value).map(({ path, value }) => ({
    path,
    value,
    result: decodeObject(value),
  }));
  const relevant = decoded.filter(({ result }) => result.kind !== 'ignored' || result.id !== '');
  const paths = relevant.flatMap(({ path, result }) => [path, ...problemPaths(path, result)]);
  const lines = document.linesOf(paths).values();
  const nextLine = (): number => lines.next().value ?? 1;
  return relevant.map(({ value, result }) => {
    const line = nextLine();
    return {
      ...naming(value, result),
      line,
      object: result.kind === 'object' ? result.object : undefined,
      problems: problemsOf(result).map(({ field, message }) => ({
        line: nextLine(),
        field,
        message: printable(message),
      })),
    };
  });
}

function naming(value: unknown, result: Decoded): { key: string | undefined; label: string } {
  const { kind, metadata } = (value ?? {}) as {
    kind?: unknown;
    metadata?: { name?: unknown } | null;
  };
  const kindName = typeof kind === 'string' && isReadKind(kind) ? kind : 'document';
  const id = result.kind === 'object' ? result.object.id : result.id;
  if (id !== undefined) return { key: `${kindName} ${id}`, label: `${kindName} ${id}` };
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
  if (offset === 0) return entry;
  const problems = entry.problems.map((problem) => ({ ...problem, line: problem.line + offset }));
  return { ...entry, line: entry.line + offset, problems };
}

// Reads the text of one manifest text in, its objects with their lines and problems out. Pure.
import { documentsIn, type RawDocument } from './documents.ts';
import type { ManifestText } from './files.ts';
import { keptObject, type Words } from './kept-object.ts';
import { rootField } from '../decode/json-field.ts';
import { readServiceName } from '../decode/metadata.ts';
import { decodeObject, isReadKind } from '../decode/object.ts';
import { doubtsOf } from '../doubts/object.ts';
import { printable, quoted, type Decoded, type Problem } from '../problem.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';

/** What is wrong at a line of a file. */
export type LineProblem = {
  readonly line: number;
  readonly field: string;
  readonly message: string;
  /** It keeps nothing from being used. */
  readonly isWarning?: true;
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
  /** SHA-256, in hex, of its bytes; '' where it cannot be read. */
  readonly digest: string;
  readonly entries: readonly Entry[];
  /** Why the file as a whole cannot be used. */
  readonly failure: Pick<LineProblem, 'line' | 'message'> | undefined;
};

export type EntryOptions = {
  /** Through which objects share the texts that they have in common. */
  readonly words: Words;
  /** Called with each object as it is in the file, also of kinds that leave no entry. */
  readonly onObject?: ((raw: unknown) => void) | undefined;
};

/** What the file holds. */
export function readEntries(
  { file, text, digest }: Extract<ManifestText, { kind: 'text' }>,
  options: EntryOptions,
): FileReading {
  const failed = (line: number, message: string): FileReading => {
    return { file, digest, entries: [], failure: { line, message } };
  };
  // An editor that truncates and then writes shows an empty file in between: no reason to forget.
  if (text === '') return failed(1, 'the file is empty');
  const entries: Entry[] = [];
  for (const document of documentsIn(text)) {
    if (document.kind === 'syntax') return failed(document.line, document.message);
    for (const { value } of document.objects) options.onObject?.(value);
    for (const entry of entriesOfDocument(document, options.words)) entries.push(entry);
  }
  return { file, digest, entries, failure: undefined };
}

function entriesOfDocument({ objects, linesOf }: RawDocument, words: Words): readonly Entry[] {
  const found = objects.flatMap(({ path, value }) => {
    const result = decodeObject(value);
    if (result.kind === 'ignored' && result.id === '') {
      const endpoints = endpointsNaming(value);
      return endpoints === undefined
        ? []
        : [{ path, naming: endpoints, object: undefined, problems: [], doubts: 0 }];
    }
    const doubts = result.kind === 'object' ? doubtsOf(value) : [];
    const problems = result.kind === 'ignored' ? [] : [...result.problems, ...doubts];
    // Kept at once: what is decoded of a whole List takes much more memory than what is kept of it.
    const object = result.kind === 'object' ? keptObject(result.object, words) : undefined;
    return [{ path, naming: naming(value, result), object, problems, doubts: doubts.length }];
  });
  if (found.length === 0) return [];
  const paths = found.flatMap(({ path, problems }) => [
    path,
    ...problems.map((problem) => [...path, ...problem.path]),
  ]);
  const lines = linesOf(paths).values();
  const nextLine = (): number => lines.next().value ?? 1;
  return found.map(({ naming: names, object, problems, doubts }) => ({
    ...names,
    line: nextLine(),
    object,
    problems: lineProblems(problems, nextLine).map((problem, index) =>
      index < problems.length - doubts ? problem : { ...problem, isWarning: true },
    ),
  }));
}

/** How Endpoints are named: they are not read, but Services may have no other endpoints. */
function endpointsNaming(value: unknown): Pick<Entry, 'key' | 'label'> | undefined {
  const { kind, metadata } = (value ?? {}) as { kind?: unknown; metadata?: unknown };
  if (kind !== 'Endpoints') return undefined;
  const identity = readServiceName(rootField(metadata, []));
  if (identity === undefined) return undefined;
  const key = `Endpoints ${identity.namespace}/${identity.name}`;
  return { key, label: key };
}

const noProblems: readonly LineProblem[] = [];

function lineProblems(
  problems: readonly Problem[],
  nextLine: () => number,
): readonly LineProblem[] {
  if (problems.length === 0) return noProblems;
  return problems.map(({ field, message }) => {
    return { line: nextLine(), field, message: printable(message) };
  });
}

function naming(value: unknown, result: Decoded): { key: string | undefined; label: string } {
  const { kind, metadata } = (value ?? {}) as {
    kind?: unknown;
    metadata?: { name?: unknown } | null;
  };
  const written = typeof kind === 'string' && isReadKind(kind) ? kind : 'document';
  const kindName = (result.kind === 'bad' ? result.as : undefined) ?? written;
  const id = result.kind === 'object' ? result.object.id : result.id;
  if (id !== undefined) {
    const key = `${kindName} ${id}`;
    return { key, label: key };
  }
  const name = typeof metadata?.name === 'string' ? ` ${quoted(metadata.name)}` : '';
  return { key: undefined, label: `${kindName}${name}` };
}

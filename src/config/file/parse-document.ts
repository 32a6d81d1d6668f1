// Parses the text of a configuration file as kube-proxy's lenient reader does: text in, plain values and
// the line of each field out. A key that stands twice is no error: the last one counts.
import {
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  parseAllDocuments,
  type Document,
  type Node,
} from 'yaml';
import { fieldName, type Path } from '../../cluster/problem.ts';

/** A file that is YAML or JSON. */
export type ParsedFile = {
  readonly value: unknown;
  /** The 1-based line of a field, or of the nearest thing around it that has one. */
  readonly lineOf: (path: Path) => number;
  /** The fields that stand more than once, in the order of their last lines. */
  readonly duplicates: readonly { readonly field: string; readonly line: number }[];
  /** The line of the second document, if there is one: it does not count. */
  readonly nextDocumentLine: number | undefined;
};

/** Text that is neither YAML nor JSON. */
export type NotParsed = { readonly line: number; readonly message: string };

// More than any configuration needs; a "billion laughs" needs millions.
const maxAliases = 100;
const maxDepth = 32;

/** The first document in the text, or what is wrong with it. */
export function parseDocument(text: string): ParsedFile | NotParsed {
  const counter = new LineCounter();
  const lineAt = (offset: number): number => counter.linePos(offset).line;
  try {
    const parsed = parseAllDocuments(text, {
      lineCounter: counter,
      // Its warnings would go to standard error, past our own.
      logLevel: 'error',
      merge: true,
      prettyErrors: false,
      uniqueKeys: false,
    });
    const documents: readonly Document.Parsed[] = 'empty' in parsed ? [] : parsed;
    const [first, second] = documents;
    const error = first?.errors[0];
    if (error !== undefined) return { line: lineAt(error.pos[0]), message: reasonOf(error) };
    const places = new Places(lineAt, first);
    return {
      value: (first?.toJS({ maxAliasCount: maxAliases }) ?? null) as unknown,
      lineOf: (path) => places.lineOf(path),
      duplicates: places.duplicates,
      nextDocumentLine: second === undefined ? undefined : lineAt(second.range[0]),
    };
  } catch (error) {
    // Aliases without an anchor, or more of them than the bound, or deeper than the stack.
    if (error instanceof ReferenceError || error instanceof RangeError) {
      return { line: 1, message: reasonOf(error) };
    }
    throw error;
  }
}

/** Where the fields of a document stand. Invariant: #lines has the last line of each field. */
class Places {
  readonly duplicates: { readonly field: string; readonly line: number }[] = [];
  readonly #lines = new Map<string, number>();
  readonly #lineAt: (offset: number) => number;

  constructor(lineAt: (offset: number) => number, document: Document.Parsed | undefined) {
    this.#lineAt = lineAt;
    if (document?.contents) this.#visit(document.contents, []);
  }

  lineOf(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const line = this.#lines.get(fieldName(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  // What an alias stands for has the line of the alias: following it would let a few lines stand for
  // more fields than memory holds.
  #visit(node: Node, path: Path): void {
    if (path.length > maxDepth) return;
    if (path.length === 0) this.#note(path, node);
    if (isMap<Node, Node | null>(node)) {
      const seen = new Set<string>();
      for (const { key, value } of node.items) {
        if (!isScalar(key) || key.value === '<<') continue;
        const inner = [...path, String(key.value)];
        this.#note(inner, key);
        const field = fieldName(inner);
        if (seen.has(field)) this.duplicates.push({ field, line: this.#lines.get(field) ?? 1 });
        seen.add(field);
        if (value) this.#visit(value, inner);
      }
    } else if (isSeq<Node>(node)) {
      for (const [index, entry] of node.items.entries()) {
        this.#note([...path, index], entry);
        this.#visit(entry, [...path, index]);
      }
    }
  }

  #note(path: Path, { range }: Node): void {
    if (range) this.#lines.set(fieldName(path), this.#lineAt(range[0]));
  }
}

function reasonOf({ message }: Error): string {
  if (message.startsWith('Maximum call stack')) return 'nested too deeply';
  return message.split('\n')[0] ?? '';
}

// Parses the text of a configuration file as kube-proxy's lenient reader does: text in, plain values and
// the line of each field out. A key that stands twice is no error: the last one counts.
import { fieldName, type Path } from '../../cluster/problem.ts';
import { lineAt, lineCounter } from '../../cluster/yaml/line-at.ts';
import { parseYaml, type YamlProblem } from '../../cluster/yaml/parse-yaml.ts';
import { walkDocument, type Place, type YamlSource } from '../../cluster/yaml/walk.ts';

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

// More than any configuration needs; a "billion laughs" needs millions.
const maxAliases = 100;
const maxDepth = 32;

/** The first document in the text, or what is wrong with it. */
export function parseDocument(text: string): ParsedFile | YamlProblem {
  const end = endOfFirstDocument(text);
  const first = text.slice(0, end);
  const parsed = parseYaml(first, { lastKeyCounts: true, maxAliases });
  if ('message' in parsed) return parsed;
  const places = new Places({ text: first, events: parsed.events, from: 0 });
  return {
    value: parsed.values[0] ?? null,
    lineOf: (path) => places.lineOf(path),
    duplicates: places.duplicates,
    nextDocumentLine: nextContentLine(text, end),
  };
}

/** Where the document after the first one begins, be it with its directives, or the end of the text. */
function endOfFirstDocument(text: string): number {
  let hasBegun = false;
  let at = 0;
  for (const line of text.split(/(?<=\n)/)) {
    const mark = /^(---|\.\.\.)(?:\s|$)/.exec(line)?.[1];
    if (mark === '...' && hasBegun) return at + line.length;
    if (mark === '---' && hasBegun) return at;
    // Until the document begins there are only comments, blank lines, directives and ends of nothing.
    hasBegun ||= mark === '---' || (mark === undefined && !/^\uFEFF?(?:%|\s*(?:#|$))/.test(line));
    at += line.length;
  }
  return at;
}

/** The first line from `from` on that is no comment, blank line, directive or end of a document. */
function nextContentLine(text: string, from: number): number | undefined {
  const lines = text.slice(from).split('\n');
  const index = lines.findIndex((line) => !/^(?:%|(?:\.\.\.)?\s*(?:#|$))/.test(line));
  return index === -1 ? undefined : lineAt(text, from) + index;
}

/** Where the fields of a document stand. Invariant: #lines has the last line of each field. */
class Places {
  readonly duplicates: { readonly field: string; readonly line: number }[] = [];
  readonly #lines = new Map<string, number>();
  readonly #lineAt: (offset: number) => number;
  /** The way to the value that is being walked, and the keys met so far in each map on it. */
  readonly #path: (string | number)[] = [];
  readonly #seen: Set<string>[] = [];

  constructor(source: YamlSource) {
    this.#lineAt = lineCounter(source.text);
    walkDocument(source, {
      enter: (key, place) => this.#enter(key, place),
      leave: () => {
        this.#seen.pop();
        this.#path.pop();
      },
    });
  }

  lineOf(path: Path): number {
    for (let length = path.length; length >= 0; length--) {
      const line = this.#lines.get(fieldName(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 1;
  }

  #enter(key: string | number | undefined, { at, keyAt }: Place): void {
    if (key !== undefined) this.#path.push(key);
    const seen = this.#seen.at(-1);
    this.#seen.push(new Set());
    // What is deeper than any field has the line of what is around it.
    if (this.#path.length > maxDepth) return;
    const field = fieldName(this.#path);
    const line = this.#lineAt(keyAt ?? at);
    this.#lines.set(field, line);
    if (seen?.has(field) === true) this.duplicates.push({ field, line });
    seen?.add(field);
  }
}

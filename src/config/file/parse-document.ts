// Parses the text of a configuration file as kube-proxy's lenient reader does: text in, plain values and
// the line of each field out. A key that stands twice is no error: the last one counts.
import { fieldName, type Path } from '../../cluster/problem.ts';
import { parseYaml, type ParsedYaml, type YamlProblem } from '../../cluster/yaml/parse-yaml.ts';
import { lineCounter, walkDocument } from '../../cluster/yaml/walk-document.ts';

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

/** The first document in the text, or what is wrong with it. */
export function parseDocument(text: string): ParsedFile | YamlProblem {
  const end = endOfFirstDocument(text);
  const first = text.slice(0, end);
  const parsed = parseYaml(first, { lastKeyCounts: true });
  if ('message' in parsed) return parsed;
  return {
    value: parsed.values[0] ?? null,
    ...placesIn(first, parsed.events),
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
  return index === -1 ? undefined : lineCounter(text)(from) + index;
}

/** Where the fields of the first document are: each has the line of its last key. */
function placesIn(
  text: string,
  events: ParsedYaml['events'],
): Pick<ParsedFile, 'lineOf' | 'duplicates'> {
  const lines = new Map<string, number>();
  const duplicates: { readonly field: string; readonly line: number }[] = [];
  walkDocument<{ readonly path: Path; readonly fields: Set<string> }>(
    { text, events, index: 0 },
    (around, { key, keyLine: line }) => {
      const path = around === undefined || key === undefined ? [] : [...around.path, key];
      const field = fieldName(path);
      lines.set(field, line);
      if (around?.fields.has(field) === true) duplicates.push({ field, line });
      around?.fields.add(field);
      return { path, fields: new Set() };
    },
  );
  const lineOf = (path: Path): number => {
    const line = lines.get(fieldName(path));
    return line ?? (path.length === 0 ? 1 : lineOf(path.slice(0, -1)));
  };
  return { lineOf, duplicates };
}

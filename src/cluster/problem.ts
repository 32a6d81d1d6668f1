// What is wrong with an object, as data: the field by its JSON path, and a message that is safe to print.
// Also the result that every decoder gives.
import type { ClusterObject } from '../model/kubernetes.ts';

/** The way to a field from the root of its object: keys and list positions. */
export type Path = readonly (string | number)[];

/** One thing that is wrong with one field. */
export type Problem = {
  /** The path as people write it, such as `spec.ports[1].port`. */
  readonly field: string;
  readonly path: Path;
  readonly message: string;
};

/** What became of untrusted JSON; `problems` beside an object name the entries that were left out. */
export type Decoded =
  | {
      readonly kind: 'object';
      readonly object: ClusterObject;
      readonly problems: readonly Problem[];
    }
  /** Valid, but nothing that a Service proxy reads; `id` is '' for kinds that are never read. */
  | { readonly kind: 'ignored'; readonly id: string; readonly why: string }
  /** Unusable; `id` is undefined where not even the name can be trusted. */
  | {
      readonly kind: 'bad';
      readonly id: string | undefined;
      /** The kind that is meant, where another one is written. */
      readonly as?: ClusterObject['kind'];
      readonly problems: readonly Problem[];
    };

const longestShownText = 80;

/** The path as people write it: `spec.ports[1].port`, `metadata.labels["kubernetes.io/service-name"]`. */
export function fieldName(path: Path): string {
  return path.reduce<string>((name, step) => {
    if (typeof step === 'number') return `${name}[${step}]`;
    if (!/^[A-Za-z_]\w*$/.test(step)) return `${name}[${quoted(step)}]`;
    return name === '' ? step : `${name}.${step}`;
  }, '');
}

/** One line: `Service default/web: spec.clusterIP: ...`. */
export function problemText(object: string, { field, message }: Problem): string {
  return printable([object, field, message].filter((part) => part !== '').join(': '));
}

/** The text in quotes, cut to a readable length, with nothing in it that a terminal would obey. */
export function quoted(text: string): string {
  const shown = text.length > longestShownText ? `${text.slice(0, longestShownText)}…` : text;
  return printable(JSON.stringify(shown));
}

/** The text on one line: control, format and separator characters are shown as escapes. */
export function printable(text: string): string {
  return text.replace(/[\p{C}\p{Zl}\p{Zp}]/gu, (character) => {
    const hex = (character.codePointAt(0) ?? 0).toString(16);
    return hex.length > 4 ? `\\u{${hex}}` : `\\u${hex.padStart(4, '0')}`;
  });
}

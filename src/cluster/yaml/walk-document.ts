// Walks the values of a YAML document, with the line of each: the parser's events in, calls out. What an
// alias stands for is not walked.
import { EVENT_ID, getScalarValue, SCALAR_STYLE, type Event } from 'js-yaml';

/** A value: where it is, by its key or number in the value around it, and its 1-based lines. */
export type ValuePosition = {
  /** Undefined for the root of the document. */
  readonly key: string | number | undefined;
  readonly line: number;
  /** The line of the key, or of the value where there is no key. */
  readonly keyLine: number;
};

/** A document: the text, the events of the text, and its number among the documents of the text. */
export type YamlDocument = {
  readonly text: string;
  readonly events: readonly Event[];
  readonly index: number;
};

/** Calls `enter` for each value, from the root down, with what it returned for the value around it. */
export function walkDocument<T>(
  { text, events, index }: YamlDocument,
  enter: (around: T | undefined, place: ValuePosition) => T,
): void {
  const lineAt = lineCounter(text);
  let next = startOf(events, index);
  let line = 1;
  const take = (): Event | undefined => {
    const event = events[next++];
    const offset = event === undefined ? undefined : offsetOf(event);
    // An empty value has no offset: it counts as being where the value or key before it is.
    if (offset !== undefined) line = lineAt(offset);
    return event;
  };
  const isAtEnd = (): boolean => (events[next]?.type ?? EVENT_ID.POP) === EVENT_ID.POP;
  const walk = (around: T | undefined, key: ValuePosition['key'], keyLine?: number): void => {
    const event = take();
    const own = enter(around, { key, line, keyLine: keyLine ?? line });
    if (event?.type === EVENT_ID.SEQUENCE) {
      for (let entry = 0; !isAtEnd(); entry++) walk(own, entry);
    } else if (event?.type === EVENT_ID.MAPPING) {
      while (!isAtEnd()) walk(own, keyText(text, take()), line);
    } else return;
    next++;
  };
  walk(undefined, undefined);
}

/** The 1-based line of the root. */
export function rootLine({ text, events, index }: YamlDocument): number {
  const root = events[startOf(events, index)];
  return lineCounter(text)(root === undefined ? 0 : (offsetOf(root) ?? 0));
}

/** Gives the 1-based line of an offset; fast where offsets ascend. */
export function lineCounter(text: string): (offset: number) => number {
  const first = text.indexOf('\n');
  let [line, next] = [1, first];
  let last = 0;
  return (offset) => {
    if (offset < last) [line, next] = [1, first];
    last = offset;
    for (; next !== -1 && next < offset; line++) next = text.indexOf('\n', next + 1);
    return line;
  };
}

function startOf(events: readonly Event[], index: number): number {
  let next = 0;
  for (let seen = -1; next < events.length && seen < index; next++) {
    if (events[next]?.type === EVENT_ID.DOCUMENT) seen++;
  }
  return next;
}

// Only scalars and aliases can be keys.
function keyText(text: string, event: Event | undefined): string {
  if (event?.type === EVENT_ID.SCALAR) return getScalarValue(text, event);
  return event?.type === EVENT_ID.ALIAS ? text.slice(event.anchorStart, event.anchorEnd) : '';
}

function offsetOf(event: Event): number | undefined {
  if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) return event.start;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  if (event.type !== EVENT_ID.SCALAR || event.valueStart === -1) return undefined;
  // The text of a block scalar begins on the line after its `|` or `>`.
  return event.valueStart - (event.style >= SCALAR_STYLE.LITERAL_BLOCK ? 1 : 0);
}

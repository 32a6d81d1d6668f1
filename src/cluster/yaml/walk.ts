// Walks the fields of a YAML document and says where each stands: events in, calls of a visitor out.
// What an alias stands for is not walked, nor what stands under a key that is a map, a list or an alias.
import { COLLECTION_STYLE, EVENT_ID, SCALAR_STYLE, type Event, type ScalarEvent } from 'js-yaml';
import { keyText, scalarValue } from './scalar.ts';

/** Is told of every field and list entry; offsets are into the text. */
export type PlaceVisitor = {
  /** A value, by its key or number in what is around it; the root has no key. */
  readonly enter: (key: string | number | undefined, place: Place) => void;
  /** All in the last value that was entered and not left has been told. */
  readonly leave: () => void;
};

/** Where a value stands, and its key, where it has one. */
export type Place = { readonly at: number; readonly keyAt: number | undefined };

/** A document: its text, and its events from one of them on. */
export type YamlSource = {
  readonly text: string;
  readonly events: readonly Event[];
  readonly from: number;
};

type Open = {
  readonly isList: boolean;
  readonly isBlock: boolean;
  readonly start: number;
  /** It is told of to nobody, being a key or under such a key. */
  readonly isSilent: boolean;
  readonly isKey: boolean;
  /** How many entries of a list were met. */
  count: number;
  hasKey: boolean;
  /** Undefined where the key is no scalar. */
  key: string | undefined;
  keyAt: number;
};

const noHandles = new Map<string, string>();

/** Walks one document, to its end. */
export function walkDocument({ text, events, from }: YamlSource, visitor: PlaceVisitor): void {
  const opens: Open[] = [];
  // The end of what was met last: nothing that follows stands before it.
  let last = 0;
  for (let index = from; index < events.length; index++) {
    const event = events[index] as Event;
    if (event.type === EVENT_ID.DOCUMENT) continue;
    const open = opens.at(-1);
    if (event.type === EVENT_ID.POP) {
      opens.pop();
      if (open === undefined) return;
      if (open.isKey) takeKey(opens.at(-1), undefined, open.start);
      else if (!open.isSilent) visitor.leave();
      continue;
    }
    const at = placeOf(text, event, open, last);
    last = Math.max(last, endOf(event, at));
    const isKey = open !== undefined && !open.isList && !open.hasKey;
    const isSilent =
      isKey || (open !== undefined && (open.isSilent || (!open.isList && open.key === undefined)));
    if (!isSilent)
      visitor.enter(stepOf(open), { at, keyAt: open?.hasKey === true ? open.keyAt : undefined });
    if (open !== undefined && !isKey) passValue(open);
    if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) {
      const isList = event.type === EVENT_ID.SEQUENCE;
      const isBlock = event.style === COLLECTION_STYLE.BLOCK;
      const ownKey = { hasKey: false, key: undefined, keyAt: 0 };
      opens.push({ isList, isBlock, start: event.start, isSilent, isKey, count: 0, ...ownKey });
    } else if (isKey) takeKey(open, keyOf(text, event), at);
    else if (!isSilent) visitor.leave();
  }
}

/** Where the root of a document stands. */
export function rootPlace({ text, events, from }: YamlSource): number {
  const root = events[from + 1];
  return root === undefined ? 0 : placeOf(text, root, undefined, 0);
}

function stepOf(open: Open | undefined): string | number | undefined {
  return open?.isList === true ? open.count : open?.key;
}

function passValue(open: Open): void {
  open.count++;
  open.hasKey = false;
}

function takeKey(open: Open | undefined, key: string | undefined, at: number): void {
  if (open === undefined) return;
  open.hasKey = true;
  open.key = key;
  open.keyAt = at;
}

function keyOf(text: string, event: Event): string | undefined {
  if (event.type !== EVENT_ID.SCALAR) return undefined;
  const value = scalarValue(text, event, noHandles);
  const isMerge = value === '<<' && event.style === SCALAR_STYLE.PLAIN;
  return isMerge ? undefined : keyText(value);
}

function placeOf(text: string, event: Event, open: Open | undefined, last: number): number {
  if (event.type === EVENT_ID.SEQUENCE || event.type === EVENT_ID.MAPPING) return event.start;
  if (event.type === EVENT_ID.ALIAS) return event.anchorStart;
  return event.type === EVENT_ID.SCALAR ? scalarPlace(text, event, open, last) : last;
}

function scalarPlace(
  text: string,
  event: ScalarEvent,
  open: Open | undefined,
  last: number,
): number {
  // The text of a block begins on the line after its `|` or `>`.
  const isBlock = event.style >= SCALAR_STYLE.LITERAL_BLOCK;
  if (event.valueStart !== -1) return event.valueStart - (isBlock ? 1 : 0);
  const properties = Math.max(event.tagStart, event.anchorStart);
  if (properties !== -1) return properties;
  // Nothing at all has no place of its own: that of the dash or of the key before it.
  if (open?.isList !== true || !open.isBlock) return last;
  return open.count === 0 ? open.start : nextDash(text, last);
}

function endOf(event: Event, at: number): number {
  if (event.type === EVENT_ID.SCALAR && event.valueEnd !== -1) return event.valueEnd;
  return event.type === EVENT_ID.ALIAS ? event.anchorEnd : at + 1;
}

/** The next dash that is not in a comment; before it there are only blanks and closing marks. */
function nextDash(text: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '-') return at;
    if (text[at] === '#') at = endOfLine(text, at);
  }
  return from;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end === -1 ? text.length : end;
}

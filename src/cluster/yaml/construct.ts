// Makes values of YAML events. What a few lines can stand for is bounded: the uses of an anchor count,
// times the uses of those in it, and so do the keys that merges bring in.
import { EVENT_ID, SCALAR_STYLE, YAMLException, type Event } from 'js-yaml';
import { keyText, scalarValue, type TagHandles } from './scalar.ts';

/** How values are made. */
export type ConstructOptions = {
  /** Of a key that stands twice the last one counts, instead of being an error. */
  readonly lastKeyCounts?: boolean;
  /** How much aliases may stand for. */
  readonly maxAliases?: number;
};

type Collection = unknown[] | Record<string, unknown>;

/** What an alias leads to; its weight is undefined until it is whole. */
type Anchor = { readonly value: unknown; weight: number | undefined; uses: number };

/** A map or list that is not whole yet, or the document. Its weight is the largest of what is in it. */
type Frame = {
  readonly value: Collection;
  readonly anchor: Anchor | undefined;
  weight: number;
  /** The key that waits for its value, and where it stands. */
  key: string | undefined;
  keyAt: number;
  isMerge: boolean;
  /** The keys that came by a merge: the map's own go before them. */
  merged: Set<string> | undefined;
};

// Enough for any manifest written by hand; a "billion laughs" needs millions.
const defaultMaxAliases = 1000;
const fewestMergedKeys = 10_000;

/** The value of each document of the text. Throws YAMLException where there is none. */
export function constructDocuments(
  text: string,
  events: readonly Event[],
  options: ConstructOptions,
): readonly unknown[] {
  return new Construction(text, options).run(events);
}

/** Invariant: #frames are the collections that are open, the document first. */
class Construction {
  readonly #text: string;
  readonly #options: ConstructOptions;
  readonly #frames: Frame[] = [];
  #anchors = new Map<string, Anchor>();
  #handles: TagHandles = new Map();
  #mergedKeys = 0;
  /** Where the last event with a place stands. */
  #at = 0;

  constructor(text: string, options: ConstructOptions) {
    this.#text = text;
    this.#options = options;
  }

  run(events: readonly Event[]): readonly unknown[] {
    const documents: unknown[] = [];
    for (const event of events) {
      switch (event.type) {
        case EVENT_ID.DOCUMENT:
          this.#anchors = new Map();
          this.#handles = new Map(
            event.directives.flatMap((one) =>
              one.kind === 'tag' ? [[one.handle, one.prefix]] : [],
            ),
          );
          this.#frames.push(frameFor([], undefined));
          break;
        case EVENT_ID.SCALAR: {
          if (event.valueStart !== -1) this.#at = event.valueStart;
          const value = scalarValue(this.#text, event, this.#handles);
          if (event.anchorStart !== -1) this.#nameAnchor(event, value, 1);
          this.#add(value, 1, value === '<<' && event.style === SCALAR_STYLE.PLAIN);
          break;
        }
        case EVENT_ID.SEQUENCE:
        case EVENT_ID.MAPPING: {
          this.#at = event.start;
          const value = event.type === EVENT_ID.SEQUENCE ? [] : {};
          const isNamed = event.anchorStart !== -1;
          const anchor = isNamed ? this.#nameAnchor(event, value, undefined) : undefined;
          this.#frames.push(frameFor(value, anchor));
          break;
        }
        case EVENT_ID.ALIAS:
          this.#at = event.anchorStart;
          this.#addAlias(this.#text.slice(event.anchorStart, event.anchorEnd));
          break;
        case EVENT_ID.POP: {
          const frame = this.#frames.pop() as Frame;
          if (frame.anchor !== undefined) frame.anchor.weight = frame.weight;
          if (this.#frames.length === 0) documents.push((frame.value as unknown[])[0]);
          else this.#add(frame.value, frame.weight, false);
          break;
        }
      }
    }
    return documents;
  }

  #nameAnchor(
    { anchorStart, anchorEnd }: { readonly anchorStart: number; readonly anchorEnd: number },
    value: unknown,
    weight: number | undefined,
  ): Anchor {
    const anchor: Anchor = { value, weight, uses: 1 };
    this.#anchors.set(this.#text.slice(anchorStart, anchorEnd), anchor);
    return anchor;
  }

  #addAlias(name: string): void {
    const anchor = this.#anchors.get(name);
    if (anchor === undefined) return this.#fail(`no anchor stands before the alias *${name}`);
    if (anchor.weight === undefined) return this.#fail(`the alias *${name} stands for itself`);
    anchor.uses++;
    const weight = anchor.uses * anchor.weight;
    const { maxAliases = defaultMaxAliases } = this.#options;
    if (weight > maxAliases) return this.#fail('the aliases stand for too much');
    this.#add(anchor.value, weight, false);
  }

  /** Adds a value to the innermost collection: an entry of a list, or a key, or the value of one. */
  #add(value: unknown, weight: number, mayMerge: boolean): void {
    const frame = this.#frames.at(-1) as Frame;
    if (weight > frame.weight) frame.weight = weight;
    if (Array.isArray(frame.value)) frame.value.push(value);
    else if (frame.key === undefined) {
      // A map or list as a key has any text, as no field is called so: it may stand for too much.
      frame.key = typeof value === 'object' && value !== null ? `{${this.#at}}` : keyText(value);
      frame.keyAt = this.#at;
      frame.isMerge = mayMerge;
    } else {
      const { key } = frame;
      frame.key = undefined;
      if (frame.isMerge) this.#merge(frame, value);
      else this.#set(frame, key, value);
    }
  }

  #set({ value: map, merged, keyAt }: Frame, key: string, value: unknown): void {
    if (Object.hasOwn(map, key) && merged?.delete(key) !== true) {
      if (this.#options.lastKeyCounts !== true) {
        this.#at = keyAt;
        this.#fail(`the key ${JSON.stringify(key)} stands twice in a map`);
      }
    }
    define(map, key, value);
  }

  // https://yaml.org/type/merge.html: the map's own keys go first, then the sources in their order.
  #merge(frame: Frame, value: unknown): void {
    for (const source of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (typeof source !== 'object' || source === null || Array.isArray(source)) {
        this.#at = frame.keyAt;
        this.#fail('only maps can be merged');
      }
      this.#mergedKeys++;
      for (const [key, one] of Object.entries(source as object)) {
        this.#mergedKeys++;
        if (Object.hasOwn(frame.value, key)) continue;
        define(frame.value, key, one);
        (frame.merged ??= new Set()).add(key);
      }
      if (this.#mergedKeys > Math.max(fewestMergedKeys, this.#text.length)) {
        this.#fail('the merges stand for too much');
      }
    }
  }

  #fail(reason: string): never {
    return YAMLException.throwAt(this.#text, this.#at, reason);
  }
}

function frameFor(value: Collection, anchor: Anchor | undefined): Frame {
  return { value, anchor, weight: 0, key: undefined, keyAt: 0, isMerge: false, merged: undefined };
}

// An assignment would change what the object inherits from.
function define(map: Collection, key: string, value: unknown): void {
  if (key !== '__proto__') (map as Record<string, unknown>)[key] = value;
  else
    Object.defineProperty(map, key, {
      value,
      writable: true,
      enumerable: true,
      configurable: true,
    });
}

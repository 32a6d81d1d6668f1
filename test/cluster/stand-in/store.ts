// The objects of the stand-in and everything that ever happened to them, with etcd's one count of
// versions for all kinds.
import { kinds, idOf, type KindName, type RawObject } from './kinds.ts';
import type { Selector } from './selectors.ts';

/** What happened to one object. */
export type Change = {
  readonly version: number;
  readonly before: RawObject | undefined;
  readonly after: RawObject | undefined;
  /** The object as a DELETED event shows it. */
  readonly last: RawObject;
};

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** Objects of one kind. */
type Shelf = { readonly objects: Map<string, RawObject>; history: Change[] };

/** Invariant: of each kind, replaying the history from #oldest on leads to the objects. */
export class Store {
  readonly #shelves = new Map<KindName, Shelf>(
    kinds.map(({ kind }) => [kind, { objects: new Map(), history: [] }]),
  );
  readonly #listeners = new Set<(kind: KindName, change: Change) => void>();
  #version = 1;
  #oldest = 1;

  /** The version of the last change of any kind. */
  get version(): number {
    return this.#version;
  }

  /** Watches from before this have expired. */
  get oldest(): number {
    return this.#oldest;
  }

  /** Sets the object; where it has no version it gets the next one. */
  set(kind: KindName, object: RawObject): void {
    const { objects } = this.#shelf(kind);
    const version = this.#next(object.metadata.resourceVersion);
    const metadata = { ...object.metadata, resourceVersion: String(version) };
    const after = { ...object, metadata };
    const before = objects.get(idOf(object));
    objects.set(idOf(object), after);
    this.#record(kind, { version, before, after, last: after });
  }

  /** Deletes the object; false where there is none. */
  delete(kind: KindName, id: string, atVersion?: string): boolean {
    const { objects } = this.#shelf(kind);
    const before = objects.get(id);
    if (before === undefined) return false;
    objects.delete(id);
    const version = this.#next(atVersion);
    const last = { ...before, metadata: { ...before.metadata, resourceVersion: String(version) } };
    this.#record(kind, { version, before, after: undefined, last });
    return true;
  }

  /** Something else in the cluster changed. */
  moveTo(version: number): void {
    this.#version = Math.max(this.#version, version);
  }

  /** Goes back to a version, as etcd does that is restored from a backup; nobody who watches is told. */
  restore(version: number): void {
    for (const { objects, history } of this.#shelves.values()) {
      for (const { before, last } of history
        .filter((change) => change.version > version)
        .toReversed()) {
        if (before === undefined) objects.delete(idOf(last));
        else objects.set(idOf(last), before);
      }
    }
    for (const shelf of this.#shelves.values()) {
      shelf.history = shelf.history.filter((change) => change.version <= version);
    }
    this.#version = version;
  }

  /** Forgets what happened before the given version, or before now: watches from there expire. */
  compact(before = this.#version): void {
    this.#oldest = before;
    for (const shelf of this.#shelves.values()) {
      shelf.history = shelf.history.filter(({ version }) => version > before);
    }
  }

  /** By namespace and name, as the API server lists. */
  list(kind: KindName, matches: Selector): readonly RawObject[] {
    return [...this.#shelf(kind).objects.entries()]
      .toSorted(([a], [b]) => (a < b ? -1 : 1))
      .map(([, object]) => object)
      .filter(matches);
  }

  get(kind: KindName, id: string): RawObject | undefined {
    return this.#shelf(kind).objects.get(id);
  }

  /** What happened after the version. */
  since(kind: KindName, version: number): readonly Change[] {
    return this.#shelf(kind).history.filter((change) => change.version > version);
  }

  /** Calls back with each change; returns how to stop that. */
  listen(listener: (kind: KindName, change: Change) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #record(kind: KindName, change: Change): void {
    this.#shelf(kind).history.push(change);
    for (const listener of this.#listeners) listener(kind, change);
  }

  #next(wanted: string | undefined): number {
    const version = wanted === undefined ? this.#version + 1 : Number(wanted);
    this.#version = Math.max(this.#version, version);
    return version;
  }

  #shelf(kind: KindName): Shelf {
    return this.#shelves.get(kind) as Shelf;
  }
}

/** The event that a watch with this selector shows of a change, if any. */
export function eventOf(
  { before, after, last }: Change,
  matches: Selector,
): { readonly type: EventType; readonly object: RawObject } | undefined {
  const did = before !== undefined && matches(before);
  const does = after !== undefined && matches(after);
  if (does) return { type: did ? 'MODIFIED' : 'ADDED', object: after };
  if (!did) return undefined;
  // An object that leaves the selection is shown as it was, at the version at which it left.
  const { resourceVersion } = last.metadata;
  const metadata = { ...before.metadata, ...(resourceVersion ? { resourceVersion } : {}) };
  return { type: 'DELETED', object: { ...before, metadata } };
}

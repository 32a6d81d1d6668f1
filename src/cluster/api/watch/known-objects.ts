// The objects of one resource that its listener knows: what it decodes in, what changed out. Pure.
import type { ClusterChange, ClusterObject } from '../../../model/kubernetes.ts';
import { areEqual, changesBetween } from '../../changes-between.ts';
import type { Decoded } from '../../problem.ts';

/** A list while it comes in: the objects by id. */
export type Listing = Map<string, ClusterObject>;

/** What the listener knows. Invariant: #objects is what a listener has that took over every change so far. */
export class KnownObjects {
  #objects: Map<string, ClusterObject> = new Map();

  get size(): number {
    return this.#objects.size;
  }

  /** The objects as they are now. */
  get objects(): ReadonlyMap<string, ClusterObject> {
    return this.#objects;
  }

  /** An object as it is now. What cannot be used changes nothing: the last good version stays. */
  set(decoded: Decoded): readonly ClusterChange[] {
    if (decoded.kind === 'bad') return [];
    if (decoded.kind === 'ignored') return this.#drop(decoded.id);
    const { object } = decoded;
    if (areEqual(this.#objects.get(object.id), object)) return [];
    this.#objects.set(object.id, object);
    return [{ op: 'set', object }];
  }

  /** An object that is gone. */
  delete(decoded: Decoded): readonly ClusterChange[] {
    return this.#drop(decoded.kind === 'object' ? decoded.object.id : decoded.id);
  }

  /** Takes an object into a list; what is as it was stays the same object. */
  list(listing: Listing, decoded: Decoded): void {
    if (decoded.kind === 'ignored') return;
    const id = decoded.kind === 'object' ? decoded.object.id : decoded.id;
    const known = id === undefined ? undefined : this.#objects.get(id);
    if (decoded.kind === 'bad') {
      if (known !== undefined) listing.set(known.id, known);
    } else {
      const { object } = decoded;
      listing.set(object.id, known !== undefined && areEqual(known, object) ? known : object);
    }
  }

  /** Takes over a complete list: what is not in it is gone. */
  replace(listing: Listing): readonly ClusterChange[] {
    const changes = changesBetween(this.#objects, listing);
    this.#objects = listing;
    return changes;
  }

  #drop(id: string | undefined): readonly ClusterChange[] {
    const known = id === undefined ? undefined : this.#objects.get(id);
    if (known === undefined || id === undefined) return [];
    this.#objects.delete(id);
    return [{ op: 'delete', kind: known.kind, id }];
  }
}

// Takes in what the API server says of one resource: raw objects and events in, changes and complaints
// out. Objects are reduced to what a proxy reads at once; nothing of their text is kept.
import type { ClusterChange } from '../../../model/kubernetes.ts';
import { decodeObject } from '../../decode/object.ts';
import { quoted, type Decoded, type Problem } from '../../problem.ts';
import { endingOf, type Ending } from './pace.ts';
import type { Resource } from './resources.ts';
import { KnownObjects, type Listing } from './known-objects.ts';
import type { WatchEvent } from './watch-event.ts';

export type IntakeOptions = {
  readonly resource: Resource;
  /** Called with what changed up to `version`, never with nothing. */
  readonly onChanges: (changes: readonly ClusterChange[], version: string) => void;
  /** Called when there is something wrong with an object, and with no problems when that is over. */
  readonly onProblems: (id: string, problems: readonly Problem[]) => void;
};

/**
 * One resource as its listener knows it. Invariant: what it knows is the state at #version; where that is
 * undefined, the state of some earlier time, to which the next list is compared.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #known = new KnownObjects();
  readonly #faulty = new Set<string>();
  #version: string | undefined;

  constructor(options: IntakeOptions) {
    this.#options = options;
  }

  /** From where a watch goes on; undefined where a list is needed. */
  get version(): string | undefined {
    return this.#version;
  }

  /** How many objects there are. */
  get size(): number {
    return this.#known.size;
  }

  /** Asks for a list: what happens since the version cannot be learned any more. */
  forgetVersion(): void {
    this.#version = undefined;
  }

  /** Puts an item into a list that is coming in; items do not say what they are. */
  list(listing: Listing, item: unknown): void {
    const { kind, apiVersion } = this.#options.resource;
    const isObject = typeof item === 'object' && item !== null;
    this.#known.list(listing, this.#decode(isObject ? { kind, apiVersion, ...item } : item));
  }

  /** Takes over a list that is complete: returns how it differs from what is known. */
  takeOver(listing: Listing, version: string): void {
    this.#version = version;
    this.#tell(this.#known.replace(listing));
  }

  /** There is nothing of this resource. */
  clear(): void {
    this.takeOver(new Map(), '');
    this.#version = undefined;
  }

  /** Takes over events in order; the first one that ends the watch is returned as its ending. */
  take(events: readonly WatchEvent[]): Ending | undefined {
    const changes: ClusterChange[] = [];
    let ending: Ending | undefined;
    for (const event of events) {
      ending = endingOf(event);
      if (ending !== undefined) break;
      changes.push(...this.#changesOf(event));
    }
    this.#tell(changes);
    return ending;
  }

  #changesOf(event: WatchEvent): readonly ClusterChange[] {
    if (event.kind === 'error' || event.kind === 'unreadable') return [];
    this.#version = event.version;
    if (event.kind === 'bookmark') return [];
    // What is gone needs no more than its name.
    if (event.kind === 'delete') return this.#known.delete(decodeObject(event.object));
    return this.#known.set(this.#decode(event.object));
  }

  #decode(raw: unknown): Decoded {
    const decoded = decodeObject(raw);
    if (decoded.kind === 'object' && decoded.object.kind !== this.#options.resource.kind) {
      const why = `${quoted(decoded.object.kind)} is no ${this.#options.resource.kind}`;
      return { kind: 'ignored', id: '', why };
    }
    this.#complain(decoded);
    return decoded;
  }

  #complain(decoded: Decoded): void {
    const id = (decoded.kind === 'object' ? decoded.object.id : decoded.id) ?? '';
    const problems = decoded.kind === 'ignored' ? [] : decoded.problems;
    if (problems.length === 0 && !this.#faulty.delete(id)) return;
    if (problems.length > 0) this.#faulty.add(id);
    this.#options.onProblems(id, problems);
  }

  #tell(changes: readonly ClusterChange[]): void {
    if (changes.length > 0) this.#options.onChanges(changes, this.#version ?? '');
  }
}

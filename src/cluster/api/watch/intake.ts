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
  /** Called once when there is something wrong with an object, and with no problems when that is over or it is gone. */
  readonly onProblems: (id: string, problems: readonly Problem[]) => void;
};

/**
 * One resource as its listener knows it. Invariant: what it knows is the state at #version; where that is
 * undefined, the state of some earlier time, to which the next list is compared.
 */
export class Intake {
  readonly #options: IntakeOptions;
  readonly #known = new KnownObjects();
  /** What was last said of each object that cannot be used. */
  readonly #faulty = new Map<string, string>();
  /** Those of the list that is coming in. */
  #faultyInList = new Set<string>();
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
    const decoded = this.#decode(isObject ? { kind, apiVersion, ...item } : item);
    if (decoded.kind !== 'ignored' && decoded.problems.length > 0) {
      this.#faultyInList.add(idOf(decoded));
    }
    this.#known.list(listing, decoded);
  }

  /** Takes over a list that is complete: returns how it differs from what is known. */
  takeOver(listing: Listing, version: string): void {
    this.#version = version;
    for (const id of this.#faulty.keys()) if (!this.#faultyInList.has(id)) this.#isOver(id);
    this.#faultyInList = new Set();
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
    if (event.kind === 'delete') {
      const decoded = decodeObject(event.object);
      this.#isOver(idOf(decoded));
      return this.#known.delete(decoded);
    }
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
    const id = idOf(decoded);
    const problems = decoded.kind === 'ignored' ? [] : decoded.problems;
    if (problems.length === 0) {
      this.#isOver(id);
      return;
    }
    const said = problems.map(({ field, message }) => `${field}: ${message}`).join('\n');
    if (this.#faulty.get(id) === said) return;
    this.#faulty.set(id, said);
    this.#options.onProblems(id, problems);
  }

  #isOver(id: string): void {
    if (this.#faulty.delete(id)) this.#options.onProblems(id, []);
  }

  #tell(changes: readonly ClusterChange[]): void {
    if (changes.length > 0) this.#options.onChanges(changes, this.#version ?? '');
  }
}

/** '' where not even the name can be trusted. */
function idOf(decoded: Decoded): string {
  return (decoded.kind === 'object' ? decoded.object.id : decoded.id) ?? '';
}

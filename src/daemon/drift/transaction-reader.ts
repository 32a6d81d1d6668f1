// What the kernel tells in, each transaction of somebody else that touches our rules out. Must be cheap: others
// may change their own rules very often.
import type { Family } from '../../model/ip.ts';
import type { Author, Certainty, Change, End, TouchOf } from '../../netfilter/table-changes.ts';

/** Which families a change touches, and who made it; undefined where nobody told. */
export type ForeignChange = {
  readonly touched: ReadonlyMap<Family, Certainty>;
  readonly author: Author | undefined;
};

export type TransactionReaderOptions = {
  readonly families: readonly Family[];
  readonly touchOf: TouchOf;
  /** Whether we made it ourselves. */
  readonly isOurs: (author: Author | 'unknown') => boolean;
  readonly onForeign: (change: ForeignChange) => void;
};

/**
 * Invariant: #touched is what the messages since the last transaction's end touched, #generation the number of that
 * transaction, where the kernel says it.
 */
export class TransactionReader {
  readonly #options: TransactionReaderOptions;
  #touched = new Map<Family, Certainty>();
  #generation: number | undefined;

  constructor(options: TransactionReaderOptions) {
    this.#options = options;
  }

  /** Takes the next message; or that some were lost. */
  read(message: Change | End | 'lost'): void {
    if (message === 'lost') this.#lose();
    else if (message.kind === 'end') this.#end(message);
    else if (this.#touched.get(message.family) !== 'sure') {
      const touch = this.#options.touchOf(message);
      if (touch !== undefined) this.#touched.set(touch.family, touch.certainty);
    }
  }

  #end({ author, generation }: End): void {
    const { families, isOurs, onForeign } = this.#options;
    // Ours are counted, whatever they touch.
    const isOwn = isOurs(author);
    if (!isAfter(generation, this.#generation)) this.#tellLost();
    this.#generation = generation;
    if (this.#touched.size === 0) return;
    const touched = this.#touched;
    this.#touched = new Map();
    for (const family of touched.keys()) if (!families.includes(family)) touched.delete(family);
    if (touched.size === 0 || isOwn) return;
    onForeign({ touched, author: author === 'unknown' ? undefined : author });
  }

  #lose(): void {
    this.#touched = new Map();
    this.#generation = undefined;
    this.#tellLost();
  }

  // Of what was lost nobody knows whose it was.
  #tellLost(): void {
    const { families, onForeign } = this.#options;
    const touched = new Map(families.map((family) => [family, 'maybe' as const]));
    onForeign({ touched, author: undefined });
  }
}

const generations = 2 ** 32;

// Where one is not known, nothing can be said.
function isAfter(generation: number | undefined, last: number | undefined): boolean {
  if (generation === undefined || last === undefined) return true;
  return generation === ((last + 1) % generations || 1);
}

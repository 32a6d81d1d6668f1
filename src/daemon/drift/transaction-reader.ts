// Lines of `nft monitor` in, each transaction of somebody else that touches our rules out. Must be cheap:
// others may change their own rules very often.
import type { Family } from '../../model/ip.ts';
import type { Author, Certainty, Touch, TouchOf } from '../../netfilter/monitor.ts';
import { authorIn, hasLostEvents } from '../../netfilter/monitor.ts';

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

/** Invariant: #touched is what the lines since the last transaction's end touched. */
export class TransactionReader {
  readonly #options: TransactionReaderOptions;
  #touched = new Map<Family, Certainty>();

  constructor(options: TransactionReaderOptions) {
    this.#options = options;
  }

  /** Takes the next line. */
  read(line: string): void {
    if (!line.startsWith('#')) {
      const touch = this.#options.touchOf(line);
      if (touch !== undefined) this.#touch(touch);
      return;
    }
    const author = authorIn(line);
    if (author !== undefined) this.#end(author);
    else if (hasLostEvents(line)) this.#lose();
  }

  #touch({ family, certainty }: Touch): void {
    if (this.#touched.get(family) !== 'sure') this.#touched.set(family, certainty);
  }

  #end(author: Author | 'unknown'): void {
    const { families, isOurs, onForeign } = this.#options;
    // Ours are counted, whatever they touch.
    const isOwn = isOurs(author);
    if (this.#touched.size === 0) return;
    const touched = this.#touched;
    this.#touched = new Map();
    for (const family of touched.keys()) if (!families.includes(family)) touched.delete(family);
    if (touched.size === 0 || isOwn) return;
    onForeign({ touched, author: author === 'unknown' ? undefined : author });
  }

  // Of what was lost nobody knows whose it was.
  #lose(): void {
    this.#touched = new Map();
    const { families, onForeign } = this.#options;
    const touched = new Map(families.map((family) => [family, 'maybe' as const]));
    onForeign({ touched, author: undefined });
  }
}

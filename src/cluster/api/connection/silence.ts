// Notices a peer that says nothing any more: a connection can be dead for hours without an error.
import { ApiError } from '../../../errors.ts';
import type { Clock } from '../clock.ts';

export type SilenceOptions = {
  readonly clock: Clock;
  /** How long silence may last. It may become more on the way, but not less. */
  readonly limitMs: () => number;
  /** What to say of it. */
  readonly what?: string;
};

/** Watches over one exchange. Invariant: #heardMs is when something was heard last. */
export class Silence {
  readonly #options: SilenceOptions;
  readonly #broken = new AbortController();
  readonly #over = new AbortController();
  #heardMs: number;

  constructor(options: SilenceOptions) {
    this.#options = options;
    this.#heardMs = options.clock.now();
    void this.#listen();
  }

  /** Aborts, with an ApiError as its reason, when nothing was heard for too long. */
  get signal(): AbortSignal {
    return this.#broken.signal;
  }

  /** Something was heard. */
  heard(): void {
    this.#heardMs = this.#options.clock.now();
  }

  /** Stops watching. */
  end(): void {
    this.#over.abort();
  }

  // One timer for many chunks: when it rings, it asks how long it has really been quiet, and how long
  // that may last by now.
  async #listen(): Promise<void> {
    const { clock, limitMs, what = 'nothing heard' } = this.#options;
    while (!this.#over.signal.aborted) {
      const leftMs = this.#heardMs + limitMs() - clock.now();
      if (leftMs <= 0) {
        const seconds = Math.round(limitMs() / 100) / 10;
        this.#broken.abort(new ApiError(`${what} for ${seconds} s`, { isTimeout: true }));
        return;
      }
      await clock.delay(leftMs, this.#over.signal);
    }
  }
}

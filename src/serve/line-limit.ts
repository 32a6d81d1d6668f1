// Bounds how much is logged: whatever happens, the log of a node does not fill its disk. What is left out is counted.

/** The most lines a second; those that end the process are always written. */
export const linesPerSecond = 500;

/** What a LineLimit works with. */
export type LineLimitOptions = {
  /** Milliseconds on any clock that goes forward. */
  readonly now: () => number;
  /** Calls back once after so many milliseconds, and holds up no end of the process. */
  readonly later: (callback: () => void, ms: number) => void;
  /** Is told how many lines were left out of a second, once it is over. */
  readonly onLeftOut: (lines: number) => void;
};

/** Invariant: #written lines were written since #startedAt, and #leftOut were not. */
export class LineLimit {
  readonly #options: LineLimitOptions;
  #startedAt = Number.NEGATIVE_INFINITY;
  #written = 0;
  #leftOut = 0;

  constructor(options: LineLimitOptions) {
    this.#options = options;
  }

  /** Whether one more line may be written now. */
  take(): boolean {
    const { now, later } = this.#options;
    if (this.#leftOut === 0 && now() - this.#startedAt >= 1000) {
      this.#startedAt = now();
      this.#written = 0;
    }
    if (this.#written < linesPerSecond) {
      this.#written += 1;
      return true;
    }
    if (this.#leftOut === 0) later(() => this.#tell(), 1000 - (now() - this.#startedAt));
    this.#leftOut += 1;
    return false;
  }

  #tell(): void {
    const lines = this.#leftOut;
    this.#startedAt = this.#options.now();
    this.#written = 0;
    this.#leftOut = 0;
    this.#options.onLeftOut(lines);
  }
}

// Cuts a stream of bytes into lines. Chunks end anywhere: in the middle of a line or of a character, or
// after several lines.

/** A line without its end, or that there was one too long to be kept. */
export type Line = { readonly kind: 'line'; readonly text: string } | { readonly kind: 'too-long' };

const newline = 0x0a;

/** Cuts lines. Invariant: #parts holds the bytes since the last line end, #length of them, within the limit. */
export class LineCutter {
  readonly #longest: number;
  #parts: Buffer[] = [];
  #length = 0;

  constructor(longest: number) {
    this.#longest = longest;
  }

  /** True where the stream must not end: in the middle of a line. */
  get isInLine(): boolean {
    return this.#length > 0;
  }

  /** The lines that this chunk completes; after one that is too long there are no more. */
  *cut(chunk: Buffer): Generator<Line> {
    let from = 0;
    for (;;) {
      const end = chunk.indexOf(newline, from);
      const part = chunk.subarray(from, end === -1 ? chunk.length : end);
      if (this.#length + part.length > this.#longest) {
        yield { kind: 'too-long' };
        return;
      }
      if (end === -1) {
        this.#keep(part);
        return;
      }
      from = end + 1;
      yield { kind: 'line', text: this.#take(part) };
    }
  }

  // The bytes are decoded together, so that a character that was split is whole again.
  #take(last: Buffer): string {
    if (this.#length === 0) return last.toString('utf8');
    const line = Buffer.concat([...this.#parts, last]).toString('utf8');
    this.#parts = [];
    this.#length = 0;
    return line;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#length += part.length;
  }
}

// The body of one answer on its way to the client, with whatever a test does to it.
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { WireFault } from './faults.ts';

// Go's server writes answers of up to this size with a length, longer ones in chunks.
const mostUnchunked = 2048;

/** Writes one answer. Invariant: after #isStopped nothing is written any more. */
export class Wire {
  readonly #response: ServerResponse;
  readonly #fault: WireFault;
  #written = 0;
  #gathered: Buffer[] = [];
  #isStopped = false;

  constructor(response: ServerResponse, fault: WireFault = {}) {
    this.#response = response;
    this.#fault = fault;
  }

  /** The whole of an answer. */
  answer(status: number, text: string, headers: Readonly<Record<string, string>> = {}): void {
    const body = Buffer.from(text);
    this.#head(status, {
      ...headers,
      ...(body.length <= mostUnchunked ? { 'content-length': String(body.length) } : {}),
    });
    this.write(text);
    this.end();
  }

  /** The head of a watch; its lines follow. */
  open(): void {
    this.#head(200, {});
    this.#response.flushHeaders();
  }

  write(text: string): void {
    this.#gathered.push(Buffer.from(text));
    if (this.#gathered.length >= (this.#fault.gather ?? 1)) this.#flush();
  }

  /** Whether the client is behind with reading. */
  get isFull(): boolean {
    return !this.#isStopped && this.#response.writableNeedDrain;
  }

  /** Waits until it has caught up, or the signal comes. */
  async drained(signal: AbortSignal): Promise<void> {
    await once(this.#response, 'drain', { signal }).catch(() => {});
  }

  end(): void {
    this.#flush();
    if (!this.#isStopped) this.#response.end();
  }

  /** Nothing is said any more, and the connection stays. */
  freeze(): void {
    this.#isStopped = true;
  }

  #flush(): void {
    const body = Buffer.concat(this.#gathered.splice(0));
    const size = this.#fault.split ?? Math.max(body.length, 1);
    for (let from = 0; from < body.length; from += size) {
      this.#push(body.subarray(from, from + size));
    }
  }

  #push(piece: Buffer): void {
    const { cutAfter = Infinity, freezeAfter = Infinity } = this.#fault;
    if (this.#isStopped) return;
    const most = Math.min(cutAfter, freezeAfter) - this.#written;
    const sent = piece.subarray(0, Math.min(piece.length, Math.max(most, 0)));
    if (sent.length > 0) this.#response.write(sent);
    this.#written += sent.length;
    if (this.#written < Math.min(cutAfter, freezeAfter)) return;
    this.#isStopped = true;
    if (cutAfter <= freezeAfter) this.#cut();
  }

  // What was written goes out first; then the connection is gone without the end of the answer.
  #cut(): void {
    setImmediate(() => this.#response.destroy());
  }

  #head(status: number, headers: Readonly<Record<string, string>>): void {
    this.#response.writeHead(status, {
      'cache-control': 'no-cache, private',
      'content-type': 'application/json',
      ...headers,
    });
  }
}

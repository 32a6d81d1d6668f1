// A bearer token in a file, which the kubelet replaces long before it expires.
import { readFile } from 'node:fs/promises';

/** Reads the token anew for each request; of a file that cannot be read, the last token counts. */
export class TokenFile {
  readonly #path: string;
  #last: string | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  /** The token now; rejects where there was never one. */
  async read(): Promise<string> {
    try {
      const token = (await readFile(this.#path, 'utf8')).trim();
      if (token === '') throw new Error(`${this.#path} is empty`);
      this.#last = token;
      return token;
    } catch (error) {
      if (this.#last === undefined) throw error;
      return this.#last;
    }
  }
}

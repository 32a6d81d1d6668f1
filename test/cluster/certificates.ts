// Certificates made for one test run by openssl: an authority, and what it has signed.
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type KeyPair = { readonly key: string; readonly cert: string };

/** An authority in a folder of its own, which goes when it is disposed of. */
export class Authority implements Disposable {
  readonly folder = mkdtempSync(join(tmpdir(), 'sluice-ca-'));

  constructor() {
    const subject = ['-subj', '/CN=test authority', '-days', '2'];
    this.#openssl('req', '-x509', ...newKey, '-keyout', 'ca.key', '-out', 'ca.crt', ...subject);
  }

  /** The authority's own certificate. */
  get file(): string {
    return join(this.folder, 'ca.crt');
  }

  /** A key and a certificate for a server at the loopback, or for a client of that name. */
  sign(name: string): KeyPair {
    const [key, request, cert] = [`${name}.key`, `${name}.csr`, `${name}.crt`];
    this.#openssl('req', ...newKey, '-keyout', key, '-out', request, '-subj', `/CN=${name}`);
    writeFileSync(join(this.folder, 'san'), 'subjectAltName=IP:127.0.0.1,DNS:kubernetes.test\n');
    const authority = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial'];
    const terms = ['-days', '1', '-extfile', 'san'];
    this.#openssl('x509', '-req', '-in', request, '-out', cert, ...authority, ...terms);
    const read = (file: string): string => readFileSync(join(this.folder, file), 'utf8');
    return { key: read(key), cert: read(cert) };
  }

  [Symbol.dispose](): void {
    rmSync(this.folder, { recursive: true });
  }

  #openssl(...args: readonly string[]): void {
    execFileSync('openssl', args, { cwd: this.folder, stdio: 'pipe' });
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

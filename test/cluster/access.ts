// Ways to the stand-in that need signing in: certificates, kubeconfigs and tokens, in one folder.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stringify } from 'yaml';
import { textOf } from '../../src/cluster/api/connection/answer.ts';
import { ApiConnection } from '../../src/cluster/api/connection/connection.ts';
import type { ClusterAccess } from '../../src/cluster/api/connection/kubeconfig.ts';
import { Authority, type KeyPair } from './certificates.ts';
import { StandInApiServer, type StandInOptions } from './stand-in-api-server.ts';

export const servicesPath = '/api/v1/services';

/** What the server says to a list of Services: the kind of its answer, or the error. */
export async function ask(connection: ApiConnection): Promise<string> {
  const limits = { signal: new AbortController().signal, quietMs: () => 5000 };
  try {
    const text = await textOf(await connection.get(servicesPath, limits), 1e6);
    return (JSON.parse(text) as { readonly kind: string }).kind;
  } catch (error) {
    return (error as Error).message;
  }
}

/** The same over a connection of its own. */
export async function askOnce(access: ClusterAccess): Promise<string> {
  const connection = await ApiConnection.open(access);
  try {
    return await ask(connection);
  } finally {
    connection.close();
  }
}

/** A folder with an authority and what leads to its servers; it goes when it is disposed of. */
export class AccessFolder implements Disposable {
  readonly authority = new Authority();
  readonly #serverPair: KeyPair = this.authority.sign('server');

  /** A server that the authority vouches for. */
  async server(options: StandInOptions = {}): Promise<StandInApiServer> {
    return StandInApiServer.start({ ...options, tls: { ...this.#serverPair, ...options.tls } });
  }

  /** Writes a kubeconfig; returns its path. */
  kubeconfig(server: string, { cluster = {}, user = {} }: { cluster?: object; user?: object }) {
    const text = stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [
        { name: 'default', cluster: { server, 'certificate-authority': 'ca.crt', ...cluster } },
      ],
      users: [{ name: 'default', user }],
      contexts: [{ name: 'default', context: { cluster: 'default', user: 'default' } }],
      'current-context': 'default',
    });
    return this.write('kubeconfig', text);
  }

  /** Writes a file; returns its path. */
  write(name: string, text: string): string {
    writeFileSync(this.path(name), text);
    return this.path(name);
  }

  path(name: string): string {
    return join(this.authority.folder, name);
  }

  [Symbol.dispose](): void {
    this.authority[Symbol.dispose]();
  }
}

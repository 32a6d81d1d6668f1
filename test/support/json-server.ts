// What a daemon's metrics server answers, from values that a test has.
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';

/** A server on loopback, until it is disposed of. */
export type JsonServer = AsyncDisposable & { readonly url: string };

/** Serves what `answer` has at each path as JSON; where that is undefined, 404. */
export async function serveJson(answer: (path: string) => unknown): Promise<JsonServer> {
  const server = createServer(({ url = '' }, response) => {
    const body = JSON.stringify(answer(url));
    response.writeHead(body === undefined ? 404 : 200).end(body);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, 'close');
    },
  };
}

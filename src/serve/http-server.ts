// An HTTP server for an Answerer, at one address, for as long as the proxy runs: an address that is taken
// is tried again, or ends the proxy where that is asked for.
import { once } from 'node:events';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { createServer } from 'node:http';
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { BindError } from '../errors.ts';
import type { SocketAddress } from '../model/config.ts';
import { hostPort } from '../model/forwarding.ts';
import type { Answerer } from './answer.ts';

export type ServeOptions = {
  /** What is served, for the log: `health`. */
  readonly what: string;
  readonly address: SocketAddress;
  readonly answer: Answerer;
  /** Give up at the first address that cannot be had. */
  readonly isHardFail: boolean;
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly retryDelayMs?: number;
};

// As kube-proxy.
const defaultRetryDelayMs = 5000;

/** Serves until the signal comes. Throws BindError where `isHardFail` and the address cannot be had. */
export async function serve(options: ServeOptions): Promise<void> {
  const { what, address, log, signal, isHardFail } = options;
  const shown = hostPort(address.ip, address.port);
  let lastFailure = '';
  while (!signal.aborted) {
    try {
      const server = await listen(createServer(listenerFor(options)), address);
      log.info({ address: shown }, `serving ${what}`);
      await ended(signal);
      close(server);
    } catch (error) {
      const failure = new BindError(what, shown, error as Error);
      if (isHardFail) throw failure;
      if (failure.message !== lastFailure) log.warn({ error: failure.message }, 'trying again');
      lastFailure = failure.message;
      const retryDelayMs = options.retryDelayMs ?? defaultRetryDelayMs;
      await delay(retryDelayMs, undefined, { signal }).catch(() => {});
    }
  }
}

function listenerFor({ answer, log, what }: ServeOptions) {
  return (request: IncomingMessage, response: ServerResponse): void => {
    request.resume();
    respond(answer, request, response).catch((error: unknown) => {
      log.error({ err: error, path: request.url }, `cannot serve ${what}`);
      if (!response.headersSent) response.writeHead(500);
      response.end();
    });
  };
}

async function respond(
  answer: Answerer,
  { url = '/' }: IncomingMessage,
  response: ServerResponse,
): Promise<void> {
  const [path = '/'] = url.split('?', 1);
  const { status, headers, body } = await answer(path);
  response.writeHead(status, { ...headers, 'Content-Length': Buffer.byteLength(body) });
  response.end(body);
}

// As in Go, an address that stands for all of them means those of both families, where there are two.
async function listen(server: Server, { ip, port }: SocketAddress): Promise<Server> {
  if (ip !== '0.0.0.0' && ip !== '::') return listenAt(server, ip, port);
  try {
    return await listenAt(server, '::', port);
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code !== 'EAFNOSUPPORT' && code !== 'EADDRNOTAVAIL') throw error;
    return listenAt(server, '0.0.0.0', port);
  }
}

async function listenAt(server: Server, host: string, port: number): Promise<Server> {
  server.listen({ host, port });
  // Rejects where the server has an error instead.
  await once(server, 'listening');
  return server;
}

async function ended(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  const { promise, resolve } = Promise.withResolvers<void>();
  signal.addEventListener('abort', () => resolve(), { once: true });
  await promise;
}

function close(server: Server): void {
  server.close();
  server.closeAllConnections();
}

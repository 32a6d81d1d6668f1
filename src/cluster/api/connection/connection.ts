// Talks HTTP to the API server: a path in, a signed request, the answer as it comes out. Whatever fails,
// also silence, becomes an ApiError; nothing is tried again here but what costs the server nothing.
import http, { type IncomingMessage } from 'node:http';
import https from 'node:https';
import type { Socket } from 'node:net';
import { ApiError } from '../../../errors.ts';
import type { SocketAddress } from '../../../model/config.ts';
import { parseIp } from '../../../model/ip.ts';
import { answerBytes, answerText, refusal } from './answer.ts';
import { systemClock, type Clock } from '../clock.ts';
import type { ClusterAccess } from './kubeconfig.ts';
import { Silence } from './silence.ts';
import { SignIn, type SignedOptions } from './sign-in.ts';
import { defaultTiming, type Timing } from '../timing.ts';

/** How one request is made. */
export type RequestLimits = {
  readonly signal: AbortSignal;
  /** How long the answer may pause; it may become more while it comes, but not less. */
  readonly quietMs: () => number;
  /** Called with the number of bytes in each piece of an answer. */
  readonly onBytes?: (count: number) => void;
};

/** What is asked. */
export type Question = {
  readonly method: 'GET' | 'POST';
  readonly path: string;
  /** JSON; undefined where the method has none. */
  readonly body?: string;
};

// More than a server has replicas.
const mostPeers = 16;

export type ConnectionOptions = {
  readonly signIn: SignIn;
  readonly clock?: Clock;
  readonly timing?: Timing;
};

/** A way to the API server over few long-lived TCP connections. */
export class ApiConnection {
  readonly #signIn: SignIn;
  readonly #clock: Clock;
  readonly #timing: Timing;
  readonly #prepared = new WeakSet<Socket>();
  readonly #peers = new Map<string, SocketAddress>();
  readonly #agents = {
    'http:': new http.Agent({ keepAlive: true }),
    'https:': new https.Agent({ keepAlive: true }),
  };

  constructor({ signIn, clock = systemClock, timing = defaultTiming }: ConnectionOptions) {
    this.#signIn = signIn;
    this.#clock = clock;
    this.#timing = timing;
  }

  /** Throws ClusterAccessError where `access` leads nowhere; does not ask the server yet. */
  static async open(access: ClusterAccess, timing = defaultTiming): Promise<ApiConnection> {
    return new ApiConnection({ signIn: await SignIn.load(access), timing });
  }

  /** Hears when the server was reached at an address that is not in `peers` yet. */
  onPeer: () => void = () => {};

  /** Where the server was reached: the last few addresses, of a proxy where one is used. */
  get peers(): readonly SocketAddress[] {
    return [...this.#peers.values()];
  }

  /** The bytes of the answer to GET, which came with status 200; any other status is thrown. */
  async get(path: string, limits: RequestLimits): Promise<AsyncIterable<Buffer>> {
    const question = { method: 'GET', path } as const;
    const answer = await this.#ask(question, limits);
    const reading = { clock: this.#clock, ...limits };
    if (answer.statusCode !== 200) {
      throw refusal(question, answer, await answerText(answer, reading));
    }
    return answerBytes(answer, reading);
  }

  /** Sends an object by POST; any status but 2xx is thrown. What the server made of it is not read. */
  async post(path: string, object: object, limits: RequestLimits): Promise<void> {
    const question = { method: 'POST', path, body: JSON.stringify(object) } as const;
    const answer = await this.#ask(question, limits);
    const text = await answerText(answer, { clock: this.#clock, ...limits });
    const { statusCode = 0 } = answer;
    if (statusCode < 200 || statusCode > 299) throw refusal(question, answer, text);
  }

  /** Lets go of all connections. */
  close(): void {
    for (const agent of Object.values(this.#agents)) agent.destroy();
  }

  async #ask(question: Question, limits: RequestLimits): Promise<IncomingMessage> {
    const answer = await this.#send(question, limits.signal);
    if (answer.statusCode !== 401) return answer;
    await answerText(answer, { clock: this.#clock, ...limits });
    // The token may have been replaced since; a second refusal is one.
    await this.#signIn.renew().catch((error: unknown) => {
      throw new ApiError(`cannot sign in again: ${(error as Error).message}`, { status: 401 });
    });
    return this.#send(question, limits.signal);
  }

  async #send(question: Question, signal: AbortSignal): Promise<IncomingMessage> {
    const silence = new Silence({ clock: this.#clock, limitMs: () => this.#timing.answerMs });
    const ending = AbortSignal.any([signal, silence.signal]);
    let isSigned = false;
    try {
      const signed = await unless(ending, this.#signIn.options());
      isSigned = true;
      return await this.#request(question, signed, ending);
    } catch (error) {
      // A connection that is dead may have siblings in the pool.
      if (silence.signal.aborted) this.#dropIdle();
      throw asApiError(error, ending, { ...question, isUnanswered: isSigned });
    } finally {
      silence.end();
    }
  }

  async #request(
    { method, path, body }: Question,
    { server, options }: SignedOptions,
    signal: AbortSignal,
  ): Promise<IncomingMessage> {
    const protocol = server.protocol as 'http:' | 'https:';
    const { request } = protocol === 'http:' ? http : https;
    const url = new URL(`${server.pathname.replace(/\/$/, '')}${path}`, server);
    const length = body === undefined ? 0 : Buffer.byteLength(body);
    const content = { 'content-type': 'application/json', 'content-length': length };
    const own = {
      accept: 'application/json',
      'user-agent': 'sluice',
      ...(body === undefined ? {} : content),
    };
    const headers = { ...own, ...(options.headers as http.OutgoingHttpHeaders | undefined) };
    const all = { agent: this.#agents[protocol], ...options, method, headers, signal };
    for (;;) {
      const sent = request(url, all as https.RequestOptions);
      try {
        return await this.#answerTo(sent, body);
      } catch (error) {
        // The server closed the idle connection just when it was taken from the pool.
        const wasClosed = (error as NodeJS.ErrnoException).code === 'ECONNRESET';
        if (!sent.reusedSocket || !wasClosed || signal.aborted) throw error;
      }
    }
  }

  async #answerTo(sent: http.ClientRequest, body: string | undefined): Promise<IncomingMessage> {
    const { promise, resolve, reject } = Promise.withResolvers<IncomingMessage>();
    sent.on('socket', (socket) => {
      this.#prepare(socket);
      if (socket.connecting) void this.#limitConnecting(sent, socket);
    });
    sent.on('response', (answer) => {
      // Whoever reads it sees its errors; one that comes just as the reader leaves would end the process.
      answer.on('error', () => {});
      resolve(answer);
    });
    sent.on('error', reject);
    sent.end(body);
    return promise;
  }

  // Where packets are lost without a word, the kernel would wait for minutes, and longer each time.
  async #limitConnecting(sent: http.ClientRequest, socket: Socket): Promise<void> {
    const done = new AbortController();
    for (const event of ['connect', 'close']) socket.once(event, () => done.abort());
    await this.#clock.delay(this.#timing.connectMs, done.signal);
    // In a busy turn of the event loop a timer rings before what came earlier is read.
    await new Promise((resolve) => void setImmediate(resolve));
    if (!socket.connecting || socket.destroyed) return;
    sent.destroy(new Error(`no connection within ${this.#timing.connectMs / 1000} s`));
  }

  #prepare(socket: Socket): void {
    if (this.#prepared.has(socket)) return;
    this.#prepared.add(socket);
    socket.setKeepAlive(true, this.#timing.keepAliveMs);
    if (socket.connecting) socket.once('connect', () => this.#notePeer(socket));
    else this.#notePeer(socket);
    // Node leaves a socket without a listener between one answer and the pool; an abort in that very
    // turn would end the process.
    socket.on('error', () => {});
  }

  #notePeer({ remoteAddress = '', remotePort: port = 0 }: Socket): void {
    const ip = parseIp(remoteAddress.replace(/^::ffff:(?=\d+\.)/, ''));
    const id = `${ip} ${port}`;
    if (ip === undefined || this.#peers.has(id)) return;
    this.#peers.set(id, { ip, port });
    const [oldest = ''] = this.#peers.keys();
    if (this.#peers.size > mostPeers) this.#peers.delete(oldest);
    this.onPeer();
  }

  #dropIdle(): void {
    for (const agent of Object.values(this.#agents)) {
      for (const sockets of Object.values(agent.freeSockets)) {
        for (const socket of sockets ?? []) socket.destroy();
      }
    }
  }
}

/** The value, unless the signal comes first; what signs in (a plugin, say) may hang too. */
async function unless<T>(signal: AbortSignal, value: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const stop = (): void => reject(signal.reason as Error);
  if (signal.aborted) stop();
  signal.addEventListener('abort', stop);
  try {
    return await Promise.race([value, promise]);
  } finally {
    signal.removeEventListener('abort', stop);
  }
}

function asApiError(
  error: unknown,
  signal: AbortSignal,
  { method, path, isUnanswered }: Question & { readonly isUnanswered: boolean },
): ApiError {
  const cause = (signal.aborted ? signal.reason : error) as Error;
  const isTimeout = cause instanceof ApiError && cause.isTimeout;
  return new ApiError(
    `${method} ${path.split('?')[0]}: ${reasonOf(cause)}`,
    { isTimeout, isUnanswered },
    { cause },
  );
}

// A host with several addresses fails with one error for each of them and no message of its own.
function reasonOf(error: Error): string {
  if (error instanceof AggregateError && error.message === '') {
    return error.errors.map((inner) => (inner as Error).message).join('; ');
  }
  return error.message;
}

// An API server for tests: it says what a real one was recorded to say (fixtures/recordings), about the
// objects that a test gives it, and fails in the ways that a test asks for.
import http, { type IncomingMessage, type ServerResponse } from 'node:http';
import https from 'node:https';
import type { AddressInfo, Socket } from 'node:net';
import { systemClock, type Clock } from '../../src/cluster/api/clock.ts';
import { EventSink, eventsInfo, readJson } from './stand-in/events.ts';
import { FaultPlan, type Fault, type Matching, type SeenRequest } from './stand-in/faults.ts';
import { idOf, kinds, type KindInfo, type RawObject } from './stand-in/kinds.ts';
import { badVersion, forbidden, listBody, notFound, plainStatus } from './stand-in/replies.ts';
import { readToken, type Reply } from './stand-in/replies.ts';
import { selectorOf, type Selector } from './stand-in/selectors.ts';
import { Store } from './stand-in/store.ts';
import { serveWatch } from './stand-in/watch-stream.ts';
import { Wire } from './stand-in/wire.ts';

export type StandInOptions = {
  /** HTTPS with these; plain HTTP without. */
  readonly tls?: https.ServerOptions;
  /** The bearer tokens that count; without, nobody is asked for one. */
  readonly tokens?: Set<string>;
  readonly clock?: Clock;
};

/** A server on a port of this machine's loopback. Invariant: #wires holds the answers under way. */
export class StandInApiServer implements AsyncDisposable {
  readonly store = new Store();
  readonly requests: SeenRequest[] = [];
  /** The Events that were created. */
  readonly events = new EventSink();
  /** Called with each new connection. */
  onConnection: (socket: Socket) => void = () => {};
  /** Called with each request, before it is answered. */
  onRequest: (request: SeenRequest) => void = () => {};
  readonly #options: StandInOptions;
  readonly #plan = new FaultPlan();
  readonly #server: http.Server;
  readonly #sockets = new Set<Socket>();
  readonly #wires = new Set<Wire>();
  // The rest of lists of which a page was given out, by kind and version.
  readonly #snapshots = new Map<string, readonly RawObject[]>();
  readonly #waiting = new Set<() => void>();
  #port = 0;

  private constructor(options: StandInOptions) {
    this.#options = options;
    const listener = (request: IncomingMessage, response: ServerResponse): void =>
      void this.#serve(request, response);
    this.#server =
      options.tls === undefined
        ? http.createServer(listener)
        : https.createServer(options.tls, listener);
    this.#server.on(
      options.tls === undefined ? 'connection' : 'secureConnection',
      (socket: Socket) => {
        this.#sockets.add(socket);
        this.onConnection(socket);
        socket.on('close', () => this.#sockets.delete(socket));
        socket.on('error', () => {});
      },
    );
    this.#server.on('tlsClientError', () => {});
  }

  static async start(options: StandInOptions = {}): Promise<StandInApiServer> {
    const server = new StandInApiServer(options);
    await server.comeBack();
    return server;
  }

  get url(): string {
    return `${this.#options.tls === undefined ? 'http' : 'https'}://127.0.0.1:${this.#port}`;
  }

  get isListening(): boolean {
    return this.#server.listening;
  }

  /** How many TCP connections there are. */
  get connections(): number {
    return this.#sockets.size;
  }

  /** How many requests are being answered. */
  get answering(): number {
    return this.#wires.size;
  }

  /** The next requests that match (all, unless told) meet the fault. */
  fail(fault: Fault, how: { readonly matching?: Matching; readonly times?: number } = {}): void {
    this.#plan.add(fault, how);
  }

  /** From now on nothing goes wrong any more; what hangs goes on hanging. */
  heal(): void {
    this.#plan.clear();
  }

  /** Cuts every connection. */
  dropConnections(): void {
    for (const socket of this.#sockets) socket.destroy();
  }

  /** Half-open: every answer under way stops where it is, and its connection stays. */
  freeze(): void {
    for (const wire of this.#wires) wire.freeze();
  }

  /** What happened so far can no longer be watched, nor lists be continued. */
  compact(before?: number): void {
    this.store.compact(before);
    this.#snapshots.clear();
  }

  /** Does not listen any more, and cuts every connection. */
  async goAway(): Promise<void> {
    const closed = new Promise((resolve) => this.#server.close(resolve));
    this.dropConnections();
    await closed;
  }

  /** Listens, on the same port as before. */
  async comeBack(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  /** Resolves when so many requests that match have come, counted from the start. */
  async seen(matching: Matching, times = 1): Promise<readonly SeenRequest[]> {
    for (;;) {
      const found = this.requests.filter(matching);
      if (found.length >= times) return found;
      await new Promise<void>((resolve) => this.#waiting.add(resolve));
    }
  }

  /** Resolves when there is no connection any more. */
  async disconnected(): Promise<void> {
    while (this.#sockets.size > 0) {
      const [socket] = this.#sockets;
      await new Promise((resolve) => socket?.once('close', resolve));
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#server.listening) await this.goAway();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? '/', this.url);
    const seen = seenRequest(request, url);
    this.requests.push(seen);
    this.onRequest(seen);
    for (const tell of this.#waiting) tell();
    this.#waiting.clear();
    const fault = this.#plan.take(seen);
    if (fault?.kind === 'silence') return;
    if (fault?.kind === 'reset') {
      request.socket.destroy();
      return;
    }
    if (fault?.kind === 'hold') await fault.until;
    const wire = new Wire(response, fault?.kind === 'wire' ? fault : {});
    this.#wires.add(wire);
    const gone = new AbortController();
    response.on('close', () => {
      this.#wires.delete(wire);
      gone.abort();
    });
    response.on('error', () => {});
    if (seen.style === 'create') return this.#create(wire, { request, seen, fault });
    await this.#answer(wire, { seen, fault, signal: gone.signal });
  }

  async #create(
    wire: Wire,
    {
      request,
      seen,
      fault,
    }: { request: IncomingMessage; seen: SeenRequest; fault: Fault | undefined },
  ): Promise<void> {
    const object = await readJson(request);
    const refused = this.#refusal(seen, eventsInfo, fault);
    send(wire, refused ?? this.events.create(seen.path, object));
  }

  async #answer(
    wire: Wire,
    { seen, fault, signal }: { seen: SeenRequest; fault: Fault | undefined; signal: AbortSignal },
  ): Promise<void> {
    const info = infoOf(seen.path);
    if (info === undefined) return wire.answer(404, '404 page not found\n');
    if (fault?.kind === 'say') return wire.answer(200, fault.text);
    const refused = this.#refusal(seen, info, fault);
    if (refused !== undefined) return send(wire, refused);
    if (seen.style === 'get') return send(wire, this.#get(seen, info));
    if (seen.style === 'list') return send(wire, this.#list(seen, info));
    const matches = selectorOf(seen.query);
    const clock = this.#options.clock ?? systemClock;
    const watch = { store: this.store, info, matches, request: seen, fault, clock, signal };
    await serveWatch(wire, watch);
  }

  #refusal(
    seen: SeenRequest,
    info: Pick<KindInfo, 'plural' | 'group'> & { readonly kind: string },
    fault: Fault | undefined,
  ): Reply | undefined {
    if (fault?.kind === 'status') {
      const reply = plainStatus(fault.code, info);
      const headers = fault.retryAfter === undefined ? {} : { 'retry-after': fault.retryAfter };
      return { ...reply, headers: { ...reply.headers, ...headers } };
    }
    const { authorization } = seen.headers;
    const { tokens } = this.#options;
    if (tokens !== undefined && authorization === undefined) {
      return forbidden(info.plural, info.group);
    }
    if (tokens !== undefined && !tokens.has(String(authorization).replace(/^Bearer /, ''))) {
      return plainStatus(401, info);
    }
    const version = seen.query.get('resourceVersion') ?? '';
    return /^\d*$/.test(version) ? undefined : badVersion(version);
  }

  #get({ path }: SeenRequest, info: KindInfo): Reply {
    const name = path.slice(info.path.length + 1);
    const object = this.store.get(info.kind, name);
    if (object === undefined) return notFound(info, name);
    const { kind, apiVersion } = info;
    return { status: 200, body: { kind, apiVersion, ...object } };
  }

  #list({ path, query }: SeenRequest, info: KindInfo): Reply {
    const token = query.get('continue');
    const from = token === null ? undefined : readToken(token);
    const version = from?.version ?? this.store.version;
    const all =
      from === undefined
        ? this.store.list(info.kind, inNamespaceOf(path, selectorOf(query)))
        : this.#snapshots.get(`${info.kind} ${from.version}`);
    if (all === undefined) return plainStatus(410, info);
    const first = from === undefined ? 0 : all.findIndex((object) => idOf(object) > from.start);
    const limit = Number(query.get('limit') ?? '0') || all.length;
    const items = all.slice(first, first + limit);
    const remaining = all.length - first - items.length;
    if (remaining > 0) this.#snapshots.set(`${info.kind} ${version}`, all);
    const start = items.length === 0 ? '' : idOf(items.at(-1) as RawObject);
    return { status: 200, body: listBody(info, { items, version, remaining, start }) };
  }
}

// A list of one namespace is told apart by its selector alone.
function inAllNamespaces(path: string): string {
  return path.replace(/\/namespaces\/[^/]+(?=\/services$)/, '');
}

function inNamespaceOf(path: string, matches: Selector): Selector {
  const [, wanted] = /\/namespaces\/([^/]+)\/services$/.exec(path) ?? [];
  return (object) =>
    matches(object) && (wanted === undefined || object.metadata.namespace === wanted);
}

function infoOf(path: string): KindInfo | undefined {
  const all = inAllNamespaces(path);
  return kinds.find((info) => all === info.path || all.startsWith(`${info.path}/`));
}

function send(wire: Wire, { status, body, headers }: Reply): void {
  wire.answer(status, `${JSON.stringify(body)}\n`, headers);
}

function seenRequest({ method = '', headers }: IncomingMessage, url: URL): SeenRequest {
  const query = url.searchParams;
  const isWatch = query.get('watch') === 'true';
  const isNamed = !kinds.some(({ path }) => path === inAllNamespaces(url.pathname));
  const watchStyle = query.get('sendInitialEvents') === 'true' ? 'watch-list' : 'watch';
  const listStyle = isNamed ? 'get' : 'list';
  const readStyle = isWatch ? watchStyle : listStyle;
  const style = method === 'POST' ? 'create' : readStyle;
  return { method, path: url.pathname, query, headers, style };
}

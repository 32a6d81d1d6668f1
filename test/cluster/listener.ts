// A reflector under test: what it tells is kept as a strict listener would keep it, so that telling twice
// or of something unknown is an error.
import { ApiConnection } from '../../src/cluster/api/connection/connection.ts';
import { Reflector } from '../../src/cluster/api/watch/reflector.ts';
import type { ReflectorEvent } from '../../src/cluster/api/watch/reflector-event.ts';
import { resourcesOf } from '../../src/cluster/api/watch/resources.ts';
import { SignIn } from '../../src/cluster/api/connection/sign-in.ts';
import { defaultTiming, type Timing } from '../../src/cluster/api/timing.ts';
import type { Clock } from '../../src/cluster/api/clock.ts';
import type { ClusterChange, ClusterObject } from '../../src/model/kubernetes.ts';
import type { StandInApiServer } from './stand-in-api-server.ts';
import type { KindName } from './stand-in/kinds.ts';

export type ListenerOptions = {
  readonly kind?: KindName;
  readonly clock?: Clock;
  readonly timing?: Partial<Timing>;
  readonly random?: () => number;
  readonly connection?: ApiConnection;
  /** The signal comes right in the middle of this event. */
  readonly stopAt?: ReflectorEvent['kind'];
};

/** Fast tries, for tests that do not look at time. */
export const fast: Partial<Timing> = { backoffMs: { min: 1, max: 4 }, shortWatchMs: 0 };

/** Listens to one reflector until it is disposed of. Invariant: #objects is what was told, all in all. */
export class Listener implements AsyncDisposable {
  readonly changes: ClusterChange[] = [];
  readonly events: ReflectorEvent[] = [];
  readonly faults: string[] = [];
  readonly #objects = new Map<string, ClusterObject>();
  readonly #ending = new AbortController();
  readonly #connection: ApiConnection;
  readonly #running: Promise<void>;
  #waiting: (() => void)[] = [];

  private constructor(connection: ApiConnection, options: ListenerOptions) {
    this.#connection = connection;
    const resource = resourcesOf('node-1').find(({ kind }) => kind === (options.kind ?? 'Service'));
    if (resource === undefined) throw new Error('no such kind');
    const { clock, random } = options;
    const reflector = new Reflector({
      connection,
      resource,
      signal: this.#ending.signal,
      onChanges: (changes) => this.#hear(changes),
      onEvent: (event) => {
        if (this.#ending.signal.aborted) this.faults.push('an event after the end');
        this.events.push(event);
        if (event.kind === options.stopAt) this.#ending.abort();
        this.#wake();
      },
      timing: { ...defaultTiming, ...options.timing },
      ...(clock ? { clock } : {}),
      ...(random ? { random } : {}),
    });
    this.#running = reflector.run();
  }

  static async start(server: StandInApiServer, options: ListenerOptions = {}): Promise<Listener> {
    const connection = options.connection ?? (await connectTo(server, options));
    return new Listener(connection, options);
  }

  /** What was told, by id. */
  get objects(): ReadonlyMap<string, ClusterObject> {
    return this.#objects;
  }

  /** The Services that were told of, as `name:port`, sorted. */
  get services(): readonly string[] {
    return [...this.#objects.values()]
      .flatMap((object) => (object.kind === 'Service' ? [object.value] : []))
      .map(({ name, ports }) => `${name}:${ports[0]?.port}`)
      .toSorted();
  }

  /** What changed since this was last called, as `set default/a` or `delete default/a`. */
  news(): readonly string[] {
    return this.changes
      .splice(0)
      .map((change) => (change.op === 'set' ? `set ${change.object.id}` : `delete ${change.id}`));
  }

  /** Resolves when that is so; looked at after everything that is told. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** Resolves with the n-th event of the kind, counted from the start. */
  async event<K extends ReflectorEvent['kind']>(
    kind: K,
    n = 1,
  ): Promise<Extract<ReflectorEvent, { kind: K }>> {
    const ofKind = (): readonly ReflectorEvent[] => this.events.filter((e) => e.kind === kind);
    await this.until(() => ofKind().length >= n);
    return ofKind()[n - 1] as Extract<ReflectorEvent, { kind: K }>;
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.#running;
    this.#connection.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #hear(changes: readonly ClusterChange[]): void {
    if (this.#ending.signal.aborted) this.faults.push('told after the end');
    if (changes.length === 0) this.faults.push('told of nothing');
    for (const change of changes) {
      this.changes.push(change);
      if (change.op === 'delete') {
        if (!this.#objects.delete(change.id)) this.faults.push(`unknown ${change.id} is gone`);
        continue;
      }
      const known = this.#objects.get(change.object.id);
      if (JSON.stringify(known) === JSON.stringify(change.object)) {
        this.faults.push(`${change.object.id} is told of again`);
      }
      this.#objects.set(change.object.id, change.object);
    }
    this.#wake();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A connection to the stand-in. */
export async function connectTo(
  server: StandInApiServer,
  { clock, timing }: ListenerOptions = {},
): Promise<ApiConnection> {
  const signIn = await SignIn.load({ master: server.url });
  return new ApiConnection({
    signIn,
    timing: { ...defaultTiming, ...timing },
    ...(clock ? { clock } : {}),
  });
}

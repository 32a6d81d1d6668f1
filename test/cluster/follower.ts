// Follows a cluster and keeps what is delivered, logged and said of its health; and a small cluster to follow.
import { followCluster, type ClusterSource } from '../../src/cluster/api/follow-cluster.ts';
import type { ClusterHealth } from '../../src/cluster/api/health.ts';
import { defaultTiming } from '../../src/cluster/api/timing.ts';
import type { ClusterChange } from '../../src/model/kubernetes.ts';
import { createLog } from '../../src/serve/log.ts';
import { connectTo, fast } from './listener.ts';
import { rawNode, rawService, rawServiceCidr, rawSlice } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import type { Matching } from './stand-in/faults.ts';

type Batch = { readonly changes: readonly ClusterChange[]; readonly version: string };

/** Follows a cluster. Invariant: #batches holds what was delivered, `lines` what was logged. */
export class Follower implements AsyncDisposable {
  readonly batches: Batch[] = [];
  /** What was delivered of where the server is, which is in no batch here. */
  readonly apiServer: ClusterChange[] = [];
  readonly health: ClusterHealth[] = [];
  readonly lines: Readonly<Record<string, unknown>>[] = [];
  readonly running: Promise<void>;
  readonly #ending = new AbortController();
  #waiting: (() => void)[] = [];

  private constructor(source: Omit<ClusterSource, 'signal' | 'log' | 'nodeName'>) {
    const stream = { write: (text: string) => this.lines.push(JSON.parse(text)) };
    this.running = followCluster(
      {
        nodeName: 'node-1',
        timing: { ...defaultTiming, ...fast },
        ...source,
        signal: this.#ending.signal,
        log: createLog({ stream: stream as unknown as NodeJS.WritableStream, verbosity: 2 }),
        onHealth: (health) => this.health.push(health),
        onEvent: () => this.#wake(),
      },
      (batch) => {
        const ofServer = batch.changes.filter(isOfServer);
        this.apiServer.push(...ofServer);
        const others = batch.changes.filter((change) => !isOfServer(change));
        this.batches.push({ ...batch, changes: others });
        this.#wake();
      },
    );
  }

  static async start(server: StandInApiServer, source: Partial<ClusterSource> = {}) {
    const { clock } = source;
    const connection = await connectTo(server, { timing: fast, ...(clock ? { clock } : {}) });
    return new Follower({ connection, ...source });
  }

  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  /** The n-th batch, as `set Service default/a`. */
  async batch(n = 1): Promise<readonly string[]> {
    await this.until(() => this.batches.length >= n);
    return (this.batches[n - 1]?.changes ?? []).map((change) =>
      change.op === 'set'
        ? `set ${change.object.kind} ${change.object.id}`
        : `delete ${change.kind} ${change.id}`,
    );
  }

  get messages(): readonly unknown[] {
    return this.lines.map(({ msg }) => msg);
  }

  async stop(): Promise<void> {
    this.#ending.abort();
    await this.running;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #wake(): void {
    for (const wake of this.#waiting.splice(0)) wake();
  }
}

/** A server with one object of each kind. */
export async function smallCluster(): Promise<StandInApiServer> {
  const server = await StandInApiServer.start();
  server.store.set('Service', rawService('a'));
  server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.1']));
  server.store.set('Node', rawNode('node-1'));
  server.store.set('Node', rawNode('node-2'));
  server.store.set('ServiceCIDR', rawServiceCidr);
  return server;
}

/** Requests for this resource. */
export const of =
  (resource: string): Matching =>
  ({ path }) =>
    path.endsWith(`/${resource}`);

function isOfServer(change: ClusterChange): boolean {
  return change.op === 'set' && change.object.kind === 'APIServer';
}

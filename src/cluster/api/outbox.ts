// Where changes wait for the loop: what reflectors report in, batches out. The first batch waits for all
// first lists and, for a while, for this Node; after that there is one a turn of the event loop.
import type { Logger } from 'pino';
import type { ClusterChange, Node } from '../../model/kubernetes.ts';
import { systemClock, type Clock } from './clock.ts';

export type Deliver = (batch: {
  readonly changes: readonly ClusterChange[];
  readonly version: string;
}) => void;

export type OutboxOptions = {
  readonly nodeName: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Whether the Node has what the proxy needs of it. */
  readonly isNodeReady?: (node: Node | undefined) => boolean;
  readonly nodeWaitMs?: number;
  readonly clock?: Clock;
};

// As long as kube-proxy waits for its Node to have an address.
const defaultNodeWaitMs = 30_000;

/**
 * Gathers changes into batches. Invariant: #changes is what no batch had yet, in order, and #versions
 * says what it leads to.
 */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #deliver: Deliver;
  readonly #opened = Promise.withResolvers<void>();
  readonly #nodeReady = new AbortController();
  #changes: ClusterChange[] = [];
  #versions = new Set<string>();
  #wake: () => void = () => {};

  constructor(options: OutboxOptions, deliver: Deliver) {
    this.#options = options;
    this.#deliver = deliver;
    options.signal.addEventListener('abort', () => {
      this.#opened.resolve();
      this.#wake();
    });
  }

  /** Changes that lead to `version`, if that is one; they go along with the next batch. */
  put(changes: readonly ClusterChange[], version?: string): void {
    for (const change of changes) this.#changes.push(change);
    if (version !== undefined) this.#versions.add(version);
    if (changes.some((change) => this.#isReadyNode(change))) this.#nodeReady.abort();
    this.#wake();
  }

  /** Every first list is in. */
  open(): void {
    this.#opened.resolve();
  }

  /** Delivers until the signal comes; rejects with what `deliver` throws. */
  async run(): Promise<void> {
    // A signal that came before there was anyone to hear it.
    if (this.#options.signal.aborted) return;
    await this.#opened.promise;
    await this.#waitForNode();
    // The first batch goes out even where the cluster is empty.
    for (let isFirst = true; !this.#options.signal.aborted; isFirst = false) {
      if (!isFirst && this.#isEmpty) await this.#something();
      // What the same turn still brings goes along.
      await new Promise((resolve) => void setImmediate(resolve));
      if (this.#options.signal.aborted) return;
      const batch = { changes: this.#changes, version: [...this.#versions].join(', ') };
      this.#changes = [];
      this.#versions = new Set();
      this.#deliver(batch);
    }
  }

  get #isEmpty(): boolean {
    return this.#changes.length === 0 && this.#versions.size === 0;
  }

  async #waitForNode(): Promise<void> {
    const { nodeName, signal, log, clock = systemClock } = this.#options;
    const { isNodeReady = hasAddress, nodeWaitMs = defaultNodeWaitMs } = this.#options;
    if (this.#nodeReady.signal.aborted || signal.aborted || isNodeReady(undefined)) return;
    log.info({ node: nodeName, seconds: nodeWaitMs / 1000 }, 'waiting for this Node');
    const until = AbortSignal.any([signal, this.#nodeReady.signal]);
    await clock.delay(nodeWaitMs, until);
    if (until.aborted) return;
    log.error({ node: nodeName }, 'this Node is not there, or lacks what is needed; going on');
  }

  #isReadyNode(change: ClusterChange): boolean {
    const { isNodeReady = hasAddress } = this.#options;
    return change.op === 'set' && change.object.kind === 'Node' && isNodeReady(change.object.value);
  }

  async #something(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#wake = resolve;
    if (this.#options.signal.aborted) return;
    await promise;
    this.#wake = () => {};
  }
}

function hasAddress(node: Node | undefined): boolean {
  return node !== undefined && node.ips.length > 0;
}

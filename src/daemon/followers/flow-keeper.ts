// Lets go of flows that lead nowhere any more, beside the passes: no pass ever waits for it.
import type { Logger } from 'pino';
import { MissingToolError } from '../../errors.ts';
import type { FlowSelection, Removal } from '../../host/netfilter/conntrack.ts';
import type { Family } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { FlowView } from '../../netfilter/flows.ts';
import { flowJudge, watchedProtocols } from '../../netfilter/flows.ts';

/** What a FlowKeeper works with. */
export type FlowKeeperOptions = {
  readonly remove: (selection: FlowSelection) => Promise<Removal>;
  /** What a family's rules are at the time of the call. */
  readonly view: (family: Family) => FlowView;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** The ids of frontends, by family. */
type Work = Map<Family, ReadonlySet<string>>;

/**
 * Runs one removal at a time. Invariant: #waiting holds the frontends that no removal has looked at
 * since they were handed over, #left those that one could not finish with.
 */
export class FlowKeeper {
  readonly #options: FlowKeeperOptions;
  readonly #waiting: Work = new Map();
  readonly #left: Work = new Map();
  readonly #complaints = new Map<string, string>();
  #running: Promise<void> | undefined;

  constructor(options: FlowKeeperOptions) {
    this.#options = options;
  }

  /** Takes over the frontends that a pass touched; returns at once. */
  add(family: Family, frontends: ReadonlySet<string>): void {
    merge(this.#waiting, family, frontends);
    this.goOn();
  }

  /** Takes up again what a removal could not finish; returns at once. */
  goOn(): void {
    if (this.#options.signal.aborted) return;
    for (const [family, frontends] of this.#left) merge(this.#waiting, family, frontends);
    this.#left.clear();
    if (this.#waiting.size > 0) this.#running ??= this.#run();
  }

  get isIdle(): boolean {
    return this.#running === undefined;
  }

  /** Resolves when no removal runs. */
  async idle(): Promise<void> {
    while (this.#running !== undefined) await this.#running;
  }

  async #run(): Promise<void> {
    const { signal } = this.#options;
    for (;;) {
      const [next] = this.#waiting;
      if (next === undefined || signal.aborted) break;
      const [family, frontends] = next;
      this.#waiting.delete(family);
      await this.#removeIn(family, frontends);
    }
    this.#running = undefined;
  }

  async #removeIn(family: Family, frontends: ReadonlySet<string>): Promise<void> {
    // The rules may change meanwhile: what counts is always what they are by then.
    const isStale = flowJudge(frontends, this.#options.view(family));
    for (const protocol of watchedProtocols) {
      const own = new Set([...frontends].filter((id) => id.startsWith(`${protocol} `)));
      if (own.size === 0) continue;
      const isDone = await this.#remove({ family, protocol, ports: portsOf(own), isStale });
      if (!isDone) merge(this.#left, family, own);
    }
  }

  async #remove(selection: FlowSelection): Promise<boolean> {
    const { remove, log, signal } = this.#options;
    const { family, protocol } = selection;
    try {
      const { removed, isCut } = await remove(selection);
      this.#complaints.delete(`${family} ${protocol}`);
      if (removed > 0) log.info({ family, protocol, removed }, 'removed stale conntrack flows');
      if (isCut) log.warn({ family, protocol }, 'more stale conntrack flows are left for later');
      return !isCut;
    } catch (error) {
      if (!signal.aborted) this.#complain(family, protocol, error);
      return false;
    }
  }

  // The rules are right all the same; only flows that already are may go on to a dead endpoint.
  #complain(family: Family, protocol: Protocol, error: unknown): void {
    const complaint = error instanceof Error ? error.message : String(error);
    if (this.#complaints.get(`${family} ${protocol}`) === complaint) return;
    this.#complaints.set(`${family} ${protocol}`, complaint);
    const remedy = error instanceof MissingToolError ? error.remedy : undefined;
    this.#options.log.warn({ err: error, family, protocol, remedy }, 'stale conntrack flows stay');
  }
}

function merge(work: Work, family: Family, frontends: ReadonlySet<string>): void {
  if (frontends.size === 0) return;
  work.set(family, new Set([...(work.get(family) ?? []), ...frontends]));
}

// The last word of an id is its port.
function portsOf(frontends: ReadonlySet<string>): ReadonlySet<number> {
  return new Set([...frontends].map((id) => Number(id.slice(id.lastIndexOf(' ') + 1))));
}

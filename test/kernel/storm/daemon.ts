// What `sluice run` does, in this process and in a namespace: follows the stand-in, and keeps the kernel
// in step. Every pass is watched.
import type { Backend } from '../../../src/backends/backend.ts';
import { withBackend } from '../../../src/backends/index.ts';
import type { Clock } from '../../../src/cluster/api/clock.ts';
import { followCluster } from '../../../src/cluster/api/follow-cluster.ts';
import { resourcesOf } from '../../../src/cluster/api/watch/resources.ts';
import { areEqual } from '../../../src/cluster/changes-between.ts';
import { decodeObject } from '../../../src/cluster/decode/object.ts';
import { ClusterState, type Stale } from '../../../src/cluster/state.ts';
import type { Config } from '../../../src/model/config.ts';
import { families, type Family, type Ip } from '../../../src/model/ip.ts';
import type { ClusterChange, ClusterObject, ServiceKey } from '../../../src/model/kubernetes.ts';
import { plan, unitOf, type Plan } from '../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../src/netfilter/program.ts';
import { createLog } from '../../../src/serve/log.ts';
import { logPasses } from '../../../src/daemon/log-passes.ts';
import { isInStep, runPass, type Pass, type PassListener } from '../../../src/daemon/pass.ts';
import { SyncLoop } from '../../../src/daemon/loop.ts';
import { portionOf } from '../../../src/daemon/portion.ts';
import { desiredOf } from '../../../src/sync/offline.ts';
import type { FamilyPass } from '../../../src/sync/reconcile.ts';
import { Reconciler } from '../../../src/sync/reconcile.ts';
import { connectTo } from '../../cluster/listener.ts';
import type { StandInApiServer } from '../../cluster/stand-in-api-server.ts';
import { selectorOf } from '../../cluster/stand-in/selectors.ts';
import type { NetworkNamespace } from '../../support/network-namespace.ts';
import { standsAlone } from './objects.ts';

export type StormDaemonOptions = {
  readonly config: Config;
  readonly namespace: NetworkNamespace;
  readonly server: StandInApiServer;
  readonly clock: Clock;
  readonly random: () => number;
};

const hostIps = ['192.168.0.2', 'fd00:192::2', '127.0.0.1', '::1'] as Ip[];

/** Runs a daemon as long as `use` takes. */
export async function withStormDaemon(
  options: StormDaemonOptions,
  use: (daemon: StormDaemon) => Promise<void>,
): Promise<void> {
  const { config, namespace, server, clock, random } = options;
  const connection = await connectTo(server, { clock });
  await withBackend(namespace.exec, config, async (backend) => {
    await backend.probe();
    const ended = new AbortController();
    const { signal } = ended;
    const watched = new WatchedLoop(backend, { config, clock, signal });
    const { loop, log } = watched;
    const source = { connection, nodeName: config.nodeName, signal, log, clock, random };
    const running = [followCluster(source, (batch) => loop.submit(batch)), watched.run()];
    try {
      await Promise.race([use(watched), ...running]);
    } finally {
      ended.abort();
      await Promise.all(running);
    }
  });
}

/** A daemon as the test sees it. */
export type StormDaemon = {
  /** How many passes there were. */
  readonly passes: number;
  /** What must not happen, and did. */
  readonly faults: readonly string[];
  /** The end of the log. */
  readonly lines: readonly string[];
  /** Resolves with the end of the next pass. */
  readonly passed: () => Promise<void>;
  /** Resolves when the kernel is in step with these objects and no others. */
  readonly isInStepWith: (objects: readonly ClusterObject[]) => Promise<void>;
  /** How the kernel differs from what a start with nothing but these objects would make of it. */
  readonly differences: (objects: readonly ClusterObject[]) => Promise<readonly string[]>;
};

/**
 * The loop. Invariant: #objects holds the objects that passes took over, #isInStep how the last one went,
 * and #held what the kernel of each family is to hold since.
 */
class WatchedLoop implements StormDaemon, PassListener {
  passes = 0;
  readonly faults: string[] = [];
  readonly lines: string[] = [];
  readonly loop: SyncLoop;
  readonly log = createLog({
    stream: { write: (line: string) => this.lines.push(line) } as unknown as NodeJS.WritableStream,
    verbosity: 2,
  });
  readonly #backend: Backend;
  readonly #config: Config;
  readonly #objects = new Map<string, ClusterObject>();
  readonly #mirror: ClusterState;
  readonly #reconciler: Reconciler<Unit>;
  readonly #state: ClusterState;
  readonly #held = new Map<Family, Program>();
  readonly #waiting = new Set<() => void>();
  #stale: Stale = { services: new Set(), settings: false };
  #isInStep = false;

  constructor(
    backend: Backend,
    {
      config,
      clock,
      signal,
    }: Pick<StormDaemonOptions, 'config' | 'clock'> & { signal: AbortSignal },
  ) {
    this.#backend = backend;
    this.#config = config;
    this.#mirror = new ClusterState(config.nodeName);
    this.#state = new ClusterState(config.nodeName);
    this.#reconciler = new Reconciler<Unit>({
      backend,
      config,
      state: this.#state,
      families,
      hostIps: () => hostIps,
      dryRun: false,
      now: () => performance.now(),
    });
    this.loop = new SyncLoop({
      clock,
      signal,
      portionOf: (waiting) => portionOf(waiting, this.#state),
    });
  }

  async run(): Promise<void> {
    const listeners = [logPasses({ log: this.log, dryRun: undefined }), this];
    const { nodeName } = this.#config;
    const options = { nodeName, state: this.#state, reconciler: this.#reconciler, listeners };
    await this.loop.run(async (work) => {
      const pass = await runPass(options, work);
      this.#isInStep = isInStep(pass);
      this.#take(work.changes);
      return this.#isInStep;
    });
  }

  ended({ changes, families: passes }: Pass): void {
    this.#stale = this.#mirror.apply(changes);
    this.#judge(passes);
  }

  async passed(): Promise<void> {
    await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  async isInStepWith(objects: readonly ClusterObject[]): Promise<void> {
    const wanted = new Map(objects.map((object) => [`${object.kind} ${object.id}`, object]));
    const isSo = (): boolean =>
      this.#isInStep &&
      wanted.size === this.#objects.size &&
      [...wanted].every(([id, object]) => areEqual(this.#objects.get(id), object));
    while (!isSo()) {
      if (this.faults.length > 0) throw new Error(this.faults.slice(0, 5).join('\n'));
      await this.passed();
    }
  }

  async differences(objects: readonly ClusterObject[]): Promise<readonly string[]> {
    const from = { config: this.#config, families, hostIps: () => hostIps };
    const found: string[] = [];
    for (const { family, desired } of desiredOf(this.#backend, objects, from)) {
      const steps = desired.planFrom(await this.#backend.observe(family));
      for (const step of steps) found.push(`${family} ${step.op} ${unitOf(step).text}`);
    }
    return found;
  }

  #judge(passes: readonly FamilyPass<Unit>[]): void {
    for (const { family, desired, plan: steps, error, quarantined } of passes) {
      const fault = (what: string): void =>
        void this.faults.push(`${family}, pass ${this.passes}: ${what}`);
      if (error !== undefined) fault(error.message);
      for (const [service, why] of quarantined) fault(`${service}: ${why.message}`);
      const before = this.#held.get(family);
      const now = desired.whole();
      this.#held.set(family, now);
      if (before === undefined) continue;
      this.#judgeOwners(steps, fault);
      // Neither more nor less is done than what changed, also where the kernel was read for it.
      const wanted = namesOf(plan(before, now));
      const done = namesOf(steps);
      for (const name of wanted) if (!done.has(name)) fault(`missing: ${name}`);
      for (const name of done) if (!wanted.has(name)) fault(`too much: ${name}`);
    }
  }

  // What did not change keeps all of its rules: no transaction so much as names them.
  #judgeOwners(steps: Plan, fault: (what: string) => void): void {
    for (const step of steps) {
      const { owner, text } = unitOf(step);
      if (owner === undefined || this.#mayChange(owner)) continue;
      fault(`${step.op} of ${owner}, which did not change: ${text}`);
    }
  }

  #mayChange(service: ServiceKey): boolean {
    const { services, settings } = this.#stale;
    if (service.startsWith('default/standing-')) return false;
    return settings || services.has(service) || !standsAlone(service);
  }

  #take(changes: readonly ClusterChange[]): void {
    for (const change of changes) {
      if (change.op === 'delete') this.#objects.delete(`${change.kind} ${change.id}`);
      // Where the server was reached is no object of its own.
      else if (change.object.kind !== 'APIServer')
        this.#objects.set(`${change.object.kind} ${change.object.id}`, change.object);
    }
    this.passes += 1;
    for (const tell of this.#waiting) tell();
    this.#waiting.clear();
  }
}

function namesOf(steps: Plan): ReadonlySet<string> {
  return new Set(steps.map((step) => `${step.op} ${unitOf(step).text}`));
}

/** What the server has of what a proxy follows, decoded. */
export function objectsOn({ store }: StandInApiServer, nodeName: string): readonly ClusterObject[] {
  return resourcesOf(nodeName).flatMap(({ kind, apiVersion, selectors }) => {
    const matches = selectorOf(new URLSearchParams(selectors));
    return store.list(kind, matches).map((raw) => {
      const decoded = decodeObject({ kind, apiVersion, ...raw });
      if (decoded.kind !== 'object' || decoded.problems.length > 0) {
        throw new Error(JSON.stringify(decoded));
      }
      return decoded.object;
    });
  });
}

// A whole daemon in this process: its kernel is in memory, its clock stands still until the test moves it, and
// the test is its source of objects and of configurations.
import { createServer, type AddressInfo } from 'node:net';
import { once } from 'node:events';
import { pino } from 'pino';
import type { DaemonOptions } from '../../../src/daemon/core.ts';
import { runDaemon } from '../../../src/daemon/daemon.ts';
import { OwnTransactions } from '../../../src/daemon/drift/own-transactions.ts';
import type { Host } from '../../../src/daemon/host.ts';
import type { Batch } from '../../../src/daemon/loop.ts';
import { MissingToolError } from '../../../src/errors.ts';
import type { Exec } from '../../../src/host/tools/exec.ts';
import type { Config, ProxyMode } from '../../../src/model/config.ts';
import type { Ip } from '../../../src/model/ip.ts';
import { families } from '../../../src/model/ip.ts';
import type { ClusterObject } from '../../../src/model/kubernetes.ts';
import { desiredOf } from '../../../src/sync/offline.ts';
import { ManualClock } from '../../cluster/manual-clock.ts';
import { configFor } from '../../support/config.ts';
import { KernelInMemory } from '../../support/kernel-in-memory.ts';

/** What the log said: the message and what belongs to it, without times. */
export type Line = { readonly msg: string } & Readonly<Record<string, unknown>>;

type Leveled = Line & { readonly level: string };

const noTools = async (file: string): Promise<never> => {
  throw new MissingToolError(file, 'nothing');
};

const noLimits = { endpointsLost: undefined, servicesLost: undefined };

/** What is real besides the daemon. */
type Real = Partial<Pick<DaemonOptions, 'source' | 'changeLimits'>> & { readonly exec?: Exec };

/** Starts a daemon; `flags` besides those that all daemons of tests get. */
export async function startDaemon(
  mode: ProxyMode,
  flags: readonly string[] = [],
  { source, exec = noTools, changeLimits = noLimits }: Real = {},
) {
  const [health, metrics, debug] = [await freePort(), await freePort(), await freePort()].map(
    (port) => `127.0.0.1:${port}`,
  );
  const always = [
    `--healthz-bind-address=${health}`,
    `--metrics-bind-address=${metrics}`,
    `--debug-bind-address=${debug}`,
  ];
  const localhost = mode === 'iptables' ? ['--iptables-localhost-nodeports=false'] : [];
  const config = configFor(mode, [...always, ...localhost, ...flags]);
  const kernel = new KernelInMemory(mode);
  const clock = new ManualClock();
  const log = new LogInMemory();
  const world = { hostIps: ['127.0.0.1', '192.168.0.2'] as Ip[] };
  const stopping = new AbortController();
  const delivering = Promise.withResolvers<(batch: Batch) => void>();
  const failing = Promise.withResolvers<never>();
  const configuring = Promise.withResolvers<(config: Config) => void>();
  const ended = async (signal: AbortSignal): Promise<void> => {
    if (!signal.aborted) await Promise.race([once(signal, 'abort'), failing.promise]);
  };
  const host: Host = {
    clock,
    nowMs: clock.now,
    hostIps: () => world.hostIps,
    readListeners: async () => [],
    execLines: async () => {},
    hearChanges: kernel.tell,
    files: { read: async () => '0', write: async () => {} },
    keepGarbageSmall: () => {},
    giveBackMemory: () => {},
  };
  const options: DaemonOptions = {
    config,
    source: {
      status: source?.status ?? { kind: 'manifests', path: 'by hand' },
      follow(following, deliver) {
        delivering.resolve(deliver);
        return source === undefined ? ended(following.signal) : source.follow(following, deliver);
      },
    },
    followConfig({ signal, onConfig }) {
      configuring.resolve(onConfig);
      return ended(signal);
    },
    dryRun: undefined,
    host,
    tools: {
      exec,
      own: new OwnTransactions({ isExact: true, now: clock.now }),
      listeners: new Set(),
    },
    connectionMetrics: 0,
    statusPage: true,
    acceptDifferences: false,
    changeLimits,
    beforeFile: '/nowhere/before.json',
    version: '0.1.0',
    log: log.logger,
    signal: stopping.signal,
  };
  const running = runDaemon(kernel.backend, options);
  running.catch(() => {});
  // What is wrong at the start is thrown here.
  await Promise.race([running, delivering.promise, configuring.promise]);
  for (const _ of [health, metrics]) await log.next('serving');
  const deliver = await delivering.promise;
  return {
    kernel,
    clock,
    log,
    world,
    running,
    urls: { debug: `http://${debug}`, metrics: `http://${metrics}` },
    config: { ...config },
    reconfigure: await configuring.promise,
    /** Hands over changes, and waits until the kernel is in step with them. */
    deliver: async (changes: Batch['changes'], version: string): Promise<Line> => {
      deliver({ changes, version });
      return log.next('in step', { version });
    },
    /** Hands over changes. */
    submit: deliver,
    /** How the kernel differs from what a fresh start with these objects would make of it. */
    isAsStartedWith: (objects: readonly ClusterObject[], by: Config = config): boolean => {
      const from = { config: by, families, hostIps: host.hostIps };
      return desiredOf(kernel.backend, objects, from).every(({ family, desired }) => {
        const [is, wanted] = [kernel.read(family), desired.whole()];
        return (
          is.size === wanted.size &&
          [...wanted].every(([id, { text }]) => is.get(id)?.text === text)
        );
      });
    },
    ask: async (path: string): Promise<unknown> => (await fetch(`http://${debug}${path}`)).json(),
    fail: failing.reject,
    stop: async (): Promise<void> => {
      stopping.abort();
      await running;
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}

/** Invariant: #fresh are the lines that no `take` and no `next` has gone past. */
class LogInMemory {
  readonly logger = pino({ base: null, timestamp: false }, { write: (line) => this.#write(line) });
  /** All lines, until somebody takes them out. */
  readonly all: Leveled[] = [];
  #fresh: Line[] = [];
  #onLine: () => void = () => {};
  #onAny: (() => void)[] = [];

  /** Resolves when there is such a line among all. */
  async until(isIt: (line: Line) => boolean): Promise<void> {
    while (!this.all.some(isIt)) await new Promise<void>((resolve) => this.#onAny.push(resolve));
  }

  /** Resolves when this message is there so many times among all. */
  async reached(msg: string, times: number): Promise<void> {
    await this.until(() => this.all.filter((line) => line.msg === msg).length >= times);
  }

  /** The next line with such a start and these fields; those before it are forgotten. */
  async next(start: string, fields: Readonly<Record<string, unknown>> = {}): Promise<Line> {
    for (;;) {
      const line = this.#fresh.shift();
      if (line === undefined) {
        await new Promise<void>((resolve) => (this.#onLine = resolve));
      } else if (
        line.msg.startsWith(start) &&
        Object.entries(fields).every(([name, value]) => line[name] === value)
      ) {
        return line;
      }
    }
  }

  /** The lines before the next one with such a start. */
  async before(start: string): Promise<readonly Line[]> {
    while (!this.#fresh.some(({ msg }) => msg.startsWith(start))) {
      await new Promise<void>((resolve) => (this.#onLine = resolve));
    }
    const at = this.#fresh.findIndex(({ msg }) => msg.startsWith(start));
    return this.#fresh.splice(0, at + 1).slice(0, -1);
  }

  /** The messages since then. */
  take(): readonly string[] {
    return this.#fresh.splice(0).map(({ msg }) => msg);
  }

  #write(text: string): void {
    const { level, ...line } = JSON.parse(text) as Line & { readonly level: number };
    this.#fresh.push(line);
    this.all.push({ ...line, level: pino.levels.labels[level] ?? '' });
    this.#onLine();
    for (const tell of this.#onAny.splice(0)) tell();
  }
}

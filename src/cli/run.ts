// `sluice run`: the daemon. Follows the cluster, or manifests, and keeps this network namespace's kernel in step.
import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { withBackend } from '../backends/index.ts';
import { followConfigFile, type FollowOptions } from '../config/follow-config-file.ts';
import { ClusterState } from '../cluster/state.ts';
import { UsageError } from '../errors.ts';
import { execLinesOnHost } from '../host/tools/exec-lines.ts';
import type { Exec } from '../host/tools/exec.ts';
import { hostAddresses } from '../host/network/interfaces.ts';
import { giveBackMemory } from '../host/memory.ts';
import { seesMachinePids } from '../host/netfilter/nft-monitor.ts';
import { observedExec, type CommandEnd } from '../host/tools/observed-exec.ts';
import { isTcpLiberal } from '../host/kernel/sysctl.ts';
import type { Config } from '../model/config.ts';
import type { RecordEvent } from '../model/cluster-event.ts';
import type { Family } from '../model/ip.ts';
import type { Unit } from '../netfilter/program.ts';
import { createLog } from '../serve/log.ts';
import type { Daemon, Follower } from '../daemon/pass.ts';
import { passOver } from '../daemon/pass.ts';
import { SyncLoop } from '../daemon/loop.ts';
import { ProxyHealth } from '../daemon/serving/proxy-health.ts';
import { OwnTransactions } from '../daemon/drift/own-transactions.ts';
import { Reconciler } from '../sync/reconcile.ts';
import { ServiceEvents } from '../daemon/events/service-events.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { dryRunPrinter } from './report/dry-run-printer.ts';
import type { Shown } from './report/print-report.ts';
import { createDriftWatch } from '../daemon/drift/tell-drift.ts';
import { createEvents, startingEvent } from '../daemon/events/proxy-events.ts';
import { throughFamilyGate } from '../daemon/family-gate.ts';
import { createFollowers } from '../daemon/followers/followers.ts';
import { prepareHost } from '../daemon/host-settings.ts';
import { createServing } from '../daemon/serving/serving.ts';
import { followSource } from '../daemon/source.ts';
import { prepareTakeover } from '../daemon/followers/take-over.ts';

export type RunOptions = {
  readonly config: Config;
  /** Undefined: the objects come from the API server. */
  readonly manifests: string | undefined;
  /** Prints what would change, again and again, and changes nothing. */
  readonly dryRun: boolean;
  readonly output: 'text' | 'json';
  readonly shown: Shown;
  /** Of how many Service ports new connections are metrics too. */
  readonly connectionMetrics: number;
  /** A page for people, on loopback alone. */
  readonly statusPage: boolean;
  /** Where the rules are kept that stood here before ours. */
  readonly beforeFile: string;
  /** As kube-proxy's -v. */
  readonly verbosity: number;
  /** The file that --config names, to be followed; undefined where there is none. */
  readonly configFile: Pick<FollowOptions, 'line' | 'values'> | undefined;
  /** Of Sluice. */
  readonly version: string;
};

const now = (): number => performance.now();

/** Runs until the signal comes; then finishes the transaction in flight and leaves the rules. */
export async function runCommand(options: RunOptions, exec: Exec, io: Io): Promise<number> {
  const { ip } = options.config.metricsBindAddress;
  if (options.statusPage && ip !== '::1' && !ip.startsWith('127.')) {
    throw new UsageError(`--status-page: the metrics server is at ${ip}, which is not loopback`);
  }
  const log = createLog({ stream: io.stderr, verbosity: options.verbosity });
  // Metrics need the backend, which runs tools of its own.
  let onCommand: (command: CommandEnd) => void = () => {};
  const own = new OwnTransactions({ isExact: await seesMachinePids(), now });
  const observed = observedExec(own.through(exec), now, (command) => onCommand(command));
  const setOnCommand = (to: typeof onCommand): void => void (onCommand = to);
  const around = { options, exec: observed, own, setOnCommand, io, log };
  await withBackend(observed, options.config, (backend) => run(backend, around));
  return exitCodes.same;
}

type Surroundings = {
  readonly options: RunOptions;
  readonly exec: Exec;
  /** Knows what of all changes is ours. */
  readonly own: OwnTransactions;
  /** Names who hears of the tools that ran. */
  readonly setOnCommand: (onCommand: (command: CommandEnd) => void) => void;
  readonly io: Io;
  readonly log: Logger;
};

// As kube-proxy's sync period: how often this host is looked at, when nothing else happens.
const hostPeriodMs = 30_000;

const memoryDelayMs = 3000;

// What made the proxy end is told of, if that is quickly done.
const lastEventsMs = 2000;

async function run<U extends Unit>(
  backend: Backend<U>,
  { options, exec, own, setOnCommand, io, log }: Surroundings,
): Promise<void> {
  const { config, dryRun, manifests, version } = options;
  const { nodeName } = config;
  const { families, findings } = await backend.probe();
  log.info({ mode: backend.name, node: nodeName, families, findings, dryRun }, 'starting');
  // Whichever part fails ends the others: a daemon that no longer follows its manifests must not look
  // alive.
  const ended = new AbortController();
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const settingUpHost = dryRun ? () => {} : await prepareHost(config, log);
  const isLive = manifests === undefined && !dryRun;
  const { recorder, record } = createEvents({ nodeName, isLive, log });
  const tools = { exec, own, log, signal, stdout: io.stdout, record };
  const { reconciler, around, serving, loop, drift } = await setUp(backend, {
    options,
    families,
    findings,
    tools,
    settingUpHost,
  });
  const { observer, metrics, onHealth, onEvent } = serving;
  if (metrics !== undefined) setOnCommand(metrics.commandEnded);
  const timer = setInterval(() => {
    if (around.goOn() || reconciler.isOutdated) loop.nudge('host');
  }, hostPeriodMs);
  const source = { manifests, config, stdin: io.stdin, signal, log, recorder, onHealth, onEvent };
  const deliver = throughFamilyGate({ config, families, log }, (batch) => {
    observer.queued(batch.changes);
    loop.submit(batch);
  });
  const following = followSource(source, deliver);
  record(startingEvent(nodeName, version));
  const servers = dryRun ? [] : [serving.run(), drift.run()];
  const { configFile } = options;
  const configuring =
    configFile === undefined ? [] : [followConfig(configFile, { reconciler, loop, signal, log })];
  const parts = [following, ...configuring, loop.run(), ...servers].map((part) =>
    part.finally(() => ended.abort()),
  );
  await Promise.allSettled(parts);
  clearInterval(timer);
  await around.close();
  if (!io.signal.aborted) await recorder?.flush(lastEventsMs);
  await Promise.all(parts);
  log.info('stopping; the rules stay');
}

type Configured<U extends Unit> = {
  readonly reconciler: Reconciler<U>;
  readonly loop: SyncLoop;
  readonly signal: AbortSignal;
  readonly log: Logger;
};

/** Takes over what changes in the configuration file, until the signal comes. */
async function followConfig<U extends Unit>(
  file: NonNullable<RunOptions['configFile']>,
  { reconciler, loop, signal, log }: Configured<U>,
): Promise<void> {
  const onConfig = (config: Config): void => {
    reconciler.reconfigure(config);
    loop.nudge('configuration');
  };
  await followConfigFile({ ...file, signal, log, onConfig });
}

type SetUpOptions = {
  readonly options: RunOptions;
  readonly families: readonly Family[];
  readonly findings: readonly string[];
  readonly settingUpHost: Follower;
  readonly tools: {
    readonly exec: Exec;
    readonly own: OwnTransactions;
    readonly log: Logger;
    readonly signal: AbortSignal;
    readonly stdout: NodeJS.WritableStream;
    readonly record: RecordEvent;
  };
};

/** Makes the parts; none of them does anything yet. */
async function setUp<U extends Unit>(
  backend: Backend<U>,
  { options, families, findings, settingUpHost, tools }: SetUpOptions,
) {
  const { config, manifests, dryRun, beforeFile, version, output, shown } = options;
  const { exec, own, log, signal, stdout, record } = tools;
  const state = new ClusterState(config.nodeName);
  const health = new ProxyHealth({ now, families, syncPeriodMs: config.syncPeriodMs });
  const host = { hostIps: hostAddresses, isTcpLiberal: await isTcpLiberal(exec) };
  const common = { config, state, log, signal, record, ...host };
  const reconciler = new Reconciler({ ...common, backend, families, dryRun, now });
  const connections = (family: Family) => backend.connections(family);
  const { connectionMetrics, statusPage } = options;
  const read = { connections, connectionMetrics, statusPage };
  const told = {
    version,
    families,
    findings,
    manifests,
    reconciler,
    backend,
    health,
    dryRun,
    ...read,
  };
  const serving = await createServing({ ...common, ...told });
  const { observer, metrics } = serving;
  const around = createFollowers({
    ...common,
    reconciler,
    exec,
    execLines: execLinesOnHost,
    isProxyHealthy: () => health.isHealthy,
    onFlowsRemoved: metrics?.flowsRemoved ?? (() => {}),
  });
  const serviceEvents = new ServiceEvents({
    decisions: (family) => reconciler.desired(family)?.decisions,
    exists: (service) => state.service(service) !== undefined,
    record,
  });
  const takeover = { exec, mode: backend.name, families, beforeFile, log };
  const print = dryRunPrinter({
    backend,
    desired: (family) => reconciler.desired(family),
    output,
    shown,
    stdout,
    flows: { execLines: execLinesOnHost, signal, hostIps: hostAddresses },
  });
  // While the first objects are on their way here.
  const takingOver = dryRun ? undefined : prepareTakeover(takeover);
  const daemon: Daemon<U> = {
    state,
    reconciler,
    log,
    dryRun,
    async onPlan(passes) {
      observer.passed(passes);
      serviceEvents.passed(passes);
      drift.passed(passes);
      if (dryRun) await print(passes);
    },
    followers: [
      settingUpHost,
      ...around.followers,
      memoryFollower(),
      async (pass) => (await takingOver)?.(pass),
    ],
    async untilQuiet() {
      await Promise.all([around.untilQuiet(), dryRun || drift.untilReady()]);
    },
  };
  const drift = createDriftWatch({
    ...common,
    backend,
    reconciler,
    families,
    own,
    now,
    nudge: () => loop.nudge('drift'),
    count: metrics?.drifted ?? (() => {}),
  });
  const loop = new SyncLoop({
    async pass(changes, version, asked) {
      await takingOver;
      drift.begun();
      observer.taken(changes, asked);
      return passOver(daemon, changes, version);
    },
    signal,
  });
  return { reconciler, around, serving, loop, drift };
}

// Once, when the rules stand and what a start brings with it has settled.
function memoryFollower(): Follower {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(giveBackMemory, memoryDelayMs).unref();
  };
}

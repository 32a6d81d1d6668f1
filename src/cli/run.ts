// `sluice run`: the daemon. Follows the cluster, or manifests, and keeps this network namespace's kernel in step.
import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { withBackend } from '../backends/index.ts';
import { followConfigFile, type FollowOptions } from '../config/follow-config-file.ts';
import { ClusterState } from '../cluster/state.ts';
import { execLinesOnHost } from '../host/exec-lines.ts';
import type { Exec } from '../host/exec.ts';
import { hostAddresses } from '../host/interfaces.ts';
import { giveBackMemory } from '../host/memory.ts';
import { observedExec, type CommandEnd } from '../host/observed-exec.ts';
import { isTcpLiberal } from '../host/sysctl.ts';
import type { Config } from '../model/config.ts';
import type { Family } from '../model/ip.ts';
import type { Unit } from '../netfilter/program.ts';
import { createLog } from '../serve/log.ts';
import type { Daemon, Follower } from '../sync/daemon.ts';
import { passOver } from '../sync/daemon.ts';
import { SyncLoop } from '../sync/loop.ts';
import { ProxyHealth } from '../sync/proxy-health.ts';
import { Reconciler } from '../sync/reconcile.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { paintFor, planJson, planText } from './print-plan.ts';
import { createFollowers } from './run-followers.ts';
import { createServing, prepareHost } from './run-serving.ts';
import { followSource } from './run-source.ts';
import { prepareTakeover } from './run-takeover.ts';

export type RunOptions = {
  readonly config: Config;
  /** Undefined: the objects come from the API server. */
  readonly manifests: string | undefined;
  /** Prints what would change, again and again, and changes nothing. */
  readonly dryRun: boolean;
  readonly output: 'text' | 'json';
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
  const log = createLog({ stream: io.stderr, verbosity: options.verbosity });
  // Metrics need the backend, which runs tools of its own.
  let onCommand: (command: CommandEnd) => void = () => {};
  const observed = observedExec(exec, now, (command) => onCommand(command));
  const setOnCommand = (to: typeof onCommand): void => void (onCommand = to);
  const around = { options, exec: observed, setOnCommand, io, log };
  await withBackend(observed, options.config, (backend) => run(backend, around));
  return exitCodes.same;
}

type Surroundings = {
  readonly options: RunOptions;
  readonly exec: Exec;
  /** Names who hears of the tools that ran. */
  readonly setOnCommand: (onCommand: (command: CommandEnd) => void) => void;
  readonly io: Io;
  readonly log: Logger;
};

// As kube-proxy's sync period: how often this host is looked at, when nothing else happens.
const hostPeriodMs = 30_000;

const memoryDelayMs = 3000;

async function run<U extends Unit>(
  backend: Backend<U>,
  { options, exec, setOnCommand, io, log }: Surroundings,
): Promise<void> {
  const { config, dryRun, manifests } = options;
  const { families, findings } = await backend.probe();
  log.info({ mode: backend.name, node: config.nodeName, families, findings, dryRun }, 'starting');
  // Whichever part fails ends the others: a daemon that no longer follows its manifests must not look
  // alive.
  const ended = new AbortController();
  const signal = AbortSignal.any([io.signal, ended.signal]);
  if (!dryRun) await prepareHost(config, log);
  const print = printer(options, io);
  const tools = { exec, log, signal, print };
  const { reconciler, around, serving, loop } = await setUp(backend, { options, families, tools });
  const { observer, metrics, onHealth, onEvent } = serving;
  if (metrics !== undefined) setOnCommand(metrics.commandEnded);
  const timer = setInterval(() => {
    if (around.goOn() || reconciler.isOutdated) loop.nudge();
  }, hostPeriodMs);
  const source = { manifests, config, stdin: io.stdin, signal, log, onHealth, onEvent };
  const following = followSource(source, (batch) => {
    observer.queued(batch.changes);
    loop.submit(batch);
  });
  const servers = dryRun ? [] : [serving.run()];
  const { configFile } = options;
  const configuring =
    configFile === undefined ? [] : [followConfig(configFile, { reconciler, loop, signal, log })];
  const parts = [following, ...configuring, loop.run(), ...servers].map((part) =>
    part.finally(() => ended.abort()),
  );
  await Promise.allSettled(parts);
  clearInterval(timer);
  await around.close();
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
    loop.nudge();
  };
  await followConfigFile({ ...file, signal, log, onConfig });
}

type SetUpOptions = {
  readonly options: RunOptions;
  readonly families: readonly Family[];
  readonly tools: {
    readonly exec: Exec;
    readonly log: Logger;
    readonly signal: AbortSignal;
    readonly print: Daemon<Unit>['onPlan'];
  };
};

/** Makes the parts; none of them does anything yet. */
async function setUp<U extends Unit>(
  backend: Backend<U>,
  { options, families, tools }: SetUpOptions,
) {
  const { config, dryRun, beforeFile, version } = options;
  const { exec, log, signal, print } = tools;
  const state = new ClusterState(config.nodeName);
  const health = new ProxyHealth({ now, families, syncPeriodMs: config.syncPeriodMs });
  const host = { hostIps: hostAddresses, isTcpLiberal: await isTcpLiberal(exec) };
  const common = { config, state, log, signal, ...host };
  const reconciler = new Reconciler({ ...common, backend, families, dryRun, now });
  const shown = { version, families, reconciler, health, dryRun };
  const serving = await createServing({ ...common, ...shown });
  const { observer, metrics } = serving;
  const around = createFollowers({
    ...common,
    reconciler,
    exec,
    execLines: execLinesOnHost,
    isProxyHealthy: () => health.isHealthy,
    onFlowsRemoved: metrics?.flowsRemoved ?? (() => {}),
  });
  const takeover = { exec, mode: backend.name, families, beforeFile, log };
  const daemon: Daemon<U> = {
    state,
    reconciler,
    log,
    dryRun,
    onPlan(passes) {
      observer.passed(passes);
      print(passes);
    },
    followers: [
      ...around.followers,
      memoryFollower(),
      ...(dryRun ? [] : [await prepareTakeover(takeover)]),
    ],
    untilQuiet: around.untilQuiet,
  };
  const loop = new SyncLoop({
    pass(changes, version) {
      observer.taken(changes);
      return passOver(daemon, changes, version);
    },
    signal,
  });
  return { reconciler, around, serving, loop };
}

// Once, when the rules stand and what a start brings with it has settled.
function memoryFollower(): Follower {
  let timer: NodeJS.Timeout | undefined;
  return () => {
    timer ??= setTimeout(giveBackMemory, memoryDelayMs).unref();
  };
}

function printer({ dryRun, output }: RunOptions, { stdout }: Io): Daemon<Unit>['onPlan'] {
  if (!dryRun) return () => {};
  return (plans) =>
    void stdout.write(output === 'json' ? planJson(plans) : planText(plans, paintFor(stdout)));
}

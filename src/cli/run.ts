// `sluice run`: the daemon. Follows manifests and keeps this network namespace's kernel in step.
import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { withBackend } from '../backends/index.ts';
import { followManifests } from '../cluster/follow-manifests.ts';
import { ClusterState } from '../cluster/state.ts';
import type { Exec } from '../host/exec.ts';
import type { Config } from '../model/config.ts';
import type { Unit } from '../netfilter/program.ts';
import { createLog } from '../serve/log.ts';
import type { Daemon } from '../sync/daemon.ts';
import { passOver } from '../sync/daemon.ts';
import { SyncLoop } from '../sync/loop.ts';
import { Reconciler } from '../sync/reconcile.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { paintFor, planJson, planText } from './print-plan.ts';

export type RunOptions = {
  readonly config: Config;
  readonly manifests: string;
  /** Prints what would change, again and again, and changes nothing. */
  readonly dryRun: boolean;
  readonly output: 'text' | 'json';
  /** As kube-proxy's -v. */
  readonly verbosity: number;
};

/** Runs until the signal comes; then finishes the transaction in flight and leaves the rules. */
export async function runCommand(options: RunOptions, exec: Exec, io: Io): Promise<number> {
  const log = createLog({ stream: io.stderr, verbosity: options.verbosity });
  await withBackend(exec, options.config, (backend) => run(backend, { options, exec, io, log }));
  return exitCodes.same;
}

type Surroundings = {
  readonly options: RunOptions;
  readonly exec: Exec;
  readonly io: Io;
  readonly log: Logger;
};

async function run<U extends Unit>(backend: Backend<U>, { options, exec, io, log }: Surroundings) {
  const { config, dryRun } = options;
  const { families, findings } = await backend.probe();
  log.info({ mode: backend.name, node: config.nodeName, families, findings, dryRun }, 'starting');
  const state = new ClusterState(config.nodeName);
  const now = (): number => performance.now();
  const reconciler = new Reconciler({ backend, families, config, state, dryRun, now });
  const daemon: Daemon<U> = { state, reconciler, exec, log, dryRun, onPlan: printer(options, io) };
  // Whichever fails ends the other: a daemon that no longer follows its manifests must not look alive.
  const ended = new AbortController();
  const signal = AbortSignal.any([io.signal, ended.signal]);
  const loop = new SyncLoop({
    pass: (changes, version) => passOver(daemon, changes, version),
    signal,
  });
  const source = { path: options.manifests, stdin: io.stdin, signal, log };
  const following = followManifests(source, (batch) => loop.submit(batch));
  const parts = [following, loop.run()].map((part) => part.finally(() => ended.abort()));
  await Promise.allSettled(parts);
  await Promise.all(parts);
  log.info('stopping; the rules stay');
}

function printer({ dryRun, output }: RunOptions, { stdout }: Io): Daemon<Unit>['onPlan'] {
  if (!dryRun) return () => {};
  return (plans) =>
    void stdout.write(output === 'json' ? planJson(plans) : planText(plans, paintFor(stdout)));
}

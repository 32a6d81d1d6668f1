// `sluice run`: the daemon, as the command line asks for it.
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { withBackend } from '../backends/index.ts';
import { systemClock } from '../cluster/api/clock.ts';
import { copiesFolder } from '../cluster/manifests/good-copies.ts';
import { followConfigFile, type FollowOptions } from '../config/follow-config-file.ts';
import type { DaemonOptions, Tools } from '../daemon/core.ts';
import { runDaemon } from '../daemon/daemon.ts';
import { OwnTransactions } from '../daemon/drift/own-transactions.ts';
import { thisHost } from '../daemon/host.ts';
import { clusterSource, manifestSource } from '../daemon/source.ts';
import { SluiceError } from '../errors.ts';
import type { Exec } from '../host/tools/exec.ts';
import { seesMachinePids } from '../host/netfilter/table-changes.ts';
import { observedExec, toldExec } from '../host/tools/observed-exec.ts';
import type { Logger } from 'pino';
import { createLog, isJsonLog } from '../serve/log.ts';
import { isAlike, refusalDetails, refusalWords } from '../takeover/difference-words.ts';
import { nodeChanges, type NodeChanges } from '../takeover/node-changes.ts';
import type { Io } from './io.ts';
import { exitCodes } from './io.ts';
import { dryRunPrinter } from './report/dry-run-printer.ts';
import type { Shown } from './report/print-report.ts';

export type RunOptions = Pick<
  DaemonOptions,
  | 'config'
  | 'changeLimits'
  | 'connectionMetrics'
  | 'statusPage'
  | 'beforeFile'
  | 'acceptDifferences'
  | 'version'
> & {
  /** Undefined: the objects come from the API server. */
  readonly manifests: string | undefined;
  /** Prints what would change, again and again, and changes nothing. */
  readonly dryRun: boolean;
  readonly output: 'text' | 'json';
  readonly shown: Shown;
  /** What is done, and may surprise who comes from kube-proxy. */
  readonly notes: readonly string[];
  /** The file that --config names, to be followed; undefined where there is none. */
  readonly configFile: Pick<FollowOptions, 'line' | 'values'> | undefined;
};

/** Runs until the signal comes; then finishes the transaction in flight and leaves the rules. */
export async function runCommand(options: RunOptions, exec: Exec, io: Io): Promise<number> {
  const { logging } = options.config;
  const log = createLog({ stream: io.stderr, ...logging });
  try {
    await runInLog({ ...options, log }, exec, io);
    return exitCodes.same;
  } catch (error) {
    // Elsewhere it is told in lines for people, and a bug ends the process with its stack.
    if (!isJsonLog(logging.format, io.stderr)) throw error;
    if (error instanceof SluiceError) for (const line of error.message.split('\n')) log.fatal(line);
    else log.fatal({ err: error }, 'a bug of Sluice ended it');
    return exitCodes.failed;
  }
}

type LoggedOptions = RunOptions & Pick<DaemonOptions, 'log'>;

async function runInLog(options: LoggedOptions, exec: Exec, io: Io): Promise<void> {
  const { config, manifests, dryRun, configFile, log, beforeFile } = options;
  const { stdin, stdout, signal, onHangup } = io;
  onHangup(() => log.info('SIGHUP: there is no configuration file to read again'));
  for (const note of options.notes) log.info(note);
  const tools = await watched(exec, log);
  const stateFolder = join(dirname(beforeFile), 'manifests');
  const common = {
    ...options,
    tools,
    host: thisHost,
    source:
      manifests === undefined
        ? clusterSource(config)
        : manifestSource(manifests, { stdin, stateFolder: dryRun ? undefined : stateFolder }),
    followConfig:
      configFile && ((following) => followConfigFile({ ...configFile, ...following, onHangup })),
    signal,
  } satisfies Omit<DaemonOptions, 'dryRun'>;
  await withBackend(tools.exec, config, (backend) => {
    const { execLines, hostIps } = thisHost;
    const flows = { execLines, hostIps, signal };
    const printer = dryRunPrinter(backend, {
      ...options,
      stdout,
      flows,
      nodeName: config.nodeName,
      async nodeChanges(starting) {
        const host = { config, beforeFile, hostIps: hostIps() };
        const changes = await nodeChanges(exec, { ...starting, ...host });
        if (!options.acceptDifferences) warnOf(changes, log);
        return { ...changes, files: [...changes.files, ...copiesToMake(manifests, stateFolder)] };
      },
    });
    return runDaemon(backend, { ...common, dryRun: dryRun ? printer : undefined });
  });
}

function warnOf({ comparisons }: NodeChanges, log: LoggedOptions['log']): void {
  if (isAlike(comparisons)) return;
  const details = refusalDetails(comparisons);
  log.warn(
    { details },
    `would not start without --accept-differences: ${refusalWords(comparisons)}`,
  );
}

// The folder with copies of the manifests, which a first start makes.
function copiesToMake(manifests: string | undefined, stateFolder: string): NodeChanges['files'] {
  if (manifests === undefined || manifests === '-') return [];
  const path = copiesFolder(stateFolder, manifests);
  return existsSync(path) ? [] : [{ path, what: 'copies of the manifests, for a restart' }];
}

/** The same Exec, with what it runs known. */
async function watched(exec: Exec, log: Logger): Promise<Tools> {
  const { now } = systemClock;
  const own = new OwnTransactions({ isExact: await seesMachinePids(), now });
  const listeners: Tools['listeners'] = new Set();
  const told = toldExec(exec, ({ isOver, ...command }) =>
    log.info(command, isOver ? 'the tool has ended' : 'waiting for a tool that runs for long'),
  );
  const observed = observedExec(own.through(told), now, (command) => {
    for (const listener of listeners) listener(command);
  });
  return { exec: observed, own, listeners };
}

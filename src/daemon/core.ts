// What every part of a daemon works on: what it was given, and what is made of that once.
import type { Logger } from 'pino';
import type { Backend } from '../backends/backend.ts';
import { ClusterState } from '../cluster/state.ts';
import type { Gates } from '../diff/gates.ts';
import type { Exec } from '../host/tools/exec.ts';
import type { CommandEnd } from '../host/tools/observed-exec.ts';
import { isTcpLiberal } from '../host/kernel/sysctl.ts';
import type { RecordEvent } from '../model/cluster-event.ts';
import type { Config } from '../model/config.ts';
import type { Family } from '../model/ip.ts';
import type { Unit } from '../netfilter/program.ts';
import { Reconciler } from '../sync/reconcile.ts';
import type { OwnTransactions } from './drift/own-transactions.ts';
import { LocalhostNodePorts } from './followers/localhost-node-ports.ts';
import type { Host } from './host.ts';
import { SyncLoop } from './loop.ts';
import type { PassListener } from './pass.ts';
import { portionOf } from './portion.ts';
import type { Source } from './source.ts';

/** What a daemon is given. */
export type DaemonOptions = {
  readonly config: Config;
  /** Follows other configurations until the signal comes; undefined: there are none. */
  readonly followConfig: FollowConfig | undefined;
  readonly source: Source;
  /** Hears of passes that are planned as if they were carried out, and are not; undefined: they are. */
  readonly dryRun: PassListener | undefined;
  readonly host: Host;
  readonly tools: Tools;
  /** Of how many Service ports new connections are metrics too. */
  readonly connectionMetrics: number;
  /** A page for people, on the debug server. */
  readonly statusPage: boolean;
  /** Where the rules are kept that stood here before ours. */
  readonly beforeFile: string;
  /** What a change of the cluster may take away. */
  readonly changeLimits: Gates;
  /** Starts also where rules of another proxy on this node handle some packets differently. */
  readonly acceptDifferences: boolean;
  /** Of Sluice. */
  readonly version: string;
  readonly log: Logger;
  /** Comes when the daemon is to finish the transaction in flight and end; the rules stay. */
  readonly signal: AbortSignal;
};

/** Calls `onConfig` with each configuration that takes the place of the one in force. */
export type FollowConfig = (following: {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly onConfig: (config: Config) => void;
}) => Promise<void>;

/** The tools that are run, by the backend too, and what is known of them. */
export type Tools = {
  readonly exec: Exec;
  /** Knows what of all changes is ours. */
  readonly own: OwnTransactions;
  /** Hear of each tool that ended. */
  readonly listeners: Set<(command: CommandEnd) => void>;
};

/** What is found out and made at the start. */
export type Core = DaemonOptions & {
  readonly backend: Backend;
  readonly families: readonly Family[];
  /** What was found of the tools, their versions first. */
  readonly findings: readonly string[];
  readonly isTcpLiberal: boolean;
  readonly localhost: LocalhostNodePorts;
  readonly state: ClusterState;
  readonly reconciler: Reconciler<Unit>;
  readonly loop: SyncLoop;
  readonly record: RecordEvent;
};

/** Makes them; nothing is read from the kernel's rules, or written, yet. `signal` also comes when a part ends. */
export async function createCore(
  backend: Backend,
  options: DaemonOptions & Pick<Core, 'families' | 'findings' | 'record'>,
): Promise<Core> {
  const { config, dryRun, host, signal, tools, log } = options;
  const { clock, hostIps } = host;
  const state = new ClusterState(config.nodeName);
  const localhost = new LocalhostNodePorts({ exec: tools.exec, log });
  await localhost.look(config);
  const made = { backend, state, localhost, config: localhost.inForce(config) };
  const found = { ...options, ...made, isTcpLiberal: await isTcpLiberal(tools.exec) };
  const reconciler = new Reconciler<Unit>({
    ...found,
    limits: options.changeLimits,
    hostIps,
    now: clock.now,
    dryRun: dryRun !== undefined,
  });
  const loop = new SyncLoop({
    clock,
    signal,
    portionOf: (waiting) => portionOf(waiting, state),
  });
  return { ...found, reconciler, loop };
}

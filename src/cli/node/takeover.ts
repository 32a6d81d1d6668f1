// `sluice takeover`: compares what stands on this node with what we would program, then takes over
// without a lost packet. `sluice rollback`: puts back what stood here before.
import type { Backend } from '../../backends/backend.ts';
import { withBackend } from '../../backends/index.ts';
import { ToolError, UsageError } from '../../errors.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { hostAddresses } from '../../host/network/interfaces.ts';
import type { Config } from '../../model/config.ts';
import { families } from '../../model/ip.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { DesiredFamily } from '../../sync/offline.ts';
import { desiredOf } from '../../sync/offline.ts';
import { deleteBefore, readBefore } from '../../takeover/before-file.ts';
import { rollBack } from '../../takeover/rollback.ts';
import { isAlike, totalOf } from '../../takeover/difference-words.ts';
import { compareWithOthers } from '../../takeover/shadow.ts';
import { findReplaced, rememberBefore, removeOthers } from '../../takeover/take-over.ts';
import type { Io } from '../io.ts';
import { exitCodes } from '../io.ts';
import { notProgrammedText } from '../report/not-programmed.ts';
import { loadManifests } from '../input/inputs.ts';
import { shadowText } from './shadow-text.ts';
import { screenOf } from '../report/screen.ts';

export type TakeoverOptions = {
  readonly config: Config;
  readonly manifests: string;
  /** Compares, and changes nothing. */
  readonly shadow: boolean;
  /** Goes on where some packets would be handled differently, and the cluster does not explain it. */
  readonly acceptDifferences: boolean;
  /** Where what stood here is kept for a rollback. */
  readonly beforeFile: string;
  readonly output: 'text' | 'json';
};

/** Compares, and unless it is a shadow run, takes the node over. */
export async function takeoverCommand(
  options: TakeoverOptions,
  exec: Exec,
  io: Io,
): Promise<number> {
  const objects = await loadManifests(options.manifests, options.config, io);
  return withBackend(exec, options.config, (backend) =>
    takeOver(backend, { options, exec, io, objects }),
  );
}

type TakeoverRun = {
  readonly options: TakeoverOptions;
  readonly exec: Exec;
  readonly io: Io;
  readonly objects: readonly ClusterObject[];
};

async function takeOver<U extends Unit>(
  backend: Backend<U>,
  { options, exec, io, objects }: TakeoverRun,
): Promise<number> {
  const { config, shadow, acceptDifferences, beforeFile, output } = options;
  const { families: served } = await backend.probe();
  const say = (text: string): void => void io.stderr.write(`${text}\n`);
  const inputs = { objects, config, hostIps: hostAddresses() };
  const found = await findReplaced(exec, served, config.proxyMode);
  const reports = await compareWithOthers(exec, { families: served, found }, inputs);
  io.stdout.write(
    output === 'json'
      ? `${JSON.stringify({ reports })}\n`
      : shadowText(reports, screenOf(io.stdout)),
  );
  const { differences } = totalOf(reports);
  if (shadow) return differences > 0 ? exitCodes.different : exitCodes.same;
  if (!isAlike(reports) && !acceptDifferences) {
    say('nothing was changed; --accept-differences takes over all the same');
    return exitCodes.different;
  }
  const savedAt = new Date().toISOString();
  const kept = { file: beforeFile, savedAt };
  const file = await rememberBefore(exec, { families: served, found }, kept);
  if (file !== undefined)
    say(`the existing rules are backed up in ${file}; sluice rollback restores them`);
  const wanted = desiredOf(backend, objects, {
    config,
    families: served,
    hostIps: hostAddresses,
  });
  io.stderr.write(notProgrammedText(wanted));
  await program(backend, wanted);
  say(`our rules are in place, and verified: ${served.join(', ')}`);
  for (const { owner, family } of await removeOthers(exec, config.proxyMode, served)) {
    say(`removed the rules of ${owner} in ${family}`);
  }
  say('taken over: now let sluice run follow the Services, and no other proxy');
  return exitCodes.same;
}

async function program<U extends Unit>(
  backend: Backend<U>,
  families: readonly DesiredFamily<U>[],
): Promise<void> {
  for (const { family, desired } of families) {
    await backend.apply(family, desired.planFrom(await backend.observe(family)));
    const left = desired.planFrom(await backend.observe(family));
    if (left.length === 0) continue;
    const details = { command: backend.name, exitCode: undefined, stderr: '', input: '' };
    const message = `${family}: the kernel does not hold what was programmed (${left.length} differences)`;
    throw new ToolError(`${message}; nothing was removed`, details);
  }
}

export type RollbackOptions = { readonly beforeFile: string };

/** Puts back what stood here before the takeover, then removes what came in its place. */
export async function rollbackCommand(
  { beforeFile }: RollbackOptions,
  exec: Exec,
  { stderr }: Io,
): Promise<number> {
  const before = await readBefore(beforeFile);
  if (before === undefined) {
    throw new UsageError(`${beforeFile} is not there: no takeover has left anything to put back`);
  }
  for (const { owner, family, did } of await rollBack(exec, before, families)) {
    stderr.write(`${did} the rules of ${owner} in ${family}\n`);
  }
  await deleteBefore(beforeFile);
  stderr.write(`this node is as it was at ${before.savedAt}: start kube-proxy again\n`);
  return exitCodes.same;
}

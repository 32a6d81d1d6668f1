// A daemon: follows a source of objects, and keeps this network namespace's kernel in step.
import type { Backend } from '../backends/backend.ts';
import { createCore, type Core, type DaemonOptions } from './core.ts';
import { createEvents, startingEvent } from './events/proxy-events.ts';
import { throughFamilyGate } from './family-gate.ts';
import { logWords, staleNames } from './log-passes.ts';
import type { DaemonPart } from './daemon-part.ts';
import { createParts } from './parts.ts';
import { holdAgainstOthers } from './followers/takeover-gate.ts';
import { isInStep, runPass, type Pass, type Work } from './pass.ts';

// What made the proxy end is sent as an Event, if that is quickly done.
const lastEventsMs = 2000;

/** Runs until the signal comes; then finishes the transaction in flight and leaves the rules. */
export async function runDaemon(backend: Backend, options: DaemonOptions): Promise<void> {
  const { config, dryRun, source, log, version } = options;
  const { nodeName } = config;
  const { families, findings } = await backend.probe();
  const starting = { mode: backend.name, node: nodeName, families, findings };
  log.info({ ...starting, dryRun: dryRun !== undefined }, 'starting');
  // Whichever part fails ends the others: a daemon that no longer follows its manifests must not look
  // alive.
  const ended = new AbortController();
  const signal = AbortSignal.any([options.signal, ended.signal]);
  const isLive = source.status.kind === 'api-server' && dryRun === undefined;
  const { recorder, record } = createEvents({ nodeName, isLive, log });
  const core = await createCore(backend, { ...options, families, findings, signal, record });
  const { parts, cluster } = await createParts(core);
  const deliver = throughFamilyGate({ config, families, log }, (batch) => {
    for (const part of parts) part.queued?.(batch.changes);
    core.loop.submit(batch);
  });
  record(startingEvent(nodeName, version));
  const running = [
    source.follow({ signal, log, recorder, ...cluster }, deliver),
    passOver(core, parts),
    lookAround(core, parts),
    ...parts.flatMap((part) => part.run?.() ?? []),
  ].map((part) => part.finally(() => ended.abort()));
  await Promise.allSettled(running);
  await Promise.all(parts.flatMap((part) => part.close?.() ?? []));
  if (!options.signal.aborted) await recorder?.flush(lastEventsMs);
  await Promise.all(running);
  log.info(logWords(options).stopping);
}

async function passOver(core: Core, parts: readonly DaemonPart[]): Promise<void> {
  const options = { ...core, nodeName: core.config.nodeName, listeners: parts };
  let isPrepared = false;
  await core.loop.run(async (work: Work) => {
    if (!isPrepared) {
      const found = core.dryRun === undefined ? await holdAgainstOthers(core, work.changes) : [];
      await Promise.all(parts.flatMap((part) => part.prepare?.(found) ?? []));
      isPrepared = true;
    }
    const pass = await runPass(options, work);
    if (isInStep(pass)) void tellInStep(core, parts, pass);
    return isInStep(pass);
  });
}

// Who reads it may go on to rely on flows as well; the next pass does not wait for that.
async function tellInStep(core: Core, parts: readonly DaemonPart[], pass: Pass): Promise<void> {
  await Promise.all(parts.flatMap((part) => part.quiet?.() ?? []));
  core.log.info({ version: pass.version, ...staleNames(pass.stale) }, logWords(core).inStep);
}

// As kube-proxy's sync period: how often this host is looked at, when nothing else happens.
const hostPeriodMs = 30_000;

async function lookAround(core: Core, parts: readonly DaemonPart[]): Promise<void> {
  const { host, loop, reconciler, signal } = core;
  while (!signal.aborted) {
    await host.clock.delay(hostPeriodMs, signal);
    if (signal.aborted) return;
    const isWanted = parts.map((part) => part.goOn?.() === true).includes(true);
    if (isWanted || reconciler.isOutdated) loop.nudge('host');
  }
}

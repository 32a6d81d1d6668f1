// One line for what an operator would want to know of a reflector, none for what goes well all day.
import type { Logger } from 'pino';
import type { ClusterObject } from '../../model/kubernetes.ts';
import { printable, problemText } from '../problem.ts';
import type { Hearing } from './health.ts';
import type { ReflectorEvent } from './watch/reflector-event.ts';

/** Logs what happened to the reflector of `kind`; an outage is logged when it begins and when it ends. */
export function logEvent(
  log: Logger,
  {
    kind,
    event,
    before,
    now,
  }: {
    readonly kind: ClusterObject['kind'];
    readonly event: ReflectorEvent;
    readonly before: Hearing;
    readonly now: Hearing;
  },
): void {
  switch (event.kind) {
    case 'listed':
      log.info({ kind, objects: event.objects, ms: Math.round(event.ms) }, 'listed');
      break;
    case 'failed': {
      const { delayMs, error } = event;
      const isSaid = before.errors.has(error.message);
      const about = { kind, error: error.message, retryInMs: Math.round(delayMs) };
      log[isSaid ? 'debug' : 'warn'](about, 'cannot hear the API server; the rules stay');
      break;
    }
    case 'absent':
      if (before.listed.has(kind)) break;
      log.info({ kind, error: event.error.message }, 'the API server has none; going on without');
      break;
    case 'no-watch-list':
      log.info({ kind, error: event.error.message }, 'no WatchList; listing in pages');
      break;
    case 'problems':
      logProblems(log, kind, event);
      break;
    case 'ended':
      log.debug({ kind, reason: event.reason, ms: Math.round(event.ms) }, 'a watch ended');
      break;
    case 'watching':
    case 'heard':
      break;
  }
  if (now.health.isConnected && !before.health.isConnected) {
    log.info('connected to the API server');
  }
}

function logProblems(
  log: Logger,
  kind: string,
  { id, problems }: Extract<ReflectorEvent, { kind: 'problems' }>,
): void {
  if (problems.length === 0) log.info(`${kind} ${printable(id)}: can be used again, or is gone`);
  for (const problem of problems) log.error(problemText(`${kind} ${id}`.trimEnd(), problem));
}

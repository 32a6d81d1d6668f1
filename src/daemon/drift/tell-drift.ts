// Tells of others that change our rules, and of each repair: in the log, in the metrics and as an Event of the
// Node.
import type { Logger } from 'pino';
import { printable } from '../../cluster/problem.ts';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { Author } from '../../netfilter/table-changes.ts';
import type { Drift, DriftListener } from './drift.ts';
import { nodeRegarding } from '../events/proxy-events.ts';
import type { Troubles } from '../events/troubles.ts';

/** Who is told of drift. */
export type Tellers = {
  readonly nodeName: string;
  readonly log: Logger;
  readonly record: RecordEvent;
  readonly troubles: Pick<Troubles, 'set'>;
  /** Counts what becomes of foreign changes. */
  readonly count: DriftListener['outcome'];
};

/** Tells of drift everywhere. */
export function driftTeller({ nodeName, log, record, troubles, count }: Tellers): DriftListener {
  return {
    outcome: count,
    repaired(drift) {
      const { family, source, authors, repaired, tookMs } = drift;
      const ms = Math.round(tookMs);
      const by = authors.map(({ process, pid }) => ({ process: printable(process), pid }));
      const { create: putBack, replace: mended, delete: removed } = repaired;
      log.warn(
        { family, noticedBy: source, by, putBack, mended, removed, ms },
        'somebody changed our rules: repaired',
      );
      record({
        regarding: nodeRegarding(nodeName),
        type: 'Warning',
        reason: 'RulesRepaired',
        action: 'RepairRules',
        note: repairNote(drift),
      });
    },
    looping(family, authors) {
      const by = namesOf(authors);
      const message = 'each repair is undone at once: the next ones wait longer and longer';
      const note = `${family}: ${by} undoes each repair of the Service rules at once; they are repaired less and less often, down to every 30 s`;
      const logged = { fields: { family, by }, message };
      troubles.set({ kind: 'RepairLoop', family, note, logged });
    },
    calm(family) {
      troubles.set({ kind: 'RepairLoop', family, note: '' });
    },
    deaf(err) {
      log.warn({ err }, 'changes by others cannot be heard of: the audit alone finds them, later');
    },
    listening() {
      log.info('changes by others are heard of again');
    },
  };
}

function repairNote({ family, authors, repaired, tookMs }: Drift): string {
  const { create, replace, delete: removed } = repaired;
  const parts = [
    ...(create === 0 ? [] : [`${create} put back`]),
    ...(replace === 0 ? [] : [`${replace} mended`]),
    ...(removed === 0 ? [] : [`${removed} removed`]),
  ];
  const what = `${family}: ${namesOf(authors)} changed Service rules: ${parts.join(', ')}`;
  return `${what}; repaired after ${Math.round(tookMs)} ms`;
}

/** `firewalld (pid 812)`; the name is whatever that process calls itself. */
function namesOf(authors: readonly Author[]): string {
  if (authors.length === 0) return 'somebody';
  return authors.map(({ process, pid }) => `${printable(process)} (pid ${pid})`).join(', ');
}

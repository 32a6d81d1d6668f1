// Tells operators, in the log, and the owners of Services, by Events, what this proxy does not do for Services:
// addresses that another Service has, rules that the kernel's tool refuses; each once, and when it is over.
import type { Logger } from 'pino';
import type { ClusterEvent, RecordEvent } from '../../model/cluster-event.ts';
import { frontendId } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import { conflictText } from '../../model/reason.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { Conflict } from '../../resolve/claims.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';
import type { Pass, PassListener } from '../pass.ts';

/** What ServiceTroubles works with. */
export type ServiceTroublesOptions = {
  /** Whether there still is such a Service. */
  readonly exists: (service: ServiceKey) => boolean;
  readonly record: RecordEvent;
  readonly log: Logger;
  readonly isDryRun: boolean;
};

type Trouble = 'conflict' | 'quarantined';

const mostNamed = 5;
const action = 'ProgramRules';

/** Invariant: #lastNotes has, by family, trouble and Service, what was last said of it that is not over. */
export class ServiceTroubles implements PassListener {
  readonly #options: ServiceTroublesOptions;
  readonly #lastNotes = new Map<string, string>();

  constructor(options: ServiceTroublesOptions) {
    this.#options = options;
  }

  ended({ families }: Pick<Pass, 'families'>): void {
    for (const pass of families) {
      const { update, quarantined, settled } = pass;
      const touched = new Set([
        ...update.conflicts.map(({ frontend }) => frontend.service),
        ...quarantined.keys(),
        ...(this.#lastNotes.size === 0 ? [] : [...settled.before, ...settled.after].map(nameOf)),
      ]);
      for (const service of touched) this.#look(service, pass);
    }
  }

  #look(service: ServiceKey, { family, desired, quarantined }: FamilyPass<Unit>): void {
    const { conflicts, isQuarantined } = desired.decisions.statusOf(service);
    const at = { service, family };
    const conflictsNow = conflicts.length === 0 ? '' : conflictNote(service, conflicts);
    if (this.#say({ ...at, trouble: 'conflict' }, conflictsNow)) this.#logConflicts(conflicts);
    const error = quarantined.get(service);
    if (!isQuarantined) this.#say({ ...at, trouble: 'quarantined' }, '');
    else if (error !== undefined) {
      const isNew = this.#say({ ...at, trouble: 'quarantined' }, quarantineNote(family, error));
      if (isNew) this.#logQuarantine(at, error);
    }
  }

  /** Sends an Event, and logs that it is over; `note` is '' where there is no such trouble. Returns whether it is new. */
  #say(of: { service: ServiceKey; family: Family; trouble: Trouble }, note: string): boolean {
    const { service, family, trouble } = of;
    const { record, log, exists } = this.#options;
    const id = `${family} ${trouble} ${service}`;
    const last = this.#lastNotes.get(id) ?? '';
    if (last === note) return false;
    if (note === '') this.#lastNotes.delete(id);
    else this.#lastNotes.set(id, note);
    const isThere = exists(service);
    if (note === '')
      log.info({ service, family }, isThere ? over[trouble].log : over[trouble].gone);
    if (isThere) {
      record(eventOf(service, trouble, note || `${family}: ${over[trouble].event}`, note === ''));
    }
    return note !== '';
  }

  #logConflicts(conflicts: readonly Conflict[]): void {
    for (const { frontend, winner, reason } of conflicts) {
      const address = frontendId(frontend.address);
      const what = { service: frontend.service, address, winner, reason };
      this.#options.log.warn(what, 'address already claimed by another Service; not programmed');
    }
  }

  #logQuarantine(at: { service: ServiceKey; family: Family }, err: Error): void {
    const { log, isDryRun } = this.#options;
    const what = isDryRun
      ? 'would be quarantined: no rules can be made'
      : 'quarantined: rules rejected';
    log.error({ err, ...at }, `${what}; the Service keeps its last good rules until it changes`);
  }
}

const over: Readonly<Record<Trouble, { readonly [where in 'log' | 'gone' | 'event']: string }>> = {
  conflict: {
    log: 'conflict over: the Service has all its addresses now',
    gone: 'conflict over: the Service is gone',
    event: 'it has all its addresses now',
  },
  quarantined: {
    log: "quarantine over: the Service's rules are in the kernel now",
    gone: 'quarantine over: the Service is gone',
    event: 'its rules are in the kernel now',
  },
};

function eventOf(
  service: ServiceKey,
  trouble: Trouble,
  note: string,
  isOver: boolean,
): ClusterEvent {
  const [namespace = '', name = ''] = service.split('/');
  const reasons = { conflict: 'AddressConflict', quarantined: 'Quarantine' } as const;
  return {
    regarding: { kind: 'Service', namespace, name },
    type: isOver ? 'Normal' : 'Warning',
    reason: isOver ? `${reasons[trouble]}Over` : reasons[trouble],
    action,
    note,
    // All nodes decide alike who has an address; what a tool refuses is a matter of its version.
    isSameEverywhere: trouble === 'conflict',
  };
}

// Who has the address is named only to those who own both: a namespace may be another tenant's.
function conflictNote(service: ServiceKey, conflicts: readonly Conflict[]): string {
  const [namespace] = service.split('/');
  const named = conflicts.slice(0, mostNamed).map(({ frontend, winner, reason }) => {
    const owner = winner.startsWith(`${namespace}/`) ? winner : 'a Service of another namespace';
    return `${frontendId(frontend.address)} is not programmed: ${conflictText(owner, reason)}`;
  });
  const more = conflicts.length - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function quarantineNote(family: Family, { message }: Error): string {
  return `${family}: it keeps its last good rules on this node: ${message.split('\n')[0]}`;
}

function nameOf({ service }: { readonly service: ServiceKey }): ServiceKey {
  return service;
}

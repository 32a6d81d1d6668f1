// Tells operators, in the log, and the owners of Services, by Events, what this proxy does not do for Services:
// addresses that another Service has, rules that the kernel's tool refuses; each once, and when it is over.
import type { Logger } from 'pino';
import { LimitError } from '../../errors.ts';
import type { ClusterEvent, RecordEvent } from '../../model/cluster-event.ts';
import { frontendId } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import { apiServer, conflictText } from '../../model/reason.ts';
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
type Told = { readonly service: ServiceKey; readonly family: Family; readonly trouble: Trouble };

const mostNamed = 5;
const action = 'ProgramRules';

/** Invariant: #last has, by family, trouble and Service, what was last told of and is not over. */
export class ServiceTroubles implements PassListener {
  readonly #options: ServiceTroublesOptions;
  readonly #last = new Map<string, string>();

  constructor(options: ServiceTroublesOptions) {
    this.#options = options;
  }

  ended({ families }: Pick<Pass, 'families'>): void {
    for (const pass of families) {
      const { update, quarantined, settled } = pass;
      const touched = new Set([
        ...update.conflicts.map(({ frontend }) => frontend.service),
        ...quarantined.keys(),
        ...(this.#last.size === 0 ? [] : update.decided),
        ...(this.#last.size === 0 ? [] : [...settled.before, ...settled.after].map(nameOf)),
      ]);
      for (const service of touched) this.#look(service, pass);
    }
  }

  #look(service: ServiceKey, { family, desired, quarantined }: FamilyPass<Unit>): void {
    const { conflicts, isQuarantined } = desired.decisions.statusOf(service);
    const at = { service, family };
    const isConflictNew = this.#say(
      { ...at, trouble: 'conflict' },
      // Who of several Services has an address may change often, and is no news to those who do not have it.
      conflicts.map(({ frontend }) => frontendId(frontend.address)).join(),
      () => conflictNote(service, conflicts),
    );
    if (isConflictNew) this.#logConflicts(at, conflicts);
    const error = quarantined.get(service);
    if (isQuarantined && error === undefined) return;
    const note = error === undefined || !isQuarantined ? '' : quarantineNote(family, error);
    const isQuarantineNew = this.#say({ ...at, trouble: 'quarantined' }, note, () => note);
    if (isQuarantineNew && error !== undefined) this.#logQuarantine(at, error);
  }

  /**
   * Sends an Event with a note, and logs that it is over, unless the same was told last; `what` is '' where there is
   * no such trouble. Returns whether it is new.
   */
  #say(of: Told, what: string, note: () => string): boolean {
    const { service, family, trouble } = of;
    const { record, log, exists } = this.#options;
    const id = `${family} ${trouble} ${service}`;
    if (what === (this.#last.get(id) ?? '')) return false;
    const isOver = what === '';
    if (isOver) this.#last.delete(id);
    else this.#last.set(id, what);
    const isThere = exists(service);
    if (isOver) log.info({ service, family }, isThere ? over[trouble].log : over[trouble].gone);
    if (isThere) {
      const text = isOver ? `${family}: ${over[trouble].event}` : note();
      record(eventOf(service, trouble, text, isOver));
    }
    return !isOver;
  }

  #logConflicts(at: { service: ServiceKey; family: Family }, conflicts: readonly Conflict[]): void {
    const addresses = conflicts.slice(0, mostNamed).map(({ frontend, winner, reason }) => ({
      address: frontendId(frontend.address),
      winner,
      reason,
    }));
    const more = conflicts.length - addresses.length;
    const what = { ...at, addresses, ...(more > 0 ? { more } : {}) };
    this.#options.log.warn(what, 'address already claimed by another Service; not programmed');
  }

  #logQuarantine(at: { service: ServiceKey; family: Family }, err: Error): void {
    const { log, isDryRun } = this.#options;
    if (err instanceof LimitError) {
      log.error({ err, ...at }, 'a limit is passed: the Service keeps its last good rules');
      return;
    }
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
    const isTold = winner === apiServer || winner.startsWith(`${namespace}/`);
    const owner = isTold ? winner : 'a Service of another namespace';
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

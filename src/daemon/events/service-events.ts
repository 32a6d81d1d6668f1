// Tells the owners of Services, by Events, what this proxy does not do for them: addresses that another
// Service has, rules that the kernel's tool refuses; and when that is over. Passes in, Events out.
import type { ClusterEvent, RecordEvent } from '../../model/cluster-event.ts';
import { frontendId } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import { conflictText } from '../../model/reason.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { LostClaim } from '../../resolve/claims.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';
import type { Pass, PassListener } from '../pass.ts';

/** What ServiceEvents works with. */
export type ServiceEventsOptions = {
  /** Whether there still is such a Service. */
  readonly exists: (service: ServiceKey) => boolean;
  readonly record: RecordEvent;
};

type Trouble = 'conflict' | 'refused';

const mostNamed = 5;
const action = 'ProgramRules';

/** Invariant: #told has, by family, trouble and Service, what was last said of it that is not over. */
export class ServiceEvents implements PassListener {
  readonly #options: ServiceEventsOptions;
  readonly #told = new Map<string, string>();

  constructor(options: ServiceEventsOptions) {
    this.#options = options;
  }

  ended({ families }: Pick<Pass, 'families'>): void {
    for (const pass of families) {
      const { update, heldBack, settled } = pass;
      const touched = new Set([
        ...update.lost.map(({ frontend }) => frontend.service),
        ...heldBack.keys(),
        ...(this.#told.size === 0 ? [] : [...settled.before, ...settled.after].map(nameOf)),
      ]);
      for (const service of touched) this.#look(service, pass);
    }
  }

  #look(service: ServiceKey, { family, desired, heldBack }: FamilyPass<Unit>): void {
    const { lost, isHeld } = desired.decisions.troubleOf(service);
    const at = { service, family };
    this.#say({ ...at, trouble: 'conflict' }, lost.length === 0 ? '' : conflictNote(service, lost));
    const error = heldBack.get(service);
    if (!isHeld) this.#say({ ...at, trouble: 'refused' }, '');
    else if (error !== undefined) {
      this.#say({ ...at, trouble: 'refused' }, refusalNote(family, error));
    }
  }

  /** `note` is '' where there is no such trouble. */
  #say(of: { service: ServiceKey; family: Family; trouble: Trouble }, note: string): void {
    const { service, family, trouble } = of;
    const id = `${family} ${trouble} ${service}`;
    const told = this.#told.get(id) ?? '';
    if (told === note) return;
    if (note === '') this.#told.delete(id);
    else this.#told.set(id, note);
    if (!this.#options.exists(service)) return;
    this.#options.record(
      eventOf(service, trouble, note || `${family}: ${over[trouble]}`, note === ''),
    );
  }
}

const over: Readonly<Record<Trouble, string>> = {
  conflict: 'it has all its addresses now',
  refused: 'its rules are in the kernel now',
};

function eventOf(
  service: ServiceKey,
  trouble: Trouble,
  note: string,
  isOver: boolean,
): ClusterEvent {
  const [namespace = '', name = ''] = service.split('/');
  const reasons = { conflict: 'AddressConflict', refused: 'RulesRefused' } as const;
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
function conflictNote(service: ServiceKey, lost: readonly LostClaim[]): string {
  const [namespace] = service.split('/');
  const named = lost.slice(0, mostNamed).map(({ frontend, winner, reason }) => {
    const owner = winner.startsWith(`${namespace}/`) ? winner : 'a Service of another namespace';
    return `${frontendId(frontend.address)} is left out: ${conflictText(owner, reason)}`;
  });
  const more = lost.length - named.length;
  return [...named, ...(more > 0 ? [`and ${more} more`] : [])].join('; ');
}

function refusalNote(family: Family, { message }: Error): string {
  return `${family}: it keeps its last good rules on this node: ${message.split('\n')[0]}`;
}

function nameOf({ service }: { readonly service: ServiceKey }): ServiceKey {
  return service;
}

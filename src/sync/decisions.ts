// What every Service of one family means, and the rules for that, kept Service by Service: a fold of what the
// cluster says, in which a Service whose rules are refused keeps what it last meant. No backend is known here.
import { buildService } from '../../rules/index.ts';
import type { ClusterState } from '../cluster/state.ts';
import type { Frontend, ServiceForwarding } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { ServiceRules } from '../model/ruleset.ts';
import type { FamilySettings } from '../model/settings.ts';
import { Claims, type Conflict } from '../resolve/claims.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { resolveService } from '../resolve/service.ts';
import type { Settled } from './update.ts';

/** What a Service means; undefined: nothing. */
type Meaning = ServiceForwarding | undefined;

/** What is kept of one Service. */
type Row = {
  /** All that it asks for. */
  readonly claimed: Meaning;
  /** What it comes to: without the addresses that others have, or what it is quarantined to. */
  readonly means: Meaning;
  /** What it meant when the kernel was last in step; only of a Service that was touched since then. */
  readonly lastGood: { readonly means: Meaning } | undefined;
  /** What it means instead of what it claims, as long as its rules are refused. */
  readonly quarantined: { readonly means: Meaning } | undefined;
};

/** The rules for what a Service comes to, and its addresses that others have. */
export type ServiceDecision = {
  readonly rules: ServiceRules | undefined;
  readonly conflicts: readonly Conflict[];
};

/** What deciding some Services came to: the rules of each, and the addresses that others have. */
export type Decided = {
  readonly rules: ReadonlyMap<ServiceKey, ServiceRules | undefined>;
  readonly conflicts: readonly Conflict[];
};

const nothing: Row = {
  claimed: undefined,
  means: undefined,
  lastGood: undefined,
  quarantined: undefined,
};

/**
 * Invariant: #touched are the keys of rows with a lastGood, #quarantined those of rows that are quarantined, and
 * no row is kept that says nothing; #conflicts counts, for each Service that has any, the addresses that others have. What a quarantined Service means has no address that another Service has.
 */
export class Decisions {
  readonly #state: ClusterState;
  readonly #claims = new Claims();
  readonly #rows = new Map<ServiceKey, Row>();
  readonly #touched = new Set<ServiceKey>();
  readonly #quarantined = new Set<ServiceKey>();
  readonly #conflicts = new Map<ServiceKey, number>();
  #faults = new Map<ServiceKey, Error>();

  constructor(state: ClusterState) {
    this.#state = state;
  }

  /** What all Services mean now. */
  *forwarding(): Generator<ServiceForwarding> {
    for (const { means } of this.#rows.values()) if (means !== undefined) yield means;
  }

  /** The Services of which anything is kept. */
  get keys(): Iterable<ServiceKey> {
    return this.#rows.keys();
  }

  /** Services that could not be decided, or that `refuse` named, since the last update. */
  get faults(): ReadonlyMap<ServiceKey, Error> {
    return this.#faults;
  }

  /** How many Services are quarantined, and how many addresses other Services have. */
  get notProgrammed(): { readonly quarantined: number; readonly conflicts: number } {
    let conflicts = 0;
    for (const count of this.#conflicts.values()) conflicts += count;
    return { quarantined: this.#quarantined.size, conflicts };
  }

  /** Whether a Service is quarantined, and which of its addresses others have. */
  statusOf(key: ServiceKey): {
    readonly isQuarantined: boolean;
    readonly conflicts: readonly Conflict[];
  } {
    const { conflicts } = this.#claims.settle(this.#row(key).claimed?.frontends ?? []);
    return { isQuarantined: this.#quarantined.has(key), conflicts };
  }

  /** The Services touched since the last settle that may still be quarantined. */
  get candidates(): readonly ServiceKey[] {
    return [...this.#touched].filter((key) => !this.#quarantined.has(key)).toSorted();
  }

  /** The frontend with this id as it is now, if there is one. */
  frontendAt(id: string): Frontend | undefined {
    const winner = this.#claims.winner(id);
    const owners = winner === undefined ? this.#quarantined : [winner, ...this.#quarantined];
    for (const key of owners) {
      const frontends = this.#row(key).means?.frontends ?? [];
      const found = frontends.find(({ address }) => frontendId(address) === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Decides these Services again, and those whose claims they touch. */
  update(
    services: ReadonlySet<ServiceKey>,
    { context, settings }: { readonly context: ResolveContext; readonly settings: FamilySettings },
  ): Decided {
    this.#faults = new Map();
    this.#claims.at(settings);
    const touched = new Set(services);
    for (const key of services) {
      this.#put(key, { quarantined: undefined });
      for (const other of this.#claim(key, context)) touched.add(other);
    }
    for (const key of this.#quarantined) {
      const { quarantined, means } = this.#row(key);
      const left = this.#withoutConflicts(quarantined?.means);
      if (left === means) continue;
      this.#put(key, { quarantined: { means: left } });
      touched.add(key);
    }
    return this.place(touched, settings);
  }

  /** Takes over what these Services come to now. */
  place(keys: ReadonlySet<ServiceKey>, settings: FamilySettings): Decided {
    const rules = new Map<ServiceKey, ServiceRules | undefined>();
    const conflicts: Conflict[] = [];
    for (const key of [...keys].toSorted()) {
      const { means, lastGood = { means } } = this.#row(key);
      this.#put(key, { lastGood });
      const decided = this.decisionOf(key, settings);
      rules.set(key, decided.rules);
      conflicts.push(...decided.conflicts);
    }
    return { rules, conflicts };
  }

  /** The rules for what a Service comes to; where they cannot be built, it is quarantined until they can. */
  decisionOf(key: ServiceKey, settings: FamilySettings): ServiceDecision {
    for (;;) {
      const { means, conflicts } = this.#decide(key);
      this.#put(key, { means });
      try {
        return { rules: means && buildService(means, settings), conflicts };
      } catch (error) {
        this.refuse(key, error);
      }
    }
  }

  /** Quarantines a Service for a fault: to what was good before, then to nothing, which can always be built. */
  refuse(key: ServiceKey, error: unknown): void {
    const fault = error instanceof Error ? error : new Error(String(error));
    if (!this.#faults.has(key)) this.#faults.set(key, fault);
    const { means, lastGood = { means }, quarantined } = this.#row(key);
    this.#quarantine(key, quarantined === undefined ? lastGood.means : undefined);
  }

  /** What Services meant when the kernel was last in step, and mean now: those that were touched since. */
  get pending(): Settled {
    const rows = [...this.#touched].map((key) => this.#row(key));
    return {
      before: rows.flatMap(({ lastGood }) => lastGood?.means ?? []),
      after: rows.flatMap(({ means }) => means ?? []),
    };
  }

  /** How many Services meant anything when the kernel was last in step. */
  get meaningBefore(): number {
    return [...this.#rows.values()].filter(({ means, lastGood = { means } }) => {
      return lastGood.means !== undefined;
    }).length;
  }

  /** Lets just these of the `candidates` mean what they last meant in step; returns those for which that is new. */
  quarantineOnly(
    keys: ReadonlySet<ServiceKey>,
    candidates: readonly ServiceKey[],
  ): Set<ServiceKey> {
    const changed = candidates.filter((key) => keys.has(key) !== this.#quarantined.has(key));
    for (const key of changed) {
      if (keys.has(key)) this.#quarantine(key, this.#row(key).lastGood?.means);
      else this.#put(key, { quarantined: undefined });
    }
    return new Set(changed);
  }

  /** The kernel holds all this now: returns what that changed since it last did. */
  settle(): Settled {
    const keys = [...this.#touched].toSorted();
    const before = [...this.#touched].flatMap((key) => this.#row(key).lastGood?.means ?? []);
    const after = keys.flatMap((key) => this.#row(key).means ?? []);
    for (const key of keys) this.#put(key, { lastGood: undefined });
    return { before, after };
  }

  #claim(key: ServiceKey, context: ResolveContext): ReadonlySet<ServiceKey> {
    const service = this.#state.service(key);
    let claimed: Meaning;
    try {
      claimed = service && resolveService(service, this.#state.slices(key), context);
    } catch (error) {
      this.refuse(key, error);
      return new Set();
    }
    if (service === undefined || claimed === undefined || claimed.frontends.length === 0) {
      this.#put(key, { claimed: undefined });
      return this.#claims.delete(key);
    }
    this.#put(key, { claimed });
    return this.#claims.set(service, claimed.frontends);
  }

  #decide(key: ServiceKey): { readonly means: Meaning; readonly conflicts: readonly Conflict[] } {
    const { claimed, quarantined } = this.#row(key);
    const { won, conflicts } = this.#claims.settle(claimed?.frontends ?? []);
    if (conflicts.length === 0) this.#conflicts.delete(key);
    else this.#conflicts.set(key, conflicts.length);
    if (quarantined !== undefined) return { means: quarantined.means, conflicts: [] };
    if (claimed === undefined) return { means: undefined, conflicts: [] };
    if (conflicts.length === 0) return { means: claimed, conflicts };
    return { means: won.length === 0 ? undefined : { ...claimed, frontends: won }, conflicts };
  }

  #quarantine(key: ServiceKey, means: Meaning): void {
    this.#put(key, { quarantined: { means: this.#withoutConflicts(means) } });
  }

  // What a quarantined Service means lasts only as long as no other has its addresses.
  #withoutConflicts(means: Meaning): Meaning {
    if (means === undefined) return undefined;
    const frontends = means.frontends.filter(({ address }) => {
      const winner = this.#claims.winner(frontendId(address));
      return winner === undefined || winner === means.service;
    });
    return frontends.length === means.frontends.length ? means : { ...means, frontends };
  }

  #row(key: ServiceKey): Row {
    return this.#rows.get(key) ?? nothing;
  }

  #put(key: ServiceKey, change: Partial<Row>): void {
    const row: Row = { ...this.#row(key), ...change };
    const { claimed, means, lastGood, quarantined } = row;
    if (lastGood === undefined) this.#touched.delete(key);
    else this.#touched.add(key);
    if (quarantined === undefined) this.#quarantined.delete(key);
    else this.#quarantined.add(key);
    if (claimed ?? means ?? lastGood ?? quarantined) this.#rows.set(key, row);
    else this.#rows.delete(key);
  }
}

/** Decisions for those who read them. */
export type DecisionsView = Pick<
  Decisions,
  | 'forwarding'
  | 'notProgrammed'
  | 'statusOf'
  | 'candidates'
  | 'frontendAt'
  | 'pending'
  | 'meaningBefore'
>;

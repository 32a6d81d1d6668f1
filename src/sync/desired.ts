// What one family's kernel should hold, kept in step with the cluster piece by piece: what was decided of the
// Services that changed, and no others, as the backend spells it.
import { buildParts } from '../../rules/index.ts';
import type { Assembler, Assembly, Change } from '../backends/backend.ts';
import type { ClusterState } from '../cluster/state.ts';
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { FamilySettings } from '../model/settings.ts';
import type { Plan } from '../netfilter/plan.ts';
import { planTo } from '../netfilter/plan.ts';
import type { Program, Unit } from '../netfilter/program.ts';
import { resolveContext } from '../resolve/context.ts';
import { resolveSettings } from '../resolve/settings.ts';
import type { Decided, DecisionsView } from './decisions.ts';
import { Decisions } from './decisions.ts';
import type { Settled, Update } from './update.ts';
import { wholeChange } from './whole-change.ts';

/** What decisions are made from. */
export type DesiredInputs = {
  readonly config: Config;
  readonly state: ClusterState;
  /** All addresses on the host's interfaces, now. */
  readonly hostIps: () => readonly Ip[];
  /** As found at start (host/sysctl); false where this host is not looked at. */
  readonly isTcpLiberal?: boolean;
};

/** The settings of one family, now. */
export function settingsOf(inputs: DesiredInputs, family: Family): FamilySettings {
  const { config, state, hostIps, isTcpLiberal = false } = inputs;
  const { node, serviceCidrs, apiServer } = state;
  const around = { node, serviceCidrs, apiServer, hostIps: hostIps(), isTcpLiberal };
  return resolveSettings(config, around, family);
}

/** Invariant: #assembly holds the pieces of all that is decided. */
export class Desired<U extends Unit> {
  readonly #family: Family;
  readonly #backend: Assembler<U>;
  readonly #decisions: Decisions;
  #inputs: DesiredInputs;
  #settings: FamilySettings;
  #assembly: Assembly<U>;

  constructor(backend: Assembler<U>, family: Family, from: DesiredInputs) {
    this.#backend = backend;
    this.#family = family;
    this.#inputs = from;
    this.#decisions = new Decisions(from.state);
    this.#settings = settingsOf(from, family);
    this.#assembly = this.#assemble();
  }

  /**
   * The steps from what the kernel holds to what it should hold. What may be in any order is from now on to be
   * in the order that it has there.
   */
  planFrom(present: Program<U>): Plan<U> {
    this.#assembly.adopt?.(present.values());
    return planTo(present, this.#assembly.units());
  }

  /** All units that the kernel should hold. */
  units(): Iterable<U> {
    return this.#assembly.units();
  }

  whole(): Program<U> {
    return this.#assembly.whole();
  }

  /** What the Services mean, and which of them have trouble. */
  get decisions(): DecisionsView {
    return this.#decisions;
  }

  get settings(): FamilySettings {
    return this.#settings;
  }

  /** Takes over another configuration; where it leads to other settings, `isOutdated` says so. */
  reconfigure(config: Config): void {
    this.#inputs = { ...this.#inputs, config };
  }

  /** Whether host, Node or configuration would lead to other settings by now. */
  get isOutdated(): boolean {
    return (
      JSON.stringify(settingsOf(this.#inputs, this.#family)) !== JSON.stringify(this.#settings)
    );
  }

  /** Decides these Services again, and those whose claims they touch. */
  update(services: ReadonlySet<ServiceKey>): Update<U> {
    const { config, state } = this.#inputs;
    const context = resolveContext(config, state.node, this.#family);
    const decided = this.#decisions.update(services, { context, settings: this.#settings });
    return { ...this.#spell(decided), faults: this.#decisions.faults };
  }

  /** Takes over changed settings: decides everything again, by the same functions. */
  rebuild(): Update<U> {
    const was = this.#assembly;
    this.#settings = settingsOf(this.#inputs, this.#family);
    this.#assembly = this.#assemble();
    // Also those that are gone by now, and those that lost every address and so mean nothing.
    const keys = new Set([...this.#inputs.state.serviceKeys, ...this.#decisions.keys]);
    const update = this.update(keys);
    this.#assembly.adopt?.(was.units());
    return { ...update, change: wholeChange(was, this.#assembly) };
  }

  /** Lets just these of the `candidates` mean what they meant when the kernel was last in step. */
  quarantineOnly(keys: ReadonlySet<ServiceKey>, candidates: readonly ServiceKey[]): void {
    const changed = this.#decisions.quarantineOnly(keys, candidates);
    if (changed.size > 0) this.#spell(this.#decisions.place(changed, this.#settings));
  }

  /** The kernel holds all this now: returns what that changed since it last did. */
  settle(): Settled {
    return this.#decisions.settle();
  }

  #assemble(): Assembly<U> {
    return this.#backend.assemble(buildParts(this.#settings), this.#settings);
  }

  #spell({ rules, conflicts }: Decided): Omit<Update<U>, 'faults'> {
    const decided = new Set(rules.keys());
    try {
      return { change: this.#assembly.replace(rules), isTraceable: true, decided, conflicts };
    } catch {
      return { change: this.#reassemble(), isTraceable: false, decided, conflicts };
    }
  }

  // A piece that cannot be spelled leaves an assembly half changed: all is put together again, one by one.
  #reassemble(): Change<U> {
    this.#assembly = this.#assemble();
    for (const key of [...this.#decisions.keys].toSorted()) {
      let { rules } = this.#decisions.decisionOf(key, this.#settings);
      while (rules !== undefined) {
        try {
          this.#assembly.replace(new Map([[key, rules]]));
          break;
        } catch (error) {
          this.#decisions.refuse(key, error);
          rules = this.#decisions.decisionOf(key, this.#settings).rules;
        }
      }
    }
    return wholeChange(undefined, this.#assembly);
  }
}

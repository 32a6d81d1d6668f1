// What one family's kernel should hold, kept in step with the cluster piece by piece: the pure arrows
// resolve, build and compile in one place, for the Services that changed and no others.
import { buildParts, buildService } from '../../rules/index.ts';
import type { Assembler, Assembly, Change } from '../backends/backend.ts';
import type { ClusterState } from '../cluster/state.ts';
import type { Config } from '../model/config.ts';
import type { Frontend, ServiceForwarding } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { ServiceRules } from '../model/ruleset.ts';
import type { FamilySettings } from '../model/settings.ts';
import type { Program, Unit } from '../netfilter/program.ts';
import { Claims, type LostClaim } from '../resolve/claims.ts';
import type { ResolveContext } from '../resolve/context.ts';
import { resolveContext } from '../resolve/context.ts';
import { resolveService } from '../resolve/service.ts';
import { resolveSettings } from '../resolve/settings.ts';
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

/** What a Service comes to: its decision, and the rules for it. */
type Piece = {
  readonly forwarding: ServiceForwarding | undefined;
  readonly rules: ServiceRules | undefined;
  readonly lost: readonly LostClaim[];
};

/**
 * Invariant: #forwarding and #assembly hold the outcome of the objects as they were at the last update
 * or rebuild, for every Service but those in #held. #held has, for each of those, what it means in place
 * of that, and #good what each Service touched since the last settle meant at that time.
 */
export class Desired<U extends Unit> {
  readonly #family: Family;
  #config: Config;
  readonly #backend: Assembler<U>;
  readonly #state: ClusterState;
  readonly #hostIps: () => readonly Ip[];
  readonly #isTcpLiberal: boolean;
  readonly #claims = new Claims();
  readonly #raw = new Map<ServiceKey, ServiceForwarding>();
  readonly #forwarding = new Map<ServiceKey, ServiceForwarding>();
  readonly #held = new Map<ServiceKey, ServiceForwarding | undefined>();
  readonly #good = new Map<ServiceKey, ServiceForwarding | undefined>();
  #faults = new Map<ServiceKey, Error>();
  #settings: FamilySettings;
  #assembly: Assembly<U>;

  constructor(backend: Assembler<U>, family: Family, from: DesiredInputs) {
    this.#backend = backend;
    this.#family = family;
    this.#config = from.config;
    this.#state = from.state;
    this.#hostIps = from.hostIps;
    this.#isTcpLiberal = from.isTcpLiberal ?? false;
    this.#settings = this.#resolveSettings();
    this.#assembly = this.#assemble();
  }

  /** All units that the kernel should hold. */
  units(): Iterable<U> {
    return this.#assembly.units();
  }

  whole(): Program<U> {
    return this.#assembly.whole();
  }

  /** What all Services mean now. */
  get forwarding(): ReadonlyMap<ServiceKey, ServiceForwarding> {
    return this.#forwarding;
  }

  get settings(): FamilySettings {
    return this.#settings;
  }

  /** Takes over another configuration; where it leads to other settings, `isOutdated` says so. */
  reconfigure(config: Config): void {
    this.#config = config;
  }

  /** Whether host, Node or configuration would lead to other settings by now. */
  get isOutdated(): boolean {
    return JSON.stringify(this.#resolveSettings()) !== JSON.stringify(this.#settings);
  }

  /** How many Services are held back, and how many addresses other Services have. */
  get failings(): { readonly heldBack: number; readonly lostClaims: number } {
    return { heldBack: this.#held.size, lostClaims: this.#claims.lost };
  }

  /** Whether a Service is held back, and which of its addresses others have. */
  troubleOf(key: ServiceKey): { readonly isHeld: boolean; readonly lost: readonly LostClaim[] } {
    const { lost } = this.#claims.settle(this.#raw.get(key)?.frontends ?? []);
    return { isHeld: this.#held.has(key), lost };
  }

  /** The Services touched since the last settle that may still be held back. */
  get candidates(): readonly ServiceKey[] {
    return [...this.#good.keys()].filter((key) => !this.#held.has(key)).toSorted();
  }

  /** The frontend with this id as it is now, if there is one. */
  frontendAt(id: string): Frontend | undefined {
    const winner = this.#claims.winner(id);
    const owners = winner === undefined ? this.#held.keys() : [winner, ...this.#held.keys()];
    for (const key of owners) {
      const frontends = this.#forwarding.get(key)?.frontends ?? [];
      const found = frontends.find(({ address }) => frontendId(address) === id);
      if (found !== undefined) return found;
    }
    return undefined;
  }

  /** Decides these Services again, and those whose claims they touch. */
  update(services: ReadonlySet<ServiceKey>): Update<U> {
    this.#faults = new Map();
    const touched = new Set(services);
    const context = this.#context();
    for (const key of services) {
      this.#held.delete(key);
      for (const other of this.#claim(key, context)) touched.add(other);
    }
    // What a held Service means lasts only as long as no other has its addresses.
    for (const key of this.#held.keys()) {
      if (this.#heldForwarding(key) !== this.#forwarding.get(key)) touched.add(key);
    }
    return { ...this.#place(touched), faults: this.#faults };
  }

  /** Takes over changed settings: decides everything again, by the same functions. */
  rebuild(): Update<U> {
    const was = this.#assembly;
    this.#settings = this.#resolveSettings();
    this.#assembly = this.#assemble();
    // Also those that are gone by now, and those that lost every address and so mean nothing.
    const keys = [...this.#state.serviceKeys, ...this.#raw.keys(), ...this.#forwarding.keys()];
    return { ...this.update(new Set(keys)), change: wholeChange(was, this.#assembly) };
  }

  /** Lets just these of the `candidates` mean what they meant when the kernel was last in step. */
  holdBack(keys: ReadonlySet<ServiceKey>, candidates: readonly ServiceKey[]): void {
    const changed = candidates.filter((key) => keys.has(key) !== this.#held.has(key));
    for (const key of changed) {
      if (keys.has(key)) this.#held.set(key, this.#good.get(key));
      else this.#held.delete(key);
    }
    if (changed.length > 0) this.#place(new Set(changed));
  }

  /** The kernel holds all this now: returns what that changed since it last did. */
  settle(): Settled {
    const before = [...this.#good.values()].filter((was) => was !== undefined);
    const keys = [...this.#good.keys()].toSorted();
    const after = keys.flatMap((key) => this.#forwarding.get(key) ?? []);
    this.#good.clear();
    return { before, after };
  }

  #assemble(): Assembly<U> {
    return this.#backend.assemble(buildParts(this.#settings), this.#settings);
  }

  #resolveSettings(): FamilySettings {
    const { node, serviceCidrs } = this.#state;
    const around = { hostIps: this.#hostIps(), isTcpLiberal: this.#isTcpLiberal };
    return resolveSettings(this.#config, { node, serviceCidrs, ...around }, this.#family);
  }

  #context(): ResolveContext {
    return resolveContext(this.#config, this.#state.node, this.#family);
  }

  #claim(key: ServiceKey, context: ResolveContext): ReadonlySet<ServiceKey> {
    const service = this.#state.service(key);
    let raw: ServiceForwarding | undefined;
    try {
      raw = service && resolveService(service, this.#state.slices(key), context);
    } catch (error) {
      this.#hold(key, error);
      return new Set();
    }
    if (service === undefined || raw === undefined || raw.frontends.length === 0) {
      this.#raw.delete(key);
      return this.#claims.delete(key);
    }
    this.#raw.set(key, raw);
    return this.#claims.set(service, raw.frontends);
  }

  /** Puts what these Services come to into the assembly. */
  #place(keys: ReadonlySet<ServiceKey>): Omit<Update<U>, 'faults'> {
    const pieces = new Map<ServiceKey, ServiceRules | undefined>();
    const lost: LostClaim[] = [];
    for (const key of [...keys].toSorted()) {
      if (!this.#good.has(key)) this.#good.set(key, this.#forwarding.get(key));
      const piece = this.#piece(key);
      lost.push(...piece.lost);
      this.#remember(key, piece);
      pieces.set(key, piece.rules);
    }
    try {
      return { change: this.#assembly.replace(pieces), isTraceable: true, lost };
    } catch {
      return { change: this.#reassemble(), isTraceable: false, lost };
    }
  }

  // A piece that cannot be spelled leaves an assembly half changed: all is put together anew, one by one.
  #reassemble(): Change<U> {
    this.#assembly = this.#assemble();
    for (const key of [...this.#forwarding.keys()].toSorted()) {
      let piece = this.#piece(key);
      while (piece.rules !== undefined) {
        try {
          this.#assembly.replace(new Map([[key, piece.rules]]));
          break;
        } catch (error) {
          this.#hold(key, error);
          piece = this.#piece(key);
        }
      }
      this.#remember(key, piece);
    }
    return wholeChange(undefined, this.#assembly);
  }

  #remember(key: ServiceKey, { forwarding }: Piece): void {
    if (forwarding === undefined) this.#forwarding.delete(key);
    else this.#forwarding.set(key, forwarding);
  }

  #piece(key: ServiceKey): Piece {
    const { forwarding, lost } = this.#decide(key);
    try {
      const rules = forwarding && buildService(forwarding, this.#settings);
      return { forwarding, rules, lost };
    } catch (error) {
      this.#hold(key, error);
      return this.#piece(key);
    }
  }

  // The first time it falls back to what was good before, then to nothing: that can always be built.
  #hold(key: ServiceKey, error: unknown): void {
    const fault = error instanceof Error ? error : new Error(String(error));
    if (!this.#faults.has(key)) this.#faults.set(key, fault);
    const good = this.#good.has(key) ? this.#good.get(key) : this.#forwarding.get(key);
    this.#held.set(key, this.#held.has(key) ? undefined : good);
  }

  #decide(key: ServiceKey): Pick<Piece, 'forwarding' | 'lost'> {
    if (this.#held.has(key)) {
      const forwarding = this.#heldForwarding(key);
      this.#held.set(key, forwarding);
      return { forwarding, lost: [] };
    }
    const raw = this.#raw.get(key);
    if (raw === undefined) return { forwarding: undefined, lost: [] };
    const { won, lost } = this.#claims.settle(raw.frontends);
    if (lost.length === 0) return { forwarding: raw, lost };
    return { forwarding: won.length === 0 ? undefined : { ...raw, frontends: won }, lost };
  }

  #heldForwarding(key: ServiceKey): ServiceForwarding | undefined {
    const good = this.#held.get(key);
    if (good === undefined) return undefined;
    const frontends = good.frontends.filter(({ address }) => {
      const winner = this.#claims.winner(frontendId(address));
      return winner === undefined || winner === key;
    });
    return frontends.length === good.frontends.length ? good : { ...good, frontends };
  }
}

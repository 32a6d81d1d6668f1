// What one family's kernel should hold, kept in step with the cluster piece by piece: the pure arrows
// resolve, build and compile in one place, for the Services that changed and no others.
import { buildParts, buildService } from '../../rules/index.ts';
import type { Assembly, Backend, Change } from '../backends/backend.ts';
import type { ClusterState } from '../cluster/state.ts';
import type { Config } from '../model/config.ts';
import type { ServiceForwarding } from '../model/forwarding.ts';
import type { Family } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { ServiceRules } from '../model/ruleset.ts';
import type { FamilySettings } from '../model/settings.ts';
import type { Program, Unit } from '../netfilter/program.ts';
import type { LostClaim } from '../resolve/claims.ts';
import { Claims } from '../resolve/claims.ts';
import { resolveService } from '../resolve/service.ts';
import { resolveSettings } from '../resolve/settings.ts';

/** What deciding some Services again came to. */
export type Update<U extends Unit> = {
  readonly change: Change<U>;
  /** What the touched Services meant before, and mean now; a Service that means nothing is absent. */
  readonly before: readonly ServiceForwarding[];
  readonly after: readonly ServiceForwarding[];
  /** Addresses that an older Service has. */
  readonly lost: readonly LostClaim[];
};

/**
 * Invariant: #forwarding and #assembly hold the outcome of the objects as they were at the last
 * update or rebuild, for every Service.
 */
export class Desired<U extends Unit> {
  readonly #family: Family;
  readonly #config: Config;
  readonly #backend: Backend<U>;
  readonly #state: ClusterState;
  readonly #claims = new Claims();
  readonly #raw = new Map<ServiceKey, ServiceForwarding>();
  readonly #forwarding = new Map<ServiceKey, ServiceForwarding>();
  #settings: FamilySettings;
  #assembly: Assembly<U>;

  constructor(backend: Backend<U>, family: Family, from: { config: Config; state: ClusterState }) {
    this.#backend = backend;
    this.#family = family;
    this.#config = from.config;
    this.#state = from.state;
    this.#settings = resolveSettings(this.#config, this.#state, family);
    this.#assembly = backend.assemble(buildParts(this.#settings), this.#settings);
  }

  /** All units that the kernel should hold. */
  whole(): Program<U> {
    return this.#assembly.whole();
  }

  /** What all Services mean now. */
  get forwarding(): ReadonlyMap<ServiceKey, ServiceForwarding> {
    return this.#forwarding;
  }

  /** Decides these Services again, and those whose claims they touch. */
  update(services: ReadonlySet<ServiceKey>): Update<U> {
    const touched = new Set(services);
    for (const key of services) for (const other of this.#claim(key)) touched.add(other);
    const before: ServiceForwarding[] = [];
    const after: ServiceForwarding[] = [];
    const lost: LostClaim[] = [];
    const pieces = new Map<ServiceKey, ServiceRules | undefined>();
    for (const key of [...touched].toSorted()) {
      const was = this.#forwarding.get(key);
      if (was !== undefined) before.push(was);
      const settled = this.#settle(key);
      lost.push(...settled.lost);
      if (settled.forwarding === undefined) this.#forwarding.delete(key);
      else {
        this.#forwarding.set(key, settled.forwarding);
        after.push(settled.forwarding);
      }
      const rules = settled.forwarding && buildService(settled.forwarding, this.#settings);
      pieces.set(key, rules);
    }
    return { change: this.#assembly.replace(pieces), before, after, lost };
  }

  /** Takes over changed settings: decides everything again, by the same functions. */
  rebuild(): Update<U> {
    const whole = this.#assembly.whole();
    this.#settings = resolveSettings(this.#config, this.#state, this.#family);
    this.#assembly = this.#backend.assemble(buildParts(this.#settings), this.#settings);
    const update = this.update(new Set([...this.#state.serviceKeys, ...this.#forwarding.keys()]));
    return { ...update, change: { before: whole, after: this.#assembly.whole() } };
  }

  #claim(key: ServiceKey): ReadonlySet<ServiceKey> {
    const service = this.#state.service(key);
    const context = {
      family: this.#family,
      nodeName: this.#config.nodeName,
      masqueradeAll: this.#config.masqueradeAll,
    };
    const raw = service && resolveService(service, this.#state.slices(key), context);
    if (service === undefined || raw === undefined || raw.frontends.length === 0) {
      this.#raw.delete(key);
      return this.#claims.delete(key);
    }
    this.#raw.set(key, raw);
    return this.#claims.set(service, raw.frontends);
  }

  #settle(key: ServiceKey): {
    forwarding: ServiceForwarding | undefined;
    lost: readonly LostClaim[];
  } {
    const raw = this.#raw.get(key);
    if (raw === undefined) return { forwarding: undefined, lost: [] };
    const { won, lost } = this.#claims.settle(raw.frontends);
    if (lost.length === 0) return { forwarding: raw, lost };
    return { forwarding: won.length === 0 ? undefined : { ...raw, frontends: won }, lost };
  }
}

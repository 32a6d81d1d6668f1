// Who owns an address that more than one Service claims: the older Service, always; by name where
// they are equally old. The outcome does not depend on the order of arrival.
import { compact } from '../compact.ts';
import type { Frontend } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Service, ServiceKey } from '../model/kubernetes.ts';
import type { ConflictKind, Reason } from '../model/reason.ts';

/** A frontend that its Service did not get, who has it, and why that one. */
export type Conflict = {
  readonly frontend: Frontend;
  readonly winner: ServiceKey;
  readonly reason: Reason<ConflictKind>;
};

type Claimant = { readonly service: ServiceKey; readonly createdAt: string };

/**
 * The claims of all Services on the frontends of one family. Invariant: each list of claimants is
 * sorted, first the winner, and no list is empty; #conflicts is how many claimants come after a winner.
 */
export class Claims {
  readonly #claimants = new Map<string, readonly Claimant[]>();
  readonly #addresses = new Map<ServiceKey, readonly string[]>();
  #conflicts = 0;

  /** How many claims go to another Service. */
  get conflicts(): number {
    return this.#conflicts;
  }

  /** Replaces what a Service claims; returns the other Services whose outcome this may change. */
  set(
    { key, createdAt }: Pick<Service, 'key' | 'createdAt'>,
    frontends: readonly Frontend[],
  ): ReadonlySet<ServiceKey> {
    const affected = new Set<ServiceKey>();
    const ids = new Set(frontends.map(({ address }) => frontendId(address)));
    for (const id of new Set([...(this.#addresses.get(key) ?? []), ...ids])) {
      const others = (this.#claimants.get(id) ?? []).filter(({ service }) => service !== key);
      for (const { service } of others) affected.add(service);
      const claimant = { service: key, createdAt };
      this.#put(id, ids.has(id) ? [...others, claimant].toSorted(byAge) : others);
    }
    if (ids.size > 0) this.#addresses.set(key, compact([...ids]));
    else this.#addresses.delete(key);
    return affected;
  }

  /** Withdraws all that a Service claims; returns the other Services that this may concern. */
  delete(key: ServiceKey): ReadonlySet<ServiceKey> {
    return this.set({ key, createdAt: '' }, []);
  }

  #put(id: string, claimants: readonly Claimant[]): void {
    const before = this.#claimants.get(id)?.length ?? 0;
    this.#conflicts += Math.max(claimants.length - 1, 0) - Math.max(before - 1, 0);
    // In place, where it is there: a Map remembers what was deleted, and grows with it.
    if (claimants.length > 0) this.#claimants.set(id, claimants);
    else this.#claimants.delete(id);
  }

  /** The Service that has the frontend with this id, if any claims it. */
  winner(id: string): ServiceKey | undefined {
    return this.#claimants.get(id)?.[0]?.service;
  }

  /** Splits a Service's frontends into those that it has and those that another Service has. */
  settle(frontends: readonly Frontend[]): {
    won: readonly Frontend[];
    conflicts: readonly Conflict[];
  } {
    const won: Frontend[] = [];
    const conflicts: Conflict[] = [];
    for (const frontend of frontends) {
      const claimants = this.#claimants.get(frontendId(frontend.address)) ?? [];
      const [winner] = claimants;
      if (winner === undefined || winner.service === frontend.service) won.push(frontend);
      else {
        const loser = claimants.find(({ service }) => service === frontend.service);
        conflicts.push({ frontend, winner: winner.service, reason: conflictReason(winner, loser) });
      }
    }
    return { won, conflicts };
  }
}

function conflictReason(
  { service, createdAt }: Claimant,
  loser: Claimant | undefined,
): Reason<ConflictKind> {
  const object = `Service ${service}` as const;
  if (createdAt !== loser?.createdAt) {
    const kind = loser?.createdAt === '' ? 'has-creation-time' : 'older';
    return { kind, object, field: 'metadata.creationTimestamp', value: createdAt };
  }
  const [namespace = '', name = ''] = service.split('/');
  const isSameNamespace = loser.service.startsWith(`${namespace}/`);
  return isSameNamespace
    ? { kind: 'name-sorts-first', object, field: 'metadata.name', value: name }
    : { kind: 'name-sorts-first', object, field: 'metadata.namespace', value: namespace };
}

function byAge(a: Claimant, b: Claimant): number {
  // A Service without a creation time (a manifest) counts as younger than any that has one.
  if (a.createdAt !== b.createdAt) {
    if (a.createdAt === '') return 1;
    if (b.createdAt === '') return -1;
    return a.createdAt < b.createdAt ? -1 : 1;
  }
  return a.service < b.service ? -1 : 1;
}

// Who has an address that more than one Service claims. What the API server allocated goes before what somebody wrote,
// so that no Service takes another's address by naming it; among equals the older Service has it, by name where
// they are equally old. The outcome does not depend on the order of arrival.
import { compact } from '../compact.ts';
import type { Frontend, FrontendKind } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import type { Service, ServiceKey } from '../model/kubernetes.ts';
import type { ConflictKind, Reason } from '../model/reason.ts';

/** A frontend that its Service did not get, who has it, and why that one. */
export type Conflict = {
  readonly frontend: Frontend;
  readonly winner: ServiceKey;
  readonly reason: Reason<ConflictKind>;
};

type Claimant = {
  readonly service: ServiceKey;
  readonly createdAt: string;
  readonly kind: FrontendKind;
};

/**
 * The claims of all Services on the frontends of one family. Invariant: each list of claimants is sorted, first the
 * winner, and no list is empty. Under the id of a node port are also those who claim one of this node's addresses
 * with its number as port.
 */
export class Claims {
  readonly #claimants = new Map<string, readonly Claimant[]>();
  readonly #addresses = new Map<ServiceKey, readonly string[]>();
  #takesNodePorts: (ip: Ip) => boolean = () => false;

  /** Takes over at which addresses of this node node ports answer: claims that come from now on are held against it. */
  at(takesNodePorts: (ip: Ip) => boolean): void {
    this.#takesNodePorts = takesNodePorts;
  }

  /** Replaces what a Service claims; returns the other Services whose outcome this may change. */
  set(
    { key, createdAt }: Pick<Service, 'key' | 'createdAt'>,
    frontends: readonly Frontend[],
  ): ReadonlySet<ServiceKey> {
    const affected = new Set<ServiceKey>();
    const claims = this.#claimsOf(frontends);
    for (const id of new Set([...(this.#addresses.get(key) ?? []), ...claims.keys()])) {
      const others = (this.#claimants.get(id) ?? []).filter(({ service }) => service !== key);
      for (const { service } of others) affected.add(service);
      const kind = claims.get(id);
      const own = kind === undefined ? [] : [{ service: key, createdAt, kind }];
      this.#put(id, [...others, ...own].toSorted(byRight));
    }
    if (claims.size > 0) this.#addresses.set(key, compact([...claims.keys()]));
    else this.#addresses.delete(key);
    return affected;
  }

  /** Withdraws all that a Service claims; returns the other Services that this may concern. */
  delete(key: ServiceKey): ReadonlySet<ServiceKey> {
    return this.set({ key, createdAt: '' }, []);
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
      const winner = this.#nodePortOver(frontend) ?? claimants[0];
      if (winner === undefined || winner.service === frontend.service) won.push(frontend);
      else {
        const loser = claimants.find(({ service }) => service === frontend.service);
        conflicts.push({
          frontend,
          winner: winner.service,
          reason: reasonFor(winner, loser, frontend),
        });
      }
    }
    return { won, conflicts };
  }

  // The best of a Service's claims for each id: one address may be its load balancer's and an external one.
  #claimsOf(frontends: readonly Frontend[]): ReadonlyMap<string, FrontendKind> {
    const claims = new Map<string, FrontendKind>();
    const add = (id: string, kind: FrontendKind): void => {
      const before = claims.get(id);
      if (before === undefined || ranks[kind] < ranks[before]) claims.set(id, kind);
    };
    for (const frontend of frontends) {
      add(frontendId(frontend.address), frontend.kind);
      const nodePort = this.#nodePortAt(frontend);
      if (nodePort !== undefined) add(nodePort, frontend.kind);
    }
    return claims;
  }

  // The id of the node port whose packets a frontend at an address of this node would get.
  #nodePortAt({ kind, address: { ip, protocol, port } }: Frontend): string | undefined {
    const isClaimed = kind === 'ExternalIP' || kind === 'LoadBalancer';
    if (!isClaimed || ip === undefined || !this.#takesNodePorts(ip)) return undefined;
    return frontendId({ ip: undefined, protocol, port });
  }

  #nodePortOver(frontend: Frontend): Claimant | undefined {
    const id = this.#nodePortAt(frontend);
    const [first] = (id === undefined ? undefined : this.#claimants.get(id)) ?? [];
    return first?.kind === 'NodePort' ? first : undefined;
  }

  #put(id: string, claimants: readonly Claimant[]): void {
    // In place, where it is there: a Map remembers what was deleted, and grows with it.
    if (claimants.length > 0) this.#claimants.set(id, claimants);
    else this.#claimants.delete(id);
  }
}

/** Who goes before whom: first what the API server allocated. */
const ranks: Readonly<Record<FrontendKind, number>> = {
  ClusterIP: 0,
  NodePort: 1,
  LoadBalancer: 2,
  ExternalIP: 3,
};

/** Where each kind is written. */
const fields: Readonly<Record<FrontendKind, string>> = {
  ClusterIP: 'spec.clusterIPs',
  NodePort: 'spec.ports[].nodePort',
  LoadBalancer: 'status.loadBalancer.ingress[].ip',
  ExternalIP: 'spec.externalIPs',
};

const kinds: Readonly<Record<FrontendKind, ConflictKind>> = {
  ClusterIP: 'is-cluster-ip',
  NodePort: 'is-node-port',
  LoadBalancer: 'is-load-balancer',
  // Comes last: nobody loses to it for what it is.
  ExternalIP: 'older',
};

function reasonFor(
  winner: Claimant,
  loser: Claimant | undefined,
  { address: { ip, port } }: Frontend,
): Reason<ConflictKind> {
  const object = `Service ${winner.service}` as const;
  if (winner.kind !== loser?.kind) {
    const value = winner.kind === 'NodePort' ? String(port) : (ip ?? '');
    return { kind: kinds[winner.kind], object, field: fields[winner.kind], value };
  }
  if (winner.createdAt !== loser.createdAt) {
    const kind = loser.createdAt === '' ? 'has-creation-time' : 'older';
    return { kind, object, field: 'metadata.creationTimestamp', value: winner.createdAt };
  }
  const [namespace = '', name = ''] = winner.service.split('/');
  const isSameNamespace = loser.service.startsWith(`${namespace}/`);
  return isSameNamespace
    ? { kind: 'name-sorts-first', object, field: 'metadata.name', value: name }
    : { kind: 'name-sorts-first', object, field: 'metadata.namespace', value: namespace };
}

function byRight(a: Claimant, b: Claimant): number {
  if (a.kind !== b.kind) return ranks[a.kind] - ranks[b.kind];
  // A Service without a creation time (a manifest) counts as younger than any that has one.
  if (a.createdAt !== b.createdAt) {
    if (a.createdAt === '') return 1;
    if (b.createdAt === '') return -1;
    return a.createdAt < b.createdAt ? -1 : 1;
  }
  return a.service < b.service ? -1 : 1;
}

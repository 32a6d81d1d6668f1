// Who has an address that more than one Service claims. What the API server allocated goes before what somebody wrote,
// so that no Service takes another's address by naming it; among equals the older Service has it, by name where
// they are equally old. The outcome does not depend on the order of arrival.
import { compact } from '../compact.ts';
import type { Frontend, FrontendKind } from '../model/forwarding.ts';
import { frontendId, hostPort } from '../model/forwarding.ts';
import type { Service, ServiceKey } from '../model/kubernetes.ts';
import type { AddressHolder, ConflictKind, Reason } from '../model/reason.ts';
import { apiServer } from '../model/reason.ts';
import type { FamilySettings } from '../model/settings.ts';

/** A frontend that its Service did not get, who has it, and why that one. */
export type Conflict = {
  readonly frontend: Frontend;
  readonly winner: AddressHolder;
  readonly reason: Reason<ConflictKind>;
};

type Claimant = {
  readonly service: ServiceKey;
  readonly createdAt: string;
  readonly kind: FrontendKind;
};

/** What no Service can claim: this node's addresses that take node ports, and where it reaches the API server. */
type NodeAddresses = Pick<FamilySettings, 'nodePortIps' | 'apiServers'>;

/**
 * The claims of all Services on the frontends of one family. Invariant: each list of claimants is sorted, first the
 * winner, and no list is empty. Under the id of a node port are also those who claim one of this node's addresses
 * with its number as port.
 */
export class Claims {
  readonly #claimants = new Map<string, readonly Claimant[]>();
  readonly #addresses = new Map<ServiceKey, readonly string[]>();
  #node: NodeAddresses = { nodePortIps: [], apiServers: [] };

  /** Takes over what this node has of addresses: claims that come from now on are held against it. */
  at({ nodePortIps, apiServers }: NodeAddresses): void {
    this.#node = { nodePortIps, apiServers };
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
      const id = frontendId(frontend.address);
      if (isNamed(frontend) && this.#node.apiServers.includes(id)) {
        conflicts.push({ frontend, winner: apiServer, reason: apiServerReason(frontend) });
        continue;
      }
      const claimants = this.#claimants.get(id) ?? [];
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
  #nodePortAt(frontend: Frontend): string | undefined {
    const { ip, protocol, port } = frontend.address;
    if (!isNamed(frontend) || ip === undefined) return undefined;
    if (!this.#node.nodePortIps.includes(ip)) return undefined;
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

/** Whether somebody wrote the address, and the API server did not allocate it. */
function isNamed({ kind }: Frontend): boolean {
  return kind === 'ExternalIP' || kind === 'LoadBalancer';
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

function apiServerReason({ address: { ip, port } }: Frontend): Reason<ConflictKind> {
  const value = ip === undefined ? String(port) : hostPort(ip, port);
  return { kind: 'is-api-server', object: 'this node', field: 'API server', value };
}

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

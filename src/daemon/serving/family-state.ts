// How each family stands: what was decided in, counts and troubles out. It goes over all Services, and is
// only made when somebody asks.
import { LRUCache } from 'lru-cache';
import type { FamilyState, LostAddress } from '../../model/daemon-status.ts';
import type { Frontend, Pool } from '../../model/forwarding.ts';
import { frontendId, hostPort } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { HeldBack } from '../../model/pass-record.ts';
import type { FamilyStatus } from '../../model/proxy-status.ts';
import type { DecisionsView } from '../../sync/decisions.ts';
import type { Pass, PassListener } from '../pass.ts';

const mostTold = 100;
const mostRemembered = 1000;
const longestWhy = 500;

/** Invariant: #why has, for each family, the last reason for which a Service was left alone. */
export class HeldReasons implements PassListener {
  readonly #why = new Map<Family, LRUCache<ServiceKey, string>>();

  ended({ families }: Pass): void {
    for (const { family, heldBack } of families) {
      for (const [service, { message }] of heldBack) {
        const [line = ''] = message.split('\n');
        this.#of(family).set(service, line.slice(0, longestWhy));
      }
    }
  }

  /** All that is remembered, also of Services that are not held back any more. */
  in(family: Family): readonly HeldBack[] {
    return [...this.#of(family)].map(([service, why]) => ({ service, why }));
  }

  #of(family: Family): LRUCache<ServiceKey, string> {
    const known = this.#why.get(family);
    if (known !== undefined) return known;
    const reasons = new LRUCache<ServiceKey, string>({ max: mostRemembered });
    this.#why.set(family, reasons);
    return reasons;
  }
}

/** How one family stands; `services`: all that there are. */
export function familyState(
  status: FamilyStatus,
  decisions: DecisionsView,
  { reasons, services }: { reasons: HeldReasons; services: Iterable<ServiceKey> },
): FamilyState {
  const forwarding = [...decisions.forwarding()];
  const frontends = forwarding.flatMap((service) => service.frontends);
  const { heldBack, lostClaims } = decisions.failings;
  const held = reasons
    .in(status.family)
    .filter(({ service }) => decisions.troubleOf(service).isHeld);
  const lost = lostClaims === 0 ? [] : [...services].flatMap((key) => lostBy(decisions, key));
  return {
    ...status,
    services: forwarding.length,
    frontends: frontends.length,
    endpoints: new Set(frontends.flatMap(endpointsOf)).size,
    heldBack: { count: heldBack, first: held.toSorted(byService).slice(0, mostTold) },
    lost: { count: lostClaims, first: lost.toSorted(byService).slice(0, mostTold) },
  };
}

function lostBy(decisions: DecisionsView, key: ServiceKey): readonly LostAddress[] {
  return decisions.troubleOf(key).lost.map(({ frontend: { service, address }, ...how }) => {
    return { service, address: frontendId(address), ...how };
  });
}

function byService(a: Pick<HeldBack, 'service'>, b: Pick<HeldBack, 'service'>): number {
  return a.service < b.service ? -1 : 1;
}

function endpointsOf({ route, address: { protocol } }: Frontend): readonly string[] {
  const pools: readonly Pool[] =
    route.kind === 'forward-local' ? [route.pool, route.cluster] : [route.pool];
  return pools.flatMap(({ members }) =>
    members.map(({ ip, port }) => `${protocol} ${hostPort(ip, port)}`),
  );
}

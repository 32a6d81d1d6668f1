// How each family stands: what was decided in, counts and notProgrammed out. It goes over all Services, and is
// only made when somebody asks.
import { LRUCache } from 'lru-cache';
import type { FamilyState, AddressConflict } from '../../model/daemon-status.ts';
import type { Frontend, Pool } from '../../model/forwarding.ts';
import { frontendId, hostPort } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { QuarantinedService } from '../../model/pass-record.ts';
import type { FamilyStatus } from '../../model/proxy-status.ts';
import type { DecisionsView } from '../../sync/decisions.ts';
import type { Pass, PassListener } from '../pass.ts';

const mostListed = 100;
const mostRemembered = 1000;
const longestWhy = 500;

/** Invariant: #why has, for each family, the last reason for which a Service was quarantined. */
export class QuarantineReasons implements PassListener {
  readonly #why = new Map<Family, LRUCache<ServiceKey, string>>();

  ended({ families }: Pass): void {
    for (const { family, quarantined } of families) {
      for (const [service, { message }] of quarantined) {
        const [line = ''] = message.split('\n');
        this.#of(family).set(service, line.slice(0, longestWhy));
      }
    }
  }

  /** All that is remembered, also of Services that are not quarantined any more. */
  in(family: Family): readonly QuarantinedService[] {
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
  status: FamilyStatus & Pick<FamilyState, 'error'>,
  decisions: DecisionsView,
  { reasons, services }: { reasons: QuarantineReasons; services: Iterable<ServiceKey> },
): FamilyState {
  const forwarding = [...decisions.forwarding()];
  const frontends = forwarding.flatMap((service) => service.frontends);
  const { quarantined, conflicts } = decisions.notProgrammed;
  const held = reasons
    .in(status.family)
    .filter(({ service }) => decisions.statusOf(service).isQuarantined);
  const addresses =
    conflicts === 0 ? [] : [...services].flatMap((key) => conflictsOf(decisions, key));
  return {
    ...status,
    services: forwarding.length,
    frontends: frontends.length,
    endpoints: new Set(frontends.flatMap(endpointsOf)).size,
    quarantined: { count: quarantined, first: held.toSorted(byService).slice(0, mostListed) },
    conflicts: { count: conflicts, first: addresses.toSorted(byService).slice(0, mostListed) },
  };
}

function conflictsOf(decisions: DecisionsView, key: ServiceKey): readonly AddressConflict[] {
  return decisions.statusOf(key).conflicts.map(({ frontend: { service, address }, ...how }) => {
    return { service, address: frontendId(address), ...how };
  });
}

function byService(
  a: Pick<QuarantinedService, 'service'>,
  b: Pick<QuarantinedService, 'service'>,
): number {
  return a.service < b.service ? -1 : 1;
}

function endpointsOf({ route, address: { protocol } }: Frontend): readonly string[] {
  const pools: readonly Pool[] =
    route.kind === 'forward-local' ? [route.pool, route.cluster] : [route.pool];
  return pools.flatMap(({ members }) =>
    members.map(({ ip, port }) => `${protocol} ${hostPort(ip, port)}`),
  );
}

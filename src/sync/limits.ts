// Limits to what changes of the cluster may take away: the Services that pass one keep what they had. Pure.
import { refusals, type Gates } from '../diff/gates.ts';
import { refusalText } from '../diff/refusal-text.ts';
import { serviceChanges, type ServiceChange } from '../diff/service-change.ts';
import { LimitError } from '../errors.ts';
import type { Frontend, Pool, ServiceForwarding } from '../model/forwarding.ts';
import { hostPort } from '../model/forwarding.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { Served } from '../netfilter/served.ts';

/** What Services did before and are to do. */
export type Stretch = { readonly before: readonly Served[]; readonly after: readonly Served[] };

/** Whether there is any limit. */
export function hasLimits({ endpointsLost, servicesLost }: Gates): boolean {
  return endpointsLost !== undefined || servicesLost !== undefined;
}

/** The Services that pass a limit, and which; `services` is how many there were. */
export function passingLimits(
  { before, after }: Stretch,
  gates: Gates,
  services: number,
): ReadonlyMap<ServiceKey, LimitError> {
  const changes = serviceChanges(before, after);
  const passing = new Map<ServiceKey, LimitError>();
  for (const refusal of refusals(changes, gates, services)) {
    const error = new LimitError(refusalText(refusal));
    const keys = refusal.gate === 'endpoints-lost' ? [refusal.service] : removedIn(changes);
    for (const key of keys) passing.set(key, error);
  }
  return passing;
}

function removedIn(changes: readonly ServiceChange[]): readonly ServiceKey[] {
  return changes.flatMap(({ service, change }) => (change === 'removed' ? [service] : []));
}

/** What a Service does for its clients, as rules that are read back say it. */
export function servedBy({ family, frontends }: ServiceForwarding): readonly Served[] {
  return frontends.map((frontend): Served => {
    const { address, service, portName, allowFrom } = frontend;
    const common = { family, address, service, portName, allowFrom, masquerade: [] };
    return { ...common, affinitySeconds: 0, ...wayOf(frontend) };
  });
}

function wayOf({ route }: Frontend): Pick<Served, 'fate' | 'endpoints' | 'outside'> {
  switch (route.kind) {
    case 'forward':
      return { fate: 'forward', endpoints: membersOf(route.pool), outside: undefined };
    case 'forward-local': {
      const [endpoints, outside] = [membersOf(route.cluster), membersOf(route.pool)];
      return { fate: 'forward', endpoints, outside };
    }
    case 'drop':
    case 'reject':
      return { fate: route.kind, endpoints: [], outside: undefined };
  }
}

function membersOf({ members }: Pool): readonly string[] {
  return members.map(({ ip, port }) => hostPort(ip, port));
}

// What traffic to a ClusterIP meets: masquerade where the client is no pod, then an endpoint.
import type { Frontend, Route } from '../src/model/forwarding.ts';
import { servicePortName } from '../src/model/kubernetes.ts';
import type { ServiceRule } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';
import { markForMasquerade } from './masquerade.ts';

/** The rules of a Service port's internal chain. */
export function internalRules(
  { address, service, portName }: Frontend,
  route: Extract<Route, { kind: 'forward' | 'forward-local' }>,
  settings: FamilySettings,
): ServiceRule[] {
  const why = servicePortName(service, portName);
  const masquerade = route.kind === 'forward' ? route.masquerade : 'none';
  return [
    ...markForMasquerade(address, masquerade, settings),
    { when: [], then: { kind: 'balance', pool: route.pool }, why },
  ];
}

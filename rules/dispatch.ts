// From a frontend to its entries: the address leads to the Service port's chain, or is turned away.
import type { Frontend, FrontendKind } from '../src/model/forwarding.ts';
import { servicePortName } from '../src/model/kubernetes.ts';
import type { DispatchEntry, ServiceChain } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';
import { externalRules } from './external.ts';
import { internalRules } from './internal.ts';
import { sourceRangesEntry } from './source-ranges.ts';

// As kube-proxy's comments say it.
const kindWords: Readonly<Record<FrontendKind, string>> = {
  ClusterIP: ' cluster IP',
  ExternalIP: ' external IP',
  LoadBalancer: ' loadbalancer IP',
  NodePort: '',
};

/** The entries of one frontend, with the chains that they lead to. */
export function dispatchEntries(frontend: Frontend, settings: FamilySettings): DispatchEntry[] {
  return [
    ...sourceRangesEntry(frontend),
    ...forwardEntry(frontend, settings),
    ...refusalEntry(frontend, settings),
  ];
}

function forwardEntry(frontend: Frontend, settings: FamilySettings): DispatchEntry[] {
  const { address, kind, portName, service, route } = frontend;
  if (route.kind === 'drop' || route.kind === 'reject') return [];
  const to: ServiceChain = {
    kind: kind === 'ClusterIP' ? 'internal' : 'external',
    service,
    portName,
    protocol: address.protocol,
    rules:
      kind === 'ClusterIP'
        ? internalRules(frontend, route, settings)
        : externalRules(frontend, route, settings),
  };
  const why = `${servicePortName(service, portName)}${kindWords[kind]}`;
  return [{ dispatch: 'services', address, portName, to, why }];
}

// What is sent to an endpoint has another destination by the time that it could be refused: so this
// meets just those packets that no chain of the Service took.
function refusalEntry(frontend: Frontend, settings: FamilySettings): DispatchEntry[] {
  const { address, kind, portName, service, route } = frontend;
  if (route.kind === 'forward') return [];
  if (route.kind === 'forward-local' && route.pool.members.length > 0) return [];
  const isExternal = kind === 'NodePort' || (kind !== 'ClusterIP' && !settings.refusesAtEveryHook);
  const isReject = route.kind === 'reject';
  const name = servicePortName(service, portName);
  return [
    {
      dispatch: isExternal ? 'no-external-endpoints' : 'no-endpoints',
      address,
      portName,
      to: { verdict: isReject ? 'reject' : 'drop' },
      why: isReject ? `${name} has no endpoints` : `${name} has no local endpoints`,
    },
  ];
}

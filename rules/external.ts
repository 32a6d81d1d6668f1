// What traffic to an external address (an external IP, a load balancer's, a node port) meets.
import type { Frontend, Route } from '../src/model/forwarding.ts';
import { servicePortName } from '../src/model/kubernetes.ts';
import type { BalanceRule, ServiceRule } from '../src/model/ruleset.ts';
import type { FamilySettings } from '../src/model/settings.ts';

/** The rules of a Service port's external chain; the whys are kube-proxy's comments. */
export function externalRules(
  { service, portName }: Frontend,
  route: Extract<Route, { kind: 'forward' | 'forward-local' }>,
  settings: FamilySettings,
): ServiceRule[] {
  const name = servicePortName(service, portName);
  const balance = (pool: typeof route.pool): BalanceRule['then'] => ({ kind: 'balance', pool });
  const mark = { kind: 'mark', mark: settings.masqueradeMark } as const;
  if (route.kind === 'forward') {
    const why = `masquerade traffic for ${name} external destinations`;
    return [
      ...(route.masquerade === 'none' ? [] : [{ when: [], then: mark, why }]),
      { when: [], then: balance(route.pool), why: '' },
    ];
  }
  const fromNode = { kind: 'from-node' } as const;
  const local: ServiceRule = { when: [], then: balance(route.pool), why: '' };
  return [
    // The cluster's own traffic has not been spread by a load balancer that knows where endpoints are.
    ...podShortCircuit(`pod traffic for ${name} external destinations`, route.cluster, settings),
    {
      when: [fromNode],
      then: mark,
      why: `masquerade LOCAL traffic for ${name} external destinations`,
    },
    {
      when: [fromNode],
      then: balance(route.cluster),
      why: `route LOCAL traffic for ${name} external destinations`,
    },
    ...(route.pool.members.length === 0 ? [] : [local]),
  ];
}

function podShortCircuit(
  why: string,
  pool: Extract<Route, { kind: 'forward' }>['pool'],
  { podSource }: FamilySettings,
): ServiceRule[] {
  if (podSource === undefined) return [];
  const fromPod = { kind: 'from-pod', is: true, podSource } as const;
  return [{ when: [fromPod], then: { kind: 'balance', pool }, why }];
}

// What happens at a Service port's addresses, inside the cluster and from outside, with the fields that say so. Pure.
import type { Route, Sourcing } from '../model/forwarding.ts';
import type { Service } from '../model/kubernetes.ts';
import type { Cause, PolicyKind, Reason } from '../model/reason.ts';
import type { InternalSource } from './context.ts';
import type { Selection } from './select.ts';

/** What the traffic policies of a Service come to: the same for all its ports. */
export type Policies = {
  readonly internal: Reason<PolicyKind>;
  readonly external: Reason<PolicyKind>;
};

/** Reads the two policies; `object` names the Service. */
export function policiesOf(
  {
    internalTrafficPolicy,
    externalTrafficPolicy,
  }: Pick<Service, 'internalTrafficPolicy' | 'externalTrafficPolicy'>,
  object: Cause['object'],
): Policies {
  return {
    internal: {
      kind: internalTrafficPolicy === 'Local' ? 'policy-local' : 'policy-cluster',
      object,
      field: 'spec.internalTrafficPolicy',
      value: internalTrafficPolicy,
    },
    external: {
      kind: externalTrafficPolicy === 'Local' ? 'policy-local-outside' : 'policy-cluster',
      object,
      field: 'spec.externalTrafficPolicy',
      value: externalTrafficPolicy,
    },
  };
}

/** What happens at the ClusterIPs. */
export function internalRoute(
  { internal: policy }: Policies,
  { cluster, local, hasAny }: Selection,
  internal: InternalSource,
): Route {
  const pool = policy.kind === 'policy-local' ? local : cluster;
  if (!hasAny) return { kind: 'reject', pool, policy };
  if (pool.members.length === 0) return { kind: 'drop', pool, policy };
  return { kind: 'forward', pool, policy, ...internal };
}

// The answer must come back through this node, wherever the endpoint is: hence the masquerade.
const clusterSource: Sourcing['source'] = {
  pod: 'masquerade-external',
  node: 'masquerade-external',
  outside: 'masquerade-external',
};
const localSource: Sourcing['source'] = {
  pod: 'keep-pod',
  node: 'masquerade-node',
  outside: 'keep-local',
};

/** What happens at external addresses and node ports. */
export function externalRoute(
  { external: policy }: Policies,
  { cluster, local, hasAny }: Selection,
): Route {
  const isLocal = policy.kind === 'policy-local-outside';
  if (!hasAny) return { kind: 'reject', pool: isLocal ? local : cluster, policy };
  const same = { policy, sourceCause: policy };
  return isLocal
    ? { kind: 'forward-local', pool: local, cluster, ...same, source: localSource }
    : { kind: 'forward', pool: cluster, ...same, masquerade: 'all', source: clusterSource };
}

// The objects that changes are about as they were before them: what goes back from a pass, and what tells a
// change from a repetition, is made of it.
import type { ClusterState } from '../cluster/state.ts';
import type { ClusterChange, ClusterObject, ServiceKey } from '../model/kubernetes.ts';

/** An object as it was; undefined: there was none. */
export type ObjectBefore = {
  readonly kind: ClusterObject['kind'];
  readonly id: string;
  readonly was: ClusterObject['value'] | undefined;
};

/** What is asked of the objects. */
type KnownObjects = Pick<ClusterState, 'service' | 'slice' | 'node' | 'serviceCidrs' | 'apiServer'>;

/** Each object once; changes of Nodes but this one are none. */
export function objectsBefore(
  changes: readonly ClusterChange[],
  state: KnownObjects,
  nodeName: string,
): readonly ObjectBefore[] {
  const seen = {
    Service: ids(),
    EndpointSlice: ids(),
    Node: ids(),
    ServiceCIDR: ids(),
    APIServer: ids(),
  };
  const before: ObjectBefore[] = [];
  for (const change of changes) {
    const { kind, id } = change.op === 'set' ? change.object : change;
    if (seen[kind].has(id) || (kind === 'Node' && id !== nodeName)) continue;
    seen[kind].add(id);
    before.push({ kind, id, was: valueIn(state, kind, id) });
  }
  return before;
}

function ids(): Set<string> {
  return new Set();
}

function valueIn(
  state: KnownObjects,
  kind: ClusterObject['kind'],
  id: string,
): ClusterObject['value'] | undefined {
  switch (kind) {
    case 'Service':
      return state.service(id as ServiceKey);
    case 'EndpointSlice':
      return state.slice(id);
    case 'Node':
      return state.node;
    case 'ServiceCIDR':
      return state.serviceCidrs.find(({ name }) => name === id);
    case 'APIServer':
      return state.apiServer;
  }
}

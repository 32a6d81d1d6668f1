// How the objects of the cluster were before each of the last passes, kept as what each pass changed: the
// objects as they are now, which are in memory anyway, are all that is needed besides to go back.
import type { ClusterState } from '../../cluster/state.ts';
import type { ClusterChange, ClusterObject, ServiceKey } from '../../model/kubernetes.ts';

/** What is asked of the objects. */
export type KnownObjects = Pick<
  ClusterState,
  'service' | 'slice' | 'node' | 'serviceCidrs' | 'objects'
>;

/** An object as it was before a pass; undefined: there was none. */
export type Undo = {
  readonly kind: ClusterObject['kind'];
  readonly id: string;
  readonly was: ClusterObject['value'] | undefined;
};

/** What a pass is about to change, each object once; changes of Nodes but this one are none. */
export function undoOf(
  changes: readonly ClusterChange[],
  state: KnownObjects,
  nodeName: string,
): readonly Undo[] {
  const seen = new Map<string, Undo>();
  for (const change of changes) {
    const { kind, id } = change.op === 'set' ? change.object : change;
    if (kind === 'Node' && id !== nodeName) continue;
    const key = `${kind} ${id}`;
    if (!seen.has(key)) seen.set(key, { kind, id, was: valueIn(state, kind, id) });
  }
  return [...seen.values()];
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
  }
}

/** About how many bytes an entry keeps from being given back. */
export function undoBytes({ was }: Undo): number {
  if (was === undefined) return 100;
  return 500 + ('endpoints' in was ? was.endpoints.length * 150 : 0);
}

/** What happened, forwards: the objects before all of it, and what each pass changed. */
export type History = {
  readonly objects: readonly ClusterObject[];
  /** As many as there were passes. */
  readonly changes: readonly (readonly ClusterChange[])[];
};

/** Goes back from the objects as they are now, the last pass first. */
export function historyOf(state: KnownObjects, passes: readonly (readonly Undo[])[]): History {
  const objects = new Map<string, ClusterObject>();
  for (const object of state.objects()) objects.set(`${object.kind} ${object.id}`, object);
  const changes = passes.toReversed().map((undo) => stepBack(objects, undo));
  return { objects: [...objects.values()], changes: changes.toReversed() };
}

function stepBack(
  objects: Map<string, ClusterObject>,
  undo: readonly Undo[],
): readonly ClusterChange[] {
  const changes: ClusterChange[] = [];
  for (const { kind, id, was } of undo) {
    const key = `${kind} ${id}`;
    const object = objects.get(key);
    // An object that came again and said the same is still the one that is known.
    if (object?.value === was) continue;
    changes.push(object === undefined ? { op: 'delete', kind, id } : { op: 'set', object });
    if (was === undefined) objects.delete(key);
    else objects.set(key, { kind, id, value: was } as ClusterObject);
  }
  return changes;
}

// How the objects of the cluster were before each of the last passes, kept as what each pass changed: the
// objects as they are now, which are in memory anyway, are all that is needed besides to go back.
import type { ClusterState } from '../../cluster/state.ts';
import type { ClusterChange, ClusterObject } from '../../model/kubernetes.ts';
import type { ObjectBefore } from '../objects-before.ts';

/** About how many bytes an entry keeps from being given back. */
export function undoBytes({ was }: ObjectBefore): number {
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
export function historyOf(
  state: Pick<ClusterState, 'objects'>,
  passes: readonly (readonly ObjectBefore[])[],
): History {
  const objects = new Map<string, ClusterObject>();
  for (const object of state.objects()) objects.set(`${object.kind} ${object.id}`, object);
  const changes = passes.toReversed().map((undo) => stepBack(objects, undo));
  return { objects: [...objects.values()], changes: changes.toReversed() };
}

function stepBack(
  objects: Map<string, ClusterObject>,
  undo: readonly ObjectBefore[],
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

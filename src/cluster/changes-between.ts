// What happened between two states of a source: objects before and after in, changes out. Pure.
import type { ClusterChange, ClusterObject } from '../model/kubernetes.ts';

/** Objects by `kind id`, such as `Service default/web`. */
export type ClusterObjects = ReadonlyMap<string, ClusterObject>;

/** The changes that turn `before` into `after`: deletions first, then objects in the order of `after`. */
export function changesBetween(before: ClusterObjects, after: ClusterObjects): ClusterChange[] {
  const changes: ClusterChange[] = [];
  for (const [key, { kind, id }] of before) {
    if (!after.has(key)) changes.push({ op: 'delete', kind, id });
  }
  for (const [key, object] of after) {
    const was = before.get(key);
    if (was === undefined || !areEqual(was, object)) changes.push({ op: 'set', object });
  }
  return changes;
}

/** Whether two decoded objects say the same. Decoders write the fields in one order, so equal text is enough. */
export function areEqual<T extends ClusterObject | ClusterObject['value']>(
  one: T | undefined,
  other: T,
): boolean {
  if (one === undefined || one === other) return one === other;
  return JSON.stringify(one) === JSON.stringify(other);
}

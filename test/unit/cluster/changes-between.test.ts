import fc from 'fast-check';
import { expect, test } from 'vitest';
import { changesBetween } from '../../../src/cluster/changes-between.ts';
import type { Cidr } from '../../../src/model/ip.ts';
import type { ClusterObject } from '../../../src/model/kubernetes.ts';

function cidrs(name: string, ...list: string[]): ClusterObject {
  return { kind: 'ServiceCIDR', id: name, value: { name, cidrs: list as Cidr[] } };
}

function keyed(objects: readonly ClusterObject[]): ReadonlyMap<string, ClusterObject> {
  return new Map(objects.map((object) => [`${object.kind} ${object.id}`, object]));
}

test('deletions come first, then what is new or different, in order; equal objects are no change', () => {
  const before = keyed([cidrs('gone', '10.0.0.0/8'), cidrs('same', '10.0.0.0/8'), cidrs('other')]);
  const other = cidrs('other', '10.1.0.0/16');
  const fresh = cidrs('fresh');
  const after = keyed([fresh, cidrs('same', '10.0.0.0/8'), other]);
  expect(changesBetween(before, after)).toEqual([
    { op: 'delete', kind: 'ServiceCIDR', id: 'gone' },
    { op: 'set', object: fresh },
    { op: 'set', object: other },
  ]);
});

test('applied to the state before, the changes give the state after', () => {
  const state = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.constantFrom('1', '2', '3'));
  const toMap = (record: Record<string, string>) =>
    keyed(Object.entries(record).map(([name, cidr]) => cidrs(name, cidr)));
  fc.assert(
    fc.property(state.map(toMap), state.map(toMap), (before, after) => {
      const now = new Map(before);
      for (const change of changesBetween(before, after)) {
        if (change.op === 'delete') now.delete(`${change.kind} ${change.id}`);
        else now.set(`${change.object.kind} ${change.object.id}`, change.object);
      }
      expect(now).toEqual(after);
      expect(changesBetween(after, now)).toEqual([]);
    }),
  );
});

import { expect, test } from 'vitest';
import { listedObjects } from '../../../../src/cluster/manifests/listed-objects.ts';

test('a document is an object, a List is its items, and an empty document is nothing', () => {
  expect(listedObjects(null)).toEqual([]);
  expect(listedObjects(undefined)).toEqual([]);
  expect(listedObjects('text')).toEqual([{ path: [], value: 'text' }]);
  expect(listedObjects({ kind: 'List', items: 1 })).toEqual([
    { path: [], value: { kind: 'List', items: 1 } },
  ]);
  const items = [{ kind: 'NodeList', apiVersion: 'v1', items: [{ a: 1 }, { kind: 'X' }] }, null, 1];
  expect(listedObjects({ kind: 'List', apiVersion: 'v1', items })).toEqual([
    { path: ['items', 0, 'items', 0], value: { kind: 'Node', apiVersion: 'v1', a: 1 } },
    { path: ['items', 0, 'items', 1], value: { kind: 'X', apiVersion: 'v1' } },
    { path: ['items', 1], value: null },
    { path: ['items', 2], value: 1 },
  ]);
});

test('what an alias repeats is listed once: Lists of Lists do not grow without end', () => {
  let list: object = { kind: 'Service' };
  for (let level = 0; level < 30; level++) list = { kind: 'List', items: [list, list] };
  const path = Array.from({ length: 30 }, () => ['items', 0]).flat();
  expect(listedObjects(list)).toEqual([{ path, value: { kind: 'Service' } }]);
});

test('a List that holds itself holds nothing more', () => {
  const list = { kind: 'List', items: [{ kind: 'Service' }] as object[] };
  list.items.push(list);
  expect(listedObjects(list)).toEqual([{ path: ['items', 0], value: { kind: 'Service' } }]);
});

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { linesInJson } from '../../../src/cluster/manifests/json-lines.ts';

const text = `
{ "kind": "List", "odd \\"]}": [true,
  null],
  "items": [
    { "a": { "b":
      [ 1, 2.5e3,
        "x\\\\" ] } },
    {}
  ]
}`;

test.each<[path: (string | number)[], line: number]>([
  [[], 2],
  [['kind'], 2],
  [['odd "]}', 0], 2],
  [['odd "]}', 1], 3],
  [['items'], 4],
  [['items', 0], 5],
  [['items', 0, 'a', 'b'], 6],
  [['items', 0, 'a', 'b', 2], 7],
  [['items', 1], 8],
])('the value at %j is on line %i', (path, line) => {
  expect(linesInJson(text, [path])).toEqual([line]);
});

test.each<[path: (string | number)[], line: number]>([
  [['nothing'], 2],
  [['items', 1, 'a', 'b'], 8],
  [['items', 0, 'a', 'c'], 5],
  [['items', 9], 2],
])(
  'what is absent at %j is on the line of the list entry around it, else of the root',
  (path, line) => {
    expect(linesInJson(text, [path])).toEqual([line]);
  },
);

test('in JSON with one value a line, a value is where its text is', () => {
  const key = fc.string({ unit: 'binary', minLength: 1 }).filter((name) => name !== '__proto__');
  fc.assert(
    fc.property(key, fc.array(fc.jsonValue()), fc.nat(), (name, before, position) => {
      const list = before.toSpliced(position % (before.length + 1), 0, 'the needle');
      const index = list.indexOf('the needle');
      const written = JSON.stringify({ first: before, [name]: list }, null, 1);
      const [line] = linesInJson(written, [[name, index]]);
      expect(written.split('\n')[(line ?? 0) - 1]).toMatch(/^ *"the needle",?$/);
    }),
  );
});

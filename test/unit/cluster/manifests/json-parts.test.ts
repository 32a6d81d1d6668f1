import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { jsonPartsOf } from '../../../../src/cluster/manifests/json-parts.ts';

/** The values that are parsed one at a time, with their lines; of a List also its own fields. */
function read(text: string) {
  const found = jsonPartsOf(text);
  const parts = found?.parts.map((part) => [JSON.parse(part.text) as unknown, part.line]);
  return found && { list: found.list, parts };
}

describe('a List', () => {
  test('is cut into its items, wherever its other fields stand', () => {
    const text = '\n{"items": [\n{"a": "]},"},\n\n null, "\\"[", [1,\n2]\n], "kind": "List"}\n';
    expect(read(text)).toEqual({
      list: { kind: 'List', items: [] },
      parts: [
        [{ a: ']},' }, 3],
        [null, 5],
        ['"[', 5],
        [[1, 2], 5],
      ],
    });
  });

  test('may be empty', () => {
    const list = { kind: 'List', items: [] };
    expect(read('{"kind":"List","items":[ \n ]}')).toEqual({ list, parts: [] });
  });

  test('keeps fields with the name of a prototype as what they are', () => {
    const found = jsonPartsOf(
      '{"kind":"List","__proto__":{"a":1},"items":[{"__proto__":{"b":2}}]}',
    );
    expect(Object.keys(found?.list ?? {})).toEqual(['kind', '__proto__', 'items']);
    expect(found?.parts.map(({ text }) => text)).toEqual(['{"__proto__":{"b":2}}']);
  });
});

test.each([
  ['{"kind":"Pod","items":[1,2]}'],
  ['{"kind":"List","items":{"a":[1]}}'],
  ['{"kind":"List","spec":{"items":[1]}}'],
  ['[{"kind":"List","items":[1]}]'],
  [`${'['.repeat(100)}${']'.repeat(100)}`],
])('%j is one part', (text) => {
  expect(read(text)).toEqual({ list: undefined, parts: [[JSON.parse(text), 1]] });
});

describe('nothing is read of', () => {
  const list = (items: string) => `{"kind":"List","items":[${items}]}`;

  test.each([
    ['a key that stands twice', '{"a":1,"a":1}'],
    ['a key that stands twice, written differently', list('{"a":1,"\\u0061":1}')],
    ['a key of the List that stands twice', '{"kind":"List","kind":"List","items":[]}'],
    ['items that stand twice', '{"kind":"List","items":[1],"items":[2]}'],
    ['more after the end', `${list('')} 1`],
    ['no end', list('').slice(0, -1)],
    ['a string without an end', list('"a')],
    ['a missing item', list('1,,2')],
    ['a comma after the last item', list('1,')],
    ['brackets that do not match', list('{"a":[1}]')],
    ['items that a brace closes', '{"kind":"List","items":[},"a":1}'],
    ['two arrays for one field', '{"kind":"List","items":[1],["a":1}'],
    ['a comment', list('1 /* one */')],
    ['space that JSON does not know', list('\u00A01')],
    ['a nesting of more than 100', `${'['.repeat(101)}${']'.repeat(101)}`],
    ['a nesting without end', '['.repeat(1_000_000)],
    ['YAML', '{kind: List, items: [1]}'],
  ])('%s', (_, text) => {
    expect(jsonPartsOf(text)).toBeUndefined();
  });
});

const json = fc.record({
  kind: fc.constantFrom('List', 'PodList', 'Pod'),
  items: fc.array(fc.jsonValue({ maxDepth: 4 }), { maxLength: 4 }),
  'a"[': fc.jsonValue(),
});
const indent = fc.constantFrom(undefined, 1);

test('the parts together are the document, and of what is no JSON there are none', () => {
  const change = fc.tuple(fc.nat(), fc.nat(1), fc.constantFrom('', ...Array.from('[]{},:"\\1 \n')));
  fc.assert(
    fc.property(json, indent, fc.array(change, { maxLength: 2 }), (value, space, changes) => {
      let text = JSON.stringify(value, null, space);
      for (const [place, removed, added] of changes) {
        const at = place % text.length;
        text = text.slice(0, at) + added + text.slice(at + removed);
      }
      const found = read(text);
      if (changes.length === 0 || found !== undefined) {
        const values = found?.parts?.map(([part]) => part);
        const whole = found?.list === undefined ? values?.[0] : { ...found.list, items: values };
        expect(whole).toEqual(JSON.parse(text));
      }
    }),
    { numRuns: 2000 },
  );
});

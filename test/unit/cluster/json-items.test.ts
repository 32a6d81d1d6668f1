import fc from 'fast-check';
import { expect, test } from 'vitest';
import { readDocuments } from '../../../src/cluster/manifests/documents.ts';
import { itemsInJson } from '../../../src/cluster/manifests/json-items.ts';
import { linesInJson } from '../../../src/cluster/manifests/json-lines.ts';

/** The list and its items, parsed one by one; the lines of the items behind them. */
function read(text: string) {
  const bytes = Buffer.from(text);
  const found = itemsInJson(bytes);
  if (found === undefined) return undefined;
  const items = found.bounds.map(([start, end]) => bytes.toString('utf8', start, end));
  return { list: found.list, items, lines: found.bounds.map(([, , line]) => line) };
}

test('items are found with their lines', () => {
  expect(read('{"kind":"List","items":[ {"a":[1,"]}\\""]}\n,\n\t"é,", null\n],"b":[2]}')).toEqual({
    list: { kind: 'List', items: [], b: [2] },
    items: ['{"a":[1,"]}\\""]}\n', '"é,"', 'null\n'],
    lines: [1, 3, 3],
  });
});

test.each<[what: string, text: string, items: string[] | undefined]>([
  ['no items', '{"items":[ \n]}', []],
  ['the last of two lists', '{"items":[1],"items":[2,3]}', ['2', '3']],
  ['a list after something else', '{"items":{"items":[1]},"items":[2]}', ['2']],
  ['an escaped key', '{"it\\u0065ms":[1]}', ['1']],
  ['something else after a list', '{"items":[1],"items":2}', undefined],
  ['items further in', '{"a":{"items":[1]}}', undefined],
  ['a list', '[{"items":[1]}]', undefined],
  ['a text', '"items"', undefined],
  ['a comma at the end', '{"items":[1,]}', undefined],
  ['another bracket at the end', '{"items":[1}}', undefined],
  ['more after the end', '{"items":[1]}]', undefined],
  ['no end', '{"items":[1]', undefined],
  ['a string without an end', '{"items":["1]}', undefined],
])('in JSON with %s', (_, text, items) => {
  expect(read(text)?.items).toEqual(items);
});

test.each([
  '[,1]',
  '[1,,2]',
  '[1 2]',
  '[{]}]',
  '[\u0001]',
  '["\n"]',
  '[\u00a01]',
  '[1,\u000b2]',
  '[01]',
])('what is no JSON among the items is not taken for it: %s', (items) => {
  const text = `{"kind":"List","items":${items}}`;
  expect(() => JSON.parse(text) as unknown).toThrow(SyntaxError);
  const parse = () => (read(text)?.items ?? ['!']).map((item) => JSON.parse(item) as unknown);
  expect(parse).toThrow(SyntaxError);
});

test('a List is read as its items are in the whole of it', () => {
  const field = fc.constantFrom('kind', 'items', 'apiVersion', '__proto__', 'metadata');
  const kind = fc.constantFrom('List', 'NodeList', 'ServiceList');
  const value = fc.jsonValue({ maxDepth: 3 });
  const item = fc.oneof(value, fc.dictionary(field, value, { noNullPrototype: true }));
  fc.assert(
    fc.property(kind, fc.array(item), fc.constantFrom(0, 1), (name, items, indent) => {
      const text = JSON.stringify({ apiVersion: 'v1', items, kind: name }, null, indent);
      const read = readDocuments(Buffer.from(text), (document) =>
        document.objects.map((object) => ({
          value: object.value,
          line: document.linesOf([object.path])[0],
        })),
      );
      const whole = JSON.parse(text) as { items: unknown[] };
      const inherited = name === 'List' ? {} : { kind: name.slice(0, -4), apiVersion: 'v1' };
      const isObject = (one: unknown): one is object =>
        typeof one === 'object' && one !== null && !Array.isArray(one);
      const isList = (one: unknown): boolean =>
        isObject(one) &&
        'items' in one &&
        Array.isArray(one.items) &&
        'kind' in one &&
        String(one.kind).endsWith('List');
      fc.pre(!whole.items.some(isList));
      const paths = whole.items.map((_, index) => ['items', index]);
      const lines = linesInJson(text, paths);
      expect(read).toEqual(
        whole.items.map((one, index) => ({
          value: isObject(one) ? { ...inherited, ...one } : one,
          line: lines[index],
        })),
      );
    }),
  );
});

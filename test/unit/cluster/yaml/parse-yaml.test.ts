import { expect, test } from 'vitest';
import { parseYaml } from '../../../../src/cluster/yaml/parse-yaml.ts';

function valuesOf(text: string): readonly unknown[] {
  const parsed = parseYaml(text);
  if ('message' in parsed) throw new Error(`${parsed.line}: ${parsed.message}`);
  return parsed.values;
}

test.each<[text: string, value: unknown]>([
  ['[null, Null, ~, "null"]', [null, null, null, 'null']],
  ['[true, FALSE, yes, no, on, n]', [true, false, 'yes', 'no', 'on', 'n']],
  ['[1, -2, +3, 0o17, 0x1f, 017]', [1, -2, 3, 15, 31, '017']],
  ['[1.5, -.5, 1e3, .inf, 1.2.3, 10.0.0.1]', [1.5, -0.5, 1000, Infinity, '1.2.3', '10.0.0.1']],
  ['[2026-01-31, 12:30, "1", !!str 1, !!int "1"]', ['2026-01-31', '12:30', '1', '1', 1]],
  ['a: &a {x: 1, y: 1}\nb: {x: 2, <<: *a}\n', { a: { x: 1, y: 1 }, b: { x: 2, y: 1 } }],
  ['<<: [{x: 1}, {x: 2, y: 2}]\nx: 3\n', { x: 3, y: 2 }],
  ['"<<": {x: 1}\n', { '<<': { x: 1 } }],
])('values are those of the core schema, with merge keys: %j', (text, value) => {
  expect(valuesOf(text)).toEqual([value]);
});

test('documents have their own anchors', () => {
  expect(valuesOf('a: &a 1\n---\n---\n{b: 2}\n...\n--- text\n')).toEqual([
    { a: 1 },
    null,
    { b: 2 },
    'text',
  ]);
  expect(parseYaml('a: &a 1\n---\nb: *a\n')).toEqual({
    line: 3,
    message: 'unidentified alias "a"',
  });
});

test('a key __proto__ is a field like any other', () => {
  for (const text of ['__proto__: {kind: x}\n', '<<: {__proto__: {kind: x}}\n']) {
    const [value] = valuesOf(text) as [Record<string, unknown>];
    expect(Object.keys(value)).toEqual(['__proto__']);
    expect(value['kind']).toBeUndefined();
  }
});

test('a key that is in a map twice is an error, or the last one counts', () => {
  const text = 'a: 1\nb: 2\na: 3\n';
  expect(parseYaml(text)).toEqual({ line: 3, message: 'duplicated mapping key' });
  const parsed = parseYaml(text, { lastKeyCounts: true });
  expect('values' in parsed && parsed.values).toEqual([{ a: 3, b: 2 }]);
});

test.each<[what: string, text: string, line: number, message: string]>([
  ['a merge of no map', 'a: 1\n<<: 1\n', 2, expect.stringContaining('cannot merge') as string],
  ['a tag that is not known', 'a: !mine 1\n', 1, 'unknown scalar tag !<!mine>'],
  ['a key that is a map', 'a: 1\n? {b: 1}\n: 2\n', 1, expect.stringContaining('keys') as string],
  [
    'more than a thousand aliases',
    `a: &a 1\nb: [${'*a, '.repeat(1001)}]\n`,
    2,
    'aliases exceeded maxAliases (1000)',
  ],
  [
    'merges that stand for much more than the text',
    `a: &a {${Array.from({ length: 999 }, (_, n) => `k${n}: `).join(', ')}}\nb:\n${'- <<: *a\n'.repeat(999)}`,
    19,
    'merge keys exceeded maxTotalMergeKeys (16883)',
  ],
  [
    'lists in lists without end',
    `a: 1\nb: ${'['.repeat(5000)}`,
    2,
    'nesting exceeded maxDepth (100)',
  ],
  ['a text without end', 'a: 1\nb: "x\n', 3, 'deficient indentation'],
])('%s is refused with its line', (_, text, line, message) => {
  expect(parseYaml(text)).toEqual({ line, message });
});

import { expect, test } from 'vitest';
import { fieldName, printable, quoted, type Path } from '../../../src/cluster/problem.ts';

test.each<[path: Path, name: string]>([
  [[], ''],
  [['spec', 'ports', 1, 'port'], 'spec.ports[1].port'],
  [['items', 0], 'items[0]'],
  [['metadata', 'labels', 'a.b/c'], 'metadata.labels["a.b/c"]'],
])('%j is written %j', (path, name) => {
  expect(fieldName(path)).toBe(name);
});

test.each([
  ['plain', '"plain"'],
  ['a "b"\n', '"a \\"b\\"\\n"'],
  ['\u001b[2J\u009b\u202e\u2028', '"\\u001b[2J\\u009b\\u202e\\u2028"'],
  ['\u{e0001}', '"\\u{e0001}"'],
  ['Grüße', '"Grüße"'],
  ['x'.repeat(81), `"${'x'.repeat(80)}…"`],
])('%j is quoted as %s', (text, shown) => {
  expect(quoted(text)).toBe(shown);
});

test('text on one line stays on one line', () => {
  expect(printable('a\r\nb\tc d')).toBe('a\\u000d\\u000ab\\u0009c d');
});

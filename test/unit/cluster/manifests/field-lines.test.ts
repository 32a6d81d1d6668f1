import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { LineCounter, parseDocument, stringify } from 'yaml';
import { fieldLines } from '../../../../src/cluster/manifests/field-lines.ts';
import type { Path } from '../../../../src/cluster/problem.ts';
import { parseYaml } from '../../../../src/cluster/yaml/parse-yaml.ts';

/** The line of each path in a document of the text. */
function linesOf(text: string, paths: readonly Path[], index = 0): readonly number[] {
  const parsed = parseYaml(text);
  if ('message' in parsed) throw new Error(parsed.message);
  return fieldLines({ text, events: parsed.events, index }, paths);
}

describe('lines', () => {
  const text = `# comment
kind: x
spec: &s

  ports:
    # comment - here
    - name: a
      port: |
        1
    -
    - &p
      name: b
  none:
  text:
    far
same: *s
1:
  more: 1
`;

  test.each<[path: Path, line: number]>([
    [[], 2],
    [['spec'], 5],
    [['spec', 'ports'], 7],
    [['spec', 'ports', 0], 7],
    [['spec', 'ports', 0, 'port'], 8],
    [['spec', 'ports', 2], 12],
    [['spec', 'ports', 2, 'absent'], 12],
    [['spec', 'none'], 13],
    [['spec', 'text'], 15],
    [['same'], 16],
    [['same', 'ports'], 2],
    [['1', 'more'], 18],
    [['absent'], 2],
  ])('of %j is %i', (path, line) => {
    expect(linesOf(text, [path])).toEqual([line]);
    expect(linesOf(`a: [{b: 1}]\n---\n${text}`, [path, ['kind']], 1)).toEqual([line + 2, 4]);
  });

  test('of an empty value are those of what is before it', () => {
    expect(linesOf('- a\n-\n# b\n- c\n', [[1], [2]])).toEqual([1, 4]);
  });

  test('of what an alias stands for are those of the alias', () => {
    expect(linesOf('a: &x {b: 1}\nc:\n- *x\nd: 1\n', [['c', 0, 'b'], ['d']])).toEqual([3, 4]);
  });
});

test('lines are those that another library finds', () => {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 4 },
      fc.oneof(fc.stringMatching(/^[a-z]{1,5}( [a-z]{1,5}\n[a-z]{1,5})?$/), fc.integer()),
      fc.array(tie('value'), { minLength: 1, maxLength: 4 }),
      fc.dictionary(fc.stringMatching(/^[a-z]{1,5}$/), tie('value'), {
        minKeys: 1,
        maxKeys: 4,
        noNullPrototype: true,
      }),
    ),
  }));
  const style = fc.constantFrom('any' as const, 'flow' as const);
  fc.assert(
    fc.property(value, style, fc.boolean(), (written, collectionStyle, indentSeq) => {
      const text = stringify({ written }, { collectionStyle, indentSeq, lineWidth: 20 });
      const paths = pathsIn({ written });
      const lineCounter = new LineCounter();
      const document = parseDocument(text, { lineCounter });
      const expected = paths.map((path) => {
        const { range } = document.getIn(path, true) as { range: [number, number, number] };
        return lineCounter.linePos(range[0]).line;
      });
      expect(linesOf(text, paths)).toEqual(expected);
    }),
  );
});

/** The paths of all values in a value. */
function pathsIn(value: unknown): readonly Path[] {
  if (typeof value !== 'object' || value === null) return [[]];
  const keys = Array.isArray(value) ? [...value.keys()] : Object.keys(value);
  const below = keys.flatMap((key) =>
    pathsIn((value as Record<string | number, unknown>)[key]).map((path) => [key, ...path]),
  );
  return [[], ...below];
}

import fc from 'fast-check';
import { stringify } from 'yaml';
import { describe, expect, test } from 'vitest';
import { linesInYaml } from '../../../src/cluster/manifests/yaml-lines.ts';
import { parseYaml, yamlEvents } from '../../../src/cluster/yaml/parse-yaml.ts';
import { plainBlock } from '../../../src/cluster/yaml/plain-block.ts';

function valuesOf(text: string): readonly unknown[] {
  const parsed = parseYaml(text);
  if ('message' in parsed) throw new Error(`${parsed.line}: ${parsed.message}`);
  return parsed.values;
}

/** The line of each path in the first document. */
function linesOf(text: string, ...paths: (string | number)[][]): readonly number[] {
  return linesInYaml({ text, events: yamlEvents(text), from: 0 }, paths);
}

describe('values', () => {
  test.each<[text: string, value: unknown]>([
    ['[null, Null, ~, "null"]', [null, null, null, 'null']],
    ['[true, FALSE, yes, no, on, n]', [true, false, 'yes', 'no', 'on', 'n']],
    ['[1, -2, +3, 0o17, 0x1f, 017]', [1, -2, 3, 15, 31, 17]],
    ['[1.5, -.5, 1e3, .inf, 1.2.3, 10.0.0.1]', [1.5, -0.5, 1000, Infinity, '1.2.3', '10.0.0.1']],
    ['[2026-01-31, 12:30, "1"]', ['2026-01-31', '12:30', '1']],
    ['[!!str 1, !!int "1", !!int x, !mine 1, ! 1]', ['1', 1, 'x', '1', '1']],
    ['%TAG !k! tag:yaml.org,2002:\n---\n!k!int "7"', 7],
    ['{a: , ? b, 1: c, ~: d}', { a: null, b: null, '1': 'c', '': 'd' }],
    ['a: |\n  two\n  lines\nb: >-\n  one\n  line\n', { a: 'two\nlines\n', b: 'one line' }],
    ['x: &x [1]\ny: *x\nx2: &x 2\nz: *x', { x: [1], y: [1], x2: 2, z: 2 }],
    ['a: &a {x: 1, y: 1}\nb: {x: 2, <<: *a}\n', { a: { x: 1, y: 1 }, b: { x: 2, y: 1 } }],
    ['<<: {x: 1}\nx: 2\n', { x: 2 }],
    ['<<: [{x: 1}, {x: 2, y: 2}]\n', { x: 1, y: 2 }],
    ['"<<": {x: 1}\n', { '<<': { x: 1 } }],
  ])('of %j', (text, value) => {
    expect(valuesOf(text)).toEqual([value]);
  });

  test('of several documents, with their own anchors', () => {
    expect(valuesOf('a: &a 1\n---\n---\n{b: 2}\n...\n--- text\n')).toEqual([
      { a: 1 },
      null,
      { b: 2 },
      'text',
    ]);
    expect(parseYaml('a: &a 1\n---\nb: *a\n')).toMatchObject({ line: 3 });
  });

  test('with a key __proto__ are plain values with such a field', () => {
    for (const text of ['__proto__: {kind: x}\n', '<<: {__proto__: {kind: x}}\n']) {
      const [value] = valuesOf(text) as [Record<string, unknown>];
      expect(Object.keys(value)).toEqual(['__proto__']);
      expect(value['kind']).toBeUndefined();
    }
  });

  test('are those that another library wrote', () => {
    const options = fc.record({
      indentSeq: fc.boolean(),
      collectionStyle: fc.constantFrom('any' as const, 'flow' as const),
      lineWidth: fc.constantFrom(0, 80),
    });
    const key = fc.stringMatching(/^[a-zA-Z]{1,9}$/).filter((name) => !/^null$/i.test(name));
    const { value } = fc.letrec((tie) => ({
      value: fc.oneof(
        { maxDepth: 4 },
        fc.oneof(
          fc.stringMatching(/^([ -~]{0,9}|[a-z ]{1,5}[a-z]\n[a-z]{1,5}\n?)$/),
          fc.integer(),
          fc.boolean(),
          fc.constant(null),
        ),
        fc.array(tie('value'), { maxLength: 4 }),
        fc.dictionary(key, tie('value'), { maxKeys: 4, noNullPrototype: true }),
      ),
    }));
    fc.assert(
      fc.property(value, options, (written, how) => {
        expect(valuesOf(stringify({ written }, how))).toEqual([{ written }]);
      }),
    );
  });
});

describe('refused with its line', () => {
  const nine = (name: string): string => Array(9).fill(name).join(', ');

  test.each<[what: string, text: string, line: number, message: string]>([
    ['a key that stands twice', 'a: 1\nb: 2\na: 3\n', 3, 'the key "a" stands twice in a map'],
    ['an alias without an anchor', 'a: 1\nb: *c\n', 2, 'no anchor stands before the alias *c'],
    ['an alias for itself', 'a: &a\n  b: *a\n', 2, 'the alias *a stands for itself'],
    ['a merge of no map', 'a: 1\n<<: [1]\n', 2, 'only maps can be merged'],
    [
      'a billion laughs',
      `a: &a [x]\nb: &b [${nine('*a')}]\nc: &c [${nine('*b')}]\nd: &d [${nine('*c')}]\ne: [${nine('*d')}]`,
      5,
      'the aliases stand for too much',
    ],
    [
      'a thousand merges of a thousand keys',
      `a: &a {${Array.from({ length: 999 }, (_, n) => `k${n}: `).join(', ')}}\nb:\n${'- <<: *a\n'.repeat(999)}`,
      19,
      'the merges stand for too much',
    ],
    ['lists in lists without end', `a: 1\nb: ${'['.repeat(5000)}`, 2, 'nested too deeply'],
    ['a text without end', 'a: 1\nb: "x\n', 3, 'deficient indentation'],
  ])('%s', (_, text, line, message) => {
    expect(parseYaml(text)).toEqual({ line, message });
  });
});

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
    - # nothing
    - &p
      name: b
  none:
  text:
    far
? {a: 1}
: 2
same: *s
`;

  test.each<[path: (string | number)[], line: number]>([
    [[], 2],
    [['spec'], 5],
    [['spec', 'ports'], 7],
    [['spec', 'ports', 0, 'port'], 8],
    [['spec', 'ports', 1], 10],
    [['spec', 'ports', 2], 11],
    [['spec', 'ports', 3], 13],
    [['spec', 'ports', 3, 'absent'], 13],
    [['spec', 'none'], 14],
    [['spec', 'text'], 16],
    [['same'], 19],
    [['same', 'ports'], 2],
    [['absent'], 2],
  ])('of %j is %i', (path, line) => {
    expect(linesOf(text, path)).toEqual([line]);
  });

  test('of nothing are those of its dash, whatever a comment says', () => {
    expect(linesOf('- a # - b\n# one - two\n-\n- c\n', [1], [2])).toEqual([3, 4]);
  });

  test('of a key that is no text leave the others right', () => {
    expect(linesOf('[{1: 2}]: {a: 1}\n*x : 1\nb:\n  c: 1\n', ['b', 'c'])).toEqual([4]);
  });
});

describe('plain blocks', () => {
  test('are read, whatever is in them', () => {
    const text = `---
# a Service
metadata:
  name: web
  labels:
    app.kubernetes.io/name: "web"
spec:
  ports:
  - port: 80

    name: 'http'
  - name: second
  list: []
  other: {}
  none:
  f:at: 1.5
`;
    expect(plainBlock(text)).toEqual({ value: valuesOf(text)[0], line: 3 });
  });

  test.each([
    '',
    '# only\n',
    'text',
    '- a\n',
    'a: b: c\n',
    'a: b #c\n',
    'a: "b" # c\n',
    'a: "b\\n"\n',
    'a: |\n  b\n',
    'a: b\n  c\n',
    'a:\n  b\n',
    'a: &b c\n',
    'a: *b\n',
    '<<: {}\n',
    'a: [b]\n',
    'a: 1\na: 2\n',
    'a:\n   b: 1\n  c: 2\n',
    'a: \n',
    'a: b \n',
    '\ta: b\n',
    'a: é\n',
    'a: -\n',
    'null: a\n',
    '1: a\n',
    '"a": b\n',
    'a: b\n---\nc: d\n',
    'a: b\n...\n',
    '%YAML 1.2\n---\na: b\n',
    'a:\n-\n- b\n',
    'a:\n  b:\n- c\n',
    'a:\n  - b\n    c\n',
    '- a: b\n  - c\n',
    'a:\n- - b\n',
    'a: b\r\n',
    '__proto__: a\n',
    'a:\n- b\n  c\n',
  ])('with more in them are left to the whole parser: %j', (text) => {
    expect(plainBlock(text)).toBeUndefined();
  });

  test('are what the whole parser says', () => {
    const piece = fc.oneof(
      fc.constantFrom(
        'a',
        'b',
        'c.d/e',
        ': ',
        ':',
        ':\n',
        ':\n  ',
        ':\n- ',
        '\n',
        '\n  ',
        '\n    ',
      ),
      fc.constantFrom(
        '- ',
        '\n- ',
        '\n  - ',
        '\n# c\n',
        ' # c',
        '"x"',
        "'y'",
        '"',
        '[]',
        '{}',
        '1',
      ),
      fc.constantFrom('a: 1\n', '  b: c\n', 'c:\n', '  - d\n', '  - e: f\n', '    g: h\n', '---\n'),
      fc.constantFrom('true', 'null', 'x y', ' ', '.', '10.0.0.1', 'f:x', 'e: f', 'Null', '\\'),
    );
    fc.assert(
      fc.property(fc.array(piece, { maxLength: 12 }), (pieces) => {
        const text = pieces.join('');
        const plain = plainBlock(text);
        if (plain === undefined) return;
        expect(valuesOf(text)).toEqual([plain.value]);
        expect(linesOf(text, [])).toEqual([plain.line]);
      }),
      { numRuns: 3000 },
    );
  });
});

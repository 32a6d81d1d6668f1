import { hash } from 'node:crypto';
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { describeProblem, readManifests } from '../../../../src/cluster/manifests/manifests.ts';
import { ManifestError } from '../../../../src/errors.ts';
import { folderWith, serviceYaml } from '../folder.ts';

/** What a file with this text holds: keys of objects, and problems as lines without the folder. */
async function read(text: string | Buffer, name = 'm.yaml') {
  const folder = folderWith({ [name]: text });
  const { objects, problems } = await readManifests(join(folder, name));
  const lines = problems.map((problem) => describeProblem(problem).replace(`${folder}/`, ''));
  return { keys: [...objects.keys()], lines };
}

describe('objects', () => {
  test('come out of several documents, Lists and typed Lists; other kinds leave nothing', async () => {
    const text = `# two documents and more
${serviceYaml('a', '10.96.0.1')}---
apiVersion: v1
kind: List
items:
  - apiVersion: apps/v1
    kind: Deployment
  - apiVersion: v1
    kind: ServiceList
    items:
      - metadata: { name: b }
        spec: { clusterIP: 10.96.0.2, ports: [{ port: 80 }] }
  - apiVersion: v1
    kind: Node
    metadata: { name: n1 }
---
---
${serviceYaml('headless', 'None')}`;
    expect(await read(text)).toEqual({
      keys: ['Service default/a', 'Service default/b', 'Node n1'],
      lines: [],
    });
  });

  test('come out of JSON, and of JSON documents one after the other', async () => {
    const json = (name: string) =>
      JSON.stringify({
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name },
        spec: { clusterIP: '10.96.0.1', ports: [{ port: 80 }] },
      });
    expect(await read(json('a'), 'm.json')).toEqual({ keys: ['Service default/a'], lines: [] });
    expect(await read(`${json('a')}\n---\n${json('b')}`, 'm.json')).toEqual({
      keys: ['Service default/a', 'Service default/b'],
      lines: [],
    });
  });

  test('may share fields by anchors and merge keys', async () => {
    const text = `apiVersion: v1
kind: ServiceList
items:
  - &a
    metadata: { name: a }
    spec: &spec { clusterIP: 10.96.0.1, ports: [{ port: 80 }] }
  - metadata: { name: b }
    spec: { <<: *spec, clusterIP: 10.96.0.2 }
`;
    expect(await read(text)).toEqual({
      keys: ['Service default/a', 'Service default/b'],
      lines: [],
    });
  });
});

describe('problems', () => {
  test('name the file, the line of the field, the object, the field and what is wrong', async () => {
    const text = `${serviceYaml('a', '10.96.0.1')}---
# a comment
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  clusterIP:
    10.96.0.300
  ports:
    - port: 80
    - name: second
    - { port: 70000, name: third }
`;
    expect(await read(text)).toEqual({
      keys: ['Service default/a'],
      lines: [
        'm.yaml:17: Service default/web: spec.clusterIP: "10.96.0.300" is not an IP address',
        'm.yaml:20: Service default/web: spec.ports[1].port: is missing',
        'm.yaml:21: Service default/web: spec.ports[2].port: 70000 is not a port (1 to 65535)',
      ],
    });
  });

  test('stand at the object where the field is absent, also in JSON', async () => {
    const bare = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'web' } };
    const text = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [{}, bare] }, null, 1);
    expect(await read(text, 'm.json')).toEqual({
      keys: [],
      lines: [
        'm.json:5: document: kind: is missing',
        'm.json:5: document: apiVersion: is missing',
        'm.json:6: Service default/web: spec.clusterIP: is missing; only a cluster can allocate an address, so a manifest must name it',
        'm.json:6: Service default/web: spec.ports: is missing; a Service needs at least one port',
      ],
    });
  });

  test('of the name show it, harmlessly', async () => {
    const lines = (await read(serviceYaml('"w\\eb\\n"', '10.96.0.1'))).lines;
    expect(lines).toEqual([
      'm.yaml:4: Service "w\\u001bb\\n": metadata.name: "w\\u001bb\\n" is not a DNS label',
    ]);
  });

  test.each([
    ['a: [1\nb: 2\n', 'm.yaml:2: deficient indentation'],
    [
      `${serviceYaml('a', '10.96.0.1')}---\na: b: c\n`,
      'm.yaml:10: bad indentation of a mapping entry',
    ],
    ['a: 1\na: 2\n', 'm.yaml:2: duplicated mapping key'],
    ['{"a": 1,, }', "m.yaml:1: expected the node content, but found ','"],
    ['{"a": 1,\n"a": 2}', 'm.yaml:2: duplicated mapping key'],
    ['{"kind": "List", "items": []}\n{}', 'm.yaml:2: '],
    ['a: *b\n', 'm.yaml:1: unidentified alias "b"'],
    ['', 'm.yaml:1: the file is empty'],
    ['text\n', 'm.yaml:1: document: "text" is not an object'],
  ])('of syntax are one line a file: %j', async (text, start) => {
    const { keys, lines } = await read(text);
    expect(keys).toEqual([]);
    expect(lines).toHaveLength(1);
    expect(lines[0]?.slice(0, start.length)).toBe(start);
  });

  test('leave the other files alone', async () => {
    const folder = folderWith({ 'a.yaml': 'a: [', 'b.yml': serviceYaml('b', '10.96.0.2') });
    const { objects, problems } = await readManifests(folder);
    expect([...objects.keys()]).toEqual(['Service default/b']);
    expect(problems.map(({ file, line }) => ({ file, line }))).toEqual([
      { file: join(folder, 'a.yaml'), line: 1 },
    ]);
  });

  test('nesting deeper than the stack is a problem, not a crash', async () => {
    const deep = `a: ${'['.repeat(5000)}${']'.repeat(5000)}\n`;
    expect((await read(deep)).lines).toEqual(['m.yaml:1: nesting exceeded maxDepth (100)']);
  });
});

test('a small text of Lists that would be enormous is read as what it says', async () => {
  const items = (name: string): string => Array(9).fill(`*${name}`).join(', ');
  const lists = 'bcdefghij'.split('').map((name, index) => {
    return `${name}: &${name} { kind: List, items: [${items('abcdefghi'.charAt(index))}] }\n`;
  });
  const service = `a: &a { apiVersion: v1, kind: Service, metadata: { name: a } }\n`;
  const { keys, lines } = await read(`${service}${lists.join('')}kind: List\nitems: [*j]\n`);
  expect(keys).toEqual([]);
  expect(lines.map((line) => line.slice(0, 33))).toEqual([
    'm.yaml:12: Service default/a: spe',
    'm.yaml:12: Service default/a: spe',
  ]);
});

test('a byte order mark and bytes that are no text harm no document', async () => {
  const bytes = Buffer.concat([
    Buffer.from(`\uFEFF${serviceYaml('a', '10.96.0.2')}---\n`),
    Buffer.from([0x23, 0xff, 0xc3, 0x0a]),
    Buffer.from(serviceYaml('b', '10.96.0.3')),
  ]);
  const keys = ['Service default/a', 'Service default/b'];
  expect(await read(bytes)).toEqual({ keys, lines: [] });
  expect(
    await read(Buffer.from('\uFEFF{"apiVersion":"v1","kind":"Node","metadata":{"name":"n"}}')),
  ).toEqual({
    keys: ['Node n'],
    lines: [],
  });
});

describe('a folder', () => {
  test('is read by name, without hidden files, other files and folders below', async () => {
    const files = {
      'b.yaml': serviceYaml('b', '10.96.0.2'),
      'a.yml': serviceYaml('a', '10.96.0.1'),
      'c.json': '{"apiVersion":"v1","kind":"Node","metadata":{"name":"n1"}}',
      '.hidden.yaml': serviceYaml('hidden', '10.96.0.3'),
      'notes.txt': 'not YAML: [',
    };
    const folder = folderWith(files);
    mkdirSync(join(folder, 'below.yaml'));
    const { objects, problems, digest } = await readManifests(folder);
    expect([...objects.keys()]).toEqual(['Service default/a', 'Service default/b', 'Node n1']);
    expect(problems).toEqual([]);
    const digests = [files['a.yml'], files['b.yaml'], files['c.json']].map(sha256);
    expect(digest).toBe(sha256(digests.join('\n')));
    expect((await readManifests(join(folder, 'a.yml'))).digest).toBe(digests[0]);
  });

  test('may hold an object once: the first counts, and the second is told where that is', async () => {
    const folder = folderWith({
      'a.yaml': serviceYaml('web', '10.96.0.1'),
      'b.yaml': `# again\n${serviceYaml('web', '10.96.0.2')}`,
    });
    const { objects, problems } = await readManifests(folder);
    expect(
      [...objects.values()].map(({ id, value }) => [id, 'clusterIps' in value && value.clusterIps]),
    ).toEqual([['default/web', ['10.96.0.1']]]);
    expect(problems.map(describeProblem)).toEqual([
      `${folder}/b.yaml:2: Service default/web: is already in ${folder}/a.yaml:1, which counts`,
    ]);
  });
});

describe('what cannot be read at all', () => {
  async function failure(path: string, maxBytes?: number): Promise<string> {
    const error: unknown = await readManifests(path, { maxBytes }).catch(
      (reason: unknown) => reason,
    );
    expect(error).toBeInstanceOf(ManifestError);
    return (error as ManifestError).message;
  }

  test('is said in one line', async () => {
    const folder = folderWith({ 'notes.txt': '', 'm.yaml': serviceYaml('a', '10.96.0.1') });
    expect(await failure(join(folder, 'no.yaml'))).toBe(
      `${folder}/no.yaml: no such file or folder`,
    );
    expect(await failure(join(folder, 'm.yaml'), 10)).toBe(
      `${folder}/m.yaml: is larger than 10 bytes`,
    );
    expect(await failure('-')).toBe('standard input: is not available');
    symlinkSync('nowhere', join(folder, 'dangling.yaml'));
    expect(await failure(folder)).toBe(`${folder}/dangling.yaml: no such file or folder`);
    const empty = folderWith({ 'notes.txt': '' });
    expect(await failure(empty)).toBe(`${empty}: no *.yaml, *.yml or *.json in this folder`);
  });
});

test('standard input is read to its end', async () => {
  const text = serviceYaml('web', '10.96.0.300');
  async function* stdin() {
    yield Buffer.from(text.slice(0, 20));
    yield text.slice(20);
  }
  const { objects, problems } = await readManifests('-', { stdin: stdin() });
  expect(objects.size).toBe(0);
  expect(problems.map(describeProblem)).toEqual([
    'standard input:6: Service default/web: spec.clusterIP: "10.96.0.300" is not an IP address',
  ]);
});

function sha256(text: string): string {
  return hash('sha256', text, 'hex');
}

// What was good in manifests outlives a restart, whatever was done to them meanwhile.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { GoodCopies } from '../../../../src/cluster/manifests/good-copies.ts';
import { describeProblem, manifestsFrom } from '../../../../src/cluster/manifests/manifests.ts';
import { readFirst } from '../../../../src/cluster/manifests/readings.ts';
import { folderWith, serviceYaml } from '../folder.ts';

const [one, two] = ['10.96.0.1', '10.96.0.2'] as const;

/** Starts reading as a new process would: the addresses of the Services, then what is wrong. */
async function startAt(path: string, state: string): Promise<readonly string[]> {
  const faults: string[] = [];
  const copies = new GoodCopies(state, path, ({ message }) => faults.push(message));
  const read = await readFirst(path, { copies }).catch((error: Error) => error.message);
  await copies.settle();
  if (typeof read === 'string') return [read.replaceAll(/\S*\//g, ''), ...faults];
  const { objects, problems } = manifestsFrom(read.files.values());
  const services = [...objects.values()].map(({ id, value }) =>
    'clusterIps' in value ? `${id} ${value.clusterIps.join()}` : id,
  );
  return [
    ...services,
    ...problems.map((problem) => describeProblem(problem).replaceAll(/\S*\//g, '')),
    ...faults,
  ];
}

const good = `${serviceYaml('a', one)}---\n${serviceYaml('b', one)}`;
const kept = ['default/a 10.96.0.1', 'default/b 10.96.0.1'];

test.each<[what: string, text: string, now: readonly string[]]>([
  [
    'an object that is bad now',
    `${serviceYaml('a', 'x')}---\n${serviceYaml('b', two)}`,
    [
      'default/a 10.96.0.1',
      'default/b 10.96.0.2',
      'm.yaml:6: Service a: spec.clusterIP: "x" is not an IP address',
    ],
  ],
  [
    'a file that is no YAML now',
    'a: b: c',
    [...kept, 'm.yaml:1: bad indentation of a mapping entry'],
  ],
  ['a file that is empty now', '', [...kept, 'm.yaml:1: the file is empty']],
  [
    'a file that holds nothing now',
    '# later\n',
    [
      ...kept,
      'm.yaml:1: holds no Service, EndpointSlice, Node, ServiceCIDR any more; what it held before is kept',
    ],
  ],
])('%s is as it was before the restart', async (_, text, now) => {
  const folder = folderWith({ 'm.yaml': good });
  const [path, state] = [join(folder, 'm.yaml'), join(folder, 'state')];
  expect(await startAt(path, state)).toEqual(kept);
  writeFileSync(path, text);
  expect(await startAt(path, state)).toEqual(now);
  expect(await startAt(path, state)).toEqual(now);
  writeFileSync(path, serviceYaml('b', two));
  expect(await startAt(path, state)).toEqual([`default/b ${two}`]);
});

test('a file that left a folder is forgotten', async () => {
  const folder = folderWith({ 'a.yaml': serviceYaml('a', one), 'b.yaml': serviceYaml('b', one) });
  const state = folderWith({});
  expect(await startAt(folder, state)).toEqual(kept);
  rmSync(join(folder, 'b.yaml'));
  expect(await startAt(folder, state)).toEqual(['default/a 10.96.0.1']);
  writeFileSync(join(folder, 'b.yaml'), 'a: b: c');
  expect(await startAt(folder, state)).toEqual([
    'default/a 10.96.0.1',
    'b.yaml:1: bad indentation of a mapping entry',
  ]);
});

test('without a place for copies, all goes on, and it is said once', async () => {
  const folder = folderWith({ 'm.yaml': good, state: 'a file' });
  const [path, state] = [join(folder, 'm.yaml'), join(folder, 'state')];
  expect(await startAt(path, state)).toEqual([...kept, expect.stringMatching(/^ENOTDIR/)]);
});

test.each([
  ['a comment only', '# later\n'],
  ['an empty List', 'apiVersion: v1\nkind: List\nitems: []\n'],
  ['nothing that is read', 'apiVersion: apps/v1\nkind: Deployment\nmetadata: { name: web }\n'],
])('%s is refused at start', async (_, text) => {
  const folder = folderWith({ 'm.yaml': text });
  expect(await startAt(join(folder, 'm.yaml'), join(folder, 'state'))).toEqual([
    'm.yaml: holds no Service, EndpointSlice, Node, ServiceCIDR',
  ]);
});

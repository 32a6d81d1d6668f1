import { expect, test } from 'vitest';
import { readEntries } from '../../../../src/cluster/manifests/entries.ts';
import type { Service } from '../../../../src/model/kubernetes.ts';
import { serviceYaml } from '../folder.ts';

function read(text: string) {
  return readEntries({ kind: 'text', file: 'm.yaml', text, digest: 'd' }, { words: new Map() });
}

test('objects that say the same share what they say, and those that have nothing their empty lists', () => {
  const { entries } = read(`${serviceYaml('a', '10.96.0.2')}---\n${serviceYaml('b', '10.96.0.3')}`);
  const [a, b] = entries.map(({ object }) => object?.value as Service);
  expect(a).not.toEqual(b);
  expect(a?.externalIps).toEqual([]);
  expect(a?.externalIps).toBe(b?.externalIps);
  expect(a?.sourceRanges).toBe(b?.loadBalancerIps);
});

const problem = { field: 'spec.ports[0].port', message: '0 is not a port (1 to 65535)' };

/** A Service with a bad port, and so much more text. */
const service = (name: string, more: string) => ({
  apiVersion: 'v1',
  kind: 'Service',
  metadata: { name, annotations: { more } },
  spec: { clusterIP: '10.96.0.1', ports: [{ port: 0 }] },
});

function linesIn(value: unknown) {
  const { entries } = read(`\n${JSON.stringify(value, null, 1)}`);
  return entries.map(({ key, line, problems }) => [key, line, problems]);
}

test('in JSON, lines are those of the fields, however long the List is', () => {
  const services = ['a', 'b'].map((name) => service(name, 'x'.repeat(3 * 1024 * 1024)));
  const list = {
    apiVersion: 'v1',
    kind: 'List',
    items: [...services, { apiVersion: 'apps/v1', kind: 'Deployment' }],
  };
  expect(linesIn(list)).toEqual([
    ['Service default/a', 6, [{ ...problem, line: 19 }]],
    ['Service default/b', 24, [{ ...problem, line: 37 }]],
  ]);
});

test('in JSON, an object of more than 4 MiB has one line for all of its fields', () => {
  expect(linesIn(service('a', ''))).toEqual([['Service default/a', 2, [{ ...problem, line: 15 }]]]);
  expect(linesIn(service('a', 'x'.repeat(4 * 1024 * 1024)))).toEqual([
    ['Service default/a', 2, [{ ...problem, line: 2 }]],
  ]);
});

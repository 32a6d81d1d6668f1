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

/** A List of two Services, over many lines, with so much more text in the first. */
function listOf(more: string): string {
  const services = ['a', 'b'].map((name) => ({
    metadata: { name, annotations: name === 'a' ? { more } : {} },
    spec: { clusterIP: '10.96.0.1', ports: [{ port: name === 'a' ? 80 : 0 }] },
  }));
  const list = { apiVersion: 'v1', kind: 'ServiceList', items: services };
  return `\n${JSON.stringify(list, null, 1)}`;
}

test('in JSON, lines are those of the fields; in JSON of more than 4 MiB, that of the document', () => {
  const linesIn = (text: string) =>
    read(text).entries.map(({ key, line, problems }) => [key, line, problems]);
  const problem = { field: 'spec.ports[0].port', message: '0 is not a port (1 to 65535)' };
  expect(linesIn(listOf(''))).toEqual([
    ['Service default/a', 6, []],
    ['Service default/b', 22, [{ ...problem, line: 31 }]],
  ]);
  expect(linesIn(listOf('x'.repeat(4 * 1024 * 1024)))).toEqual([
    ['Service default/a', 2, []],
    ['Service default/b', 2, [{ ...problem, line: 2 }]],
  ]);
});

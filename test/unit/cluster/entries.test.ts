import { expect, test } from 'vitest';
import { readEntries } from '../../../src/cluster/manifests/entries.ts';
import type { Service } from '../../../src/model/kubernetes.ts';
import { serviceYaml } from './folder.ts';

test('documents that did not change are not parsed again, and have their lines where they are now', () => {
  const kept = `---\n${serviceYaml('kept', '10.96.0.1')}`;
  const before = readEntries(
    'm.yaml',
    Buffer.from(`${serviceYaml('a', '10.96.0.2')}${kept}`),
    new Map(),
  );
  const after = readEntries(
    'm.yaml',
    Buffer.from(`# one line more\n${serviceYaml('a', '10.96.0.3')}${kept}`),
    before.chunks,
  );
  expect(after.reading.entries.map(({ key, line }) => [key, line])).toEqual([
    ['Service default/a', 2],
    ['Service default/kept', 11],
  ]);
  expect(after.reading.entries[1]?.object).toBe(before.reading.entries[1]?.object);
});

test('objects that say the same share what they say, and those that have nothing their empty lists', () => {
  const text = `${serviceYaml('a', '10.96.0.2')}---\n${serviceYaml('b', '10.96.0.3')}`;
  const { entries } = readEntries('m.yaml', Buffer.from(text), new Map()).reading;
  const [a, b] = entries.map(({ object }) => object?.value as Service);
  expect(a).not.toEqual(b);
  expect(a?.externalIps).toEqual([]);
  expect(a?.externalIps).toBe(b?.externalIps);
  expect(a?.sourceRanges).toBe(b?.loadBalancerIps);
});

test('a byte order mark and bytes that are no text harm no document', () => {
  const bytes = Buffer.concat([
    Buffer.from(`\uFEFF${serviceYaml('a', '10.96.0.2')}---\n`),
    Buffer.from([0x23, 0xff, 0xc3, 0x0a]),
    Buffer.from(serviceYaml('b', '10.96.0.3')),
  ]);
  const { reading } = readEntries('m.yaml', bytes, new Map());
  expect(reading.failure).toBeUndefined();
  expect(reading.entries.map(({ key }) => key)).toEqual(['Service default/a', 'Service default/b']);
});

import { expect, test } from 'vitest';
import { readEntries } from '../../../src/cluster/manifests/entries.ts';
import { serviceYaml } from './folder.ts';

test('documents that did not change are not parsed again, and have their lines where they are now', () => {
  const kept = `---\n${serviceYaml('kept', '10.96.0.1')}`;
  const before = readEntries('m.yaml', `${serviceYaml('a', '10.96.0.2')}${kept}`, new Map());
  const after = readEntries(
    'm.yaml',
    `# one line more\n${serviceYaml('a', '10.96.0.3')}${kept}`,
    before.chunks,
  );
  expect(after.reading.entries.map(({ key, line }) => [key, line])).toEqual([
    ['Service default/a', 2],
    ['Service default/kept', 11],
  ]);
  expect(after.reading.entries[1]?.object).toBe(before.reading.entries[1]?.object);
});

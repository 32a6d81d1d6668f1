// Imports point one way: each part of the tree may know only of those that stand before it.
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Which folders each folder may import from, besides itself; errors.ts is open to all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'src/model': [],
  'src/resolve': ['src/model'],
  rules: ['src/model'],
  'src/netfilter': ['src/model'],
  'src/diff': ['src/model', 'src/netfilter'],
  'src/host': ['src/model', 'src/netfilter'],
  'src/doctor': ['src/model', 'src/host'],
  'src/cluster': ['src/model'],
  'src/config': ['src/model', 'src/cluster'],
  'src/backends': ['src/model', 'src/netfilter', 'src/host'],
  'src/serve': ['src/model'],
  'src/sync': [
    'src/model',
    'src/resolve',
    'src/netfilter',
    'src/backends',
    'src/cluster',
    'src/host',
    'rules',
  ],
  'src/takeover': ['src/model', 'src/netfilter', 'src/backends', 'src/host', 'src/sync'],
  'src/lab': ['src/model', 'src/host'],
  'src/explain': [
    'src/model',
    'src/resolve',
    'src/netfilter',
    'src/backends',
    'src/cluster',
    'src/sync',
    'rules',
  ],
  'src/cli': [
    'src/model',
    'src/resolve',
    'src/explain',
    'src/diff',
    'src/doctor',
    'src/netfilter',
    'src/backends',
    'src/cluster',
    'src/config',
    'src/host',
    'src/lab',
    'src/serve',
    'src/sync',
    'src/takeover',
  ],
  'src/main.ts': ['src/model', 'src/cli', 'src/config', 'src/host'],
};

const files = globSync(['src/**/*.ts', 'rules/**/*.ts'], { cwd: root }).toSorted();

test('there are sources to look at', () => {
  expect(files.length).toBeGreaterThan(40);
});

test('every file imports only what stands before it', () => {
  const wrong = files.flatMap((file) => {
    const folder = folderOf(file);
    const known = allowed[folder];
    if (known === undefined && folder !== 'src/errors.ts') return [`${file} is in no known folder`];
    return importsOf(file)
      .map(folderOf)
      .filter((other) => other !== folder && other !== 'src/errors.ts')
      .filter((other) => known?.includes(other) !== true)
      .map((other) => `${file} imports ${other}`);
  });
  expect(wrong).toEqual([]);
});

test('only main.ts touches the process', () => {
  // The lab's agents are processes of their own; names of labs carry the pid, to tell dead ones.
  const wrong = files
    .filter((file) => file !== 'src/main.ts' && !file.startsWith('src/lab/agent/'))
    .filter((file) =>
      /\bprocess\.(?!execPath|pid|ts')\w+/.test(readFileSync(join(root, file), 'utf8')),
    );
  expect(wrong).toEqual([]);
});

function importsOf(file: string): readonly string[] {
  const text = readFileSync(join(root, file), 'utf8');
  return [...text.matchAll(/from '(\.[^']+\.ts)'/g)].map(([, path]) =>
    relative(root, join(root, dirname(file), path as string)),
  );
}

function folderOf(file: string): string {
  const parts = file.split('/');
  return parts[0] === 'rules' ? 'rules' : parts.slice(0, 2).join('/');
}

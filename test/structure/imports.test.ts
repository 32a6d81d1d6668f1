// Imports point one way: each part of the tree may know only of those that stand before it.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');

/** Which folders each folder may import from, besides itself; errors.ts, compact.ts and the traits of backends are open to all. */
const allowed: Readonly<Record<string, readonly string[]>> = {
  'src/model': [],
  'src/resolve': ['src/model'],
  rules: ['src/model'],
  'src/netfilter': ['src/model'],
  'src/diff': ['src/model', 'src/netfilter'],
  'src/host': ['src/model', 'src/netfilter'],
  'src/doctor': ['src/backends', 'src/model', 'src/netfilter', 'src/host'],
  'src/cluster': ['src/model'],
  'src/config': ['src/model', 'src/cluster'],
  'src/backends': ['src/model', 'src/netfilter', 'src/host'],
  'src/serve': ['src/model'],
  'src/sync': [
    'src/model',
    'src/resolve',
    'src/netfilter',
    'src/diff',
    'src/backends',
    'src/cluster',
    'rules',
  ],
  'src/takeover': ['src/model', 'src/netfilter', 'src/backends', 'src/host', 'src/sync'],
  'src/explain': [
    'src/model',
    'src/resolve',
    'src/netfilter',
    'src/backends',
    'src/cluster',
    'src/sync',
    'rules',
  ],
  'src/daemon': [
    'src/model',
    'src/diff',
    'src/resolve',
    'src/explain',
    'src/netfilter',
    'src/backends',
    'src/cluster',
    'src/config',
    'src/host',
    'src/serve',
    'src/sync',
    'src/takeover',
  ],
  'src/lab': ['src/model', 'src/host'],
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
    'src/daemon',
    'src/host',
    'src/lab',
    'src/serve',
    'src/sync',
    'src/takeover',
  ],
  'src/main.ts': ['src/model', 'src/cli', 'src/config', 'src/host'],
};

const files: readonly string[] = globSync(['src/**/*.ts', 'rules/**/*.ts'], {
  cwd: root,
}).toSorted();

const openToAll = new Set(['src/errors.ts', 'src/compact.ts']);

test('every folder that imports are held for has sources', () => {
  const folders = new Set(files.map(folderOf));
  expect(Object.keys(allowed).filter((folder) => !folders.has(folder))).toEqual([]);
});

test('every file imports only what stands before it', () => {
  const wrong = files.flatMap((file) => {
    const folder = folderOf(file);
    const known = allowed[folder];
    if (known === undefined && !openToAll.has(folder)) return [`${file} is in no known folder`];
    return importsOf(file)
      .filter((path) => path !== 'src/backends/traits.ts')
      .map(folderOf)
      .filter((other) => other !== folder && !openToAll.has(other))
      .filter((other) => known?.includes(other) !== true)
      .map((other) => `${file} imports ${other}`);
  });
  expect(wrong).toEqual([]);
});

test('no file imports itself through others', () => {
  const circular = files.filter((file) => reachedFrom(file).has(file));
  expect(circular).toEqual([]);
});

/** Folders of test/unit that are not of src: what they test is outside of it. */
const besides = new Map([
  ['manifests', 'the files of manifests/'],
  ['kernels', 'the table that test/kernels writes'],
]);

test('the folders of unit tests are those of src', () => {
  const folders = globSync('test/unit/**/*.ts', { cwd: root }).map((file) =>
    relative('test/unit', dirname(file)),
  );
  const unknown = [...new Set(folders)].filter(
    (folder) => !besides.has(folder) && !existsSync(join(root, 'src', folder)),
  );
  expect(unknown).toEqual([]);
});

test('no folder holds more than 14 files', () => {
  const folders = Map.groupBy(files, (file) => dirname(file));
  const large = [...folders].filter(([, held]) => held.length > 14).map(([folder]) => folder);
  expect(large).toEqual([]);
});

// The lab chooses a mode for the daemon that it starts.
const isLab = /^src\/(cli\/(.*\/)?)?lab\b/;
const comparesModes =
  /[!=]==? '(nf|ip)tables'|case '(nf|ip)tables'|Record<ProxyMode,|proxyMode [!=]==? /;

test('only backends know one backend from another', () => {
  const found = files.filter((file) => {
    if (file.startsWith('src/backends/') || isLab.test(file)) return false;
    const isNamed = importsOf(file).some((path) => /^src\/backends\/\w+tables\//.test(path));
    return isNamed || comparesModes.test(readFileSync(join(root, file), 'utf8'));
  });
  expect(found).toEqual([]);
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
  return [...text.matchAll(/(?:from |import\()'(\.[^']+\.ts)'/g)].map(([, path]) =>
    relative(root, join(root, dirname(file), path as string)),
  );
}

const imports = new Map(files.map((file) => [file, importsOf(file)]));

/** Every file that `start` imports, and those that these import. */
function reachedFrom(start: string): ReadonlySet<string> {
  const reached = new Set<string>();
  const waiting = [start];
  for (let file = waiting.pop(); file !== undefined; file = waiting.pop()) {
    for (const next of imports.get(file) ?? []) {
      if (reached.has(next)) continue;
      reached.add(next);
      waiting.push(next);
    }
  }
  return reached;
}

function folderOf(file: string): string {
  const parts = file.split('/');
  return parts[0] === 'rules' ? 'rules' : parts.slice(0, 2).join('/');
}

// The documents name folders, files and types that exist.
import { existsSync, globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const documents: readonly string[] = ['README.md', ...globSync('docs/**/*.md', { cwd: root })];

test.each(documents)('%s names only paths that exist', (document) => {
  const paths = [...textOf(document).matchAll(/\b(?:src|rules|test)\/[\w./*-]*\w/g)];
  const missing = paths.map(([path]) => path).filter((path) => !isThere(path));
  expect(missing).toEqual([]);
});

const terms = [...textOf('docs/glossary.md').matchAll(/`(\w+)` in `([^`]+)`/g)];

test('the glossary names where its terms are', () => {
  const rows = textOf('docs/glossary.md').match(/^\| .*` \|$/gm) ?? [];
  expect(rows.filter((row) => !/`\w+` in `[^`]+` \|$|\| `[\w./-]+` \|$/.test(row))).toEqual([]);
  const wrong = terms.filter(
    ([, name, file]) => !new RegExp(`^export .*\\b${name}\\b`, 'm').test(textOf(file as string)),
  );
  expect(wrong.map(([text]) => text)).toEqual([]);
});

function isThere(path: string): boolean {
  return path.includes('*')
    ? globSync(path, { cwd: root }).length > 0
    : existsSync(join(root, path));
}

function textOf(path: string): string {
  return readFileSync(join(root, path), 'utf8');
}

// kube-proxy's own test scenarios, by their numbers in the list that was drawn from its test tables:
// scenarios.tsv names for each the test of ours, or says why there is none.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const root = join(import.meta.dirname, '../..');
const scenarioCount = 394;

type Row = { readonly number: number; readonly file: string; readonly text: string };

const rows: readonly Row[] = readFileSync(join(import.meta.dirname, 'scenarios.tsv'), 'utf8')
  .split('\n')
  .filter((line) => line !== '' && !line.startsWith('#'))
  .map((line) => {
    const [number, file, text] = line.split('\t') as [string, string, string];
    return { number: Number(number), file, text };
  });

test('every scenario has at least one line', () => {
  const numbers = new Set(rows.map(({ number }) => number));
  const missing = Array.from({ length: scenarioCount }, (_, index) => index + 1).filter(
    (number) => !numbers.has(number),
  );
  expect(missing).toEqual([]);
  expect(Math.max(...numbers)).toBe(scenarioCount);
});

test('every line names a test that is there, or gives a reason', () => {
  const wrong = rows.filter(({ file, text }) =>
    file === 'not' ? text === '' : !isThere(file, text),
  );
  expect(wrong).toEqual([]);
});

// A test is named by its describe blocks and itself, `outer > inner > test`; a row of a table as it is
// spelled out. Anything else that is named, such as a golden file, holds the text.
function isThere(file: string, name: string): boolean {
  const path = join(root, file);
  if (!existsSync(path) || name === '') return false;
  const content = readFileSync(path, 'utf8');
  if (content.includes(name)) return true;
  const titles = titlesIn(content);
  return name.split(' > ').every((part) => titles.some((title) => title.test(part)));
}

function titlesIn(content: string): readonly RegExp[] {
  const literals = content.matchAll(/(?<=[(,[\s])(?:'((?:[^'\\\n]|\\.)+)'|"([^"\n]+)"|`([^`]+)`)/g);
  return [...literals].flatMap(([, single, double, template]) => {
    const title = (single ?? double ?? template ?? '').replaceAll("\\'", "'");
    // A title that is all place-holder would stand for anything: the row's own text is in the file.
    if (/^[%$]\w+$/.test(title)) return [];
    const pattern = title
      .split(/%[a-z]|\$\{[^}]*\}|\$\w+/)
      .map((part) => part.replaceAll(/[.*+?^${}()|[\]\\]/g, String.raw`\$&`))
      .join('.*');
    return [new RegExp(`^${pattern}$`)];
  });
}

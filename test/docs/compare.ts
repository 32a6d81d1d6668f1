// What a document shows, held against what was printed.
import { expect } from 'vitest';

/** What differs from run to run, and what is put in its place on both sides. */
export type Varying = readonly (readonly [what: RegExp, by: string])[];

// On each machine and at each time.
const always: Varying = [
  [/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME'],
  [/\bnft \d+\.\d+\.\d+/g, 'nft VERSION'],
  [/^((✓ ok )? +(?:kernel|node)) +\S+$/gm, '$1 RELEASE'],
  [/\b\d+ MB$/gm, 'N MB'],
  [/\b\d+ s\b/g, 'N s'],
];

/**
 * Expects that the lines are what was printed; `...` is any number of lines. Blanks count as one, since the width of
 * a column follows from what varies.
 */
export function expectPrinted(shown: readonly string[], text: string, varying: Varying = []): void {
  const masked = (one: string): readonly string[] =>
    [...always, ...varying]
      .reduce((now, [what, by]) => now.replaceAll(what, by), one)
      .trimEnd()
      .split('\n')
      .map((line) => line.replaceAll(/\s+/g, ' ').trimEnd())
      .filter((line, _, { length }) => length > 1 || line !== '');
  const printed = masked(text);
  const parts = masked(shown.join('\n'))
    .join('\n')
    .split(/^ ?\.\.\.$\n?/m);
  let rest = printed;
  for (const [index, part] of parts.entries()) {
    const lines = part === '' ? [] : part.replace(/\n$/, '').split('\n');
    const isLast = index === parts.length - 1;
    const at = index === 0 ? 0 : isLast ? rest.length - lines.length : placeOf(lines, rest);
    const found = rest.slice(at, isLast && index === 0 ? undefined : at + lines.length);
    expect(found, `of what was printed:\n${text}`).toEqual(lines);
    rest = rest.slice(at + lines.length);
  }
}

/** Where these lines begin; where they are not, the place that has the first of them, to be shown. */
function placeOf(lines: readonly string[], printed: readonly string[]): number {
  const places = printed.flatMap((line, index) => (line === lines[0] ? [index] : []));
  const isAt = (place: number): boolean =>
    lines.every((line, index) => printed[place + index] === line);
  return places.find(isAt) ?? places[0] ?? 0;
}

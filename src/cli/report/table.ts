// Rows in columns that line up, for people: colour is put on after the widths are known.
import type { Paint } from './print-plan.ts';

/** A cell; `style` where it stands out. */
export type Cell = string | { readonly text: string; readonly style: Parameters<Paint>[0] };

/** The lines of a table; the head is bold, and numbers stand on the right. */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  paint: Paint,
): readonly string[] {
  const texts = [head, ...rows.map((row) => row.map(textOf))];
  const widths = head.map((_, column) =>
    Math.max(...texts.map((row) => (row[column] ?? '').length)),
  );
  const isNumber = head.map((_, column) =>
    rows.every((row) => /^(-|[\d,]*(\.\d+)?)$/.test(textOf(row[column] ?? ''))),
  );
  const pad = (text: string, column: number): string =>
    isNumber[column] === true
      ? text.padStart(widths[column] ?? 0)
      : text.padEnd(widths[column] ?? 0);
  const line = (cells: readonly Cell[]): string =>
    cells
      .map((cell, column) => {
        const text = pad(textOf(cell), column);
        return typeof cell === 'string' ? text : paint(cell.style, text);
      })
      .join('  ')
      .trimEnd();
  return [line(head.map((text) => ({ text, style: 'bold' }))), ...rows.map(line)];
}

function textOf(cell: Cell): string {
  return typeof cell === 'string' ? cell : cell.text;
}

const steps = [
  [86_400_000, 'd'],
  [3_600_000, 'h'],
  [60_000, 'min'],
  [1000, 's'],
] as const;

/** A time span as people say it: `3 s`, `5 min`, `2 h`, `12 d`. */
export function spanText(ms: number): string {
  const [size, unit] = steps.find(([least]) => ms >= least) ?? [1000, 's'];
  return `${Math.floor(Math.max(ms, 0) / size)} ${unit}`;
}

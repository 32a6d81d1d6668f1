// Rows in columns that line up, for people: colour is put on after the widths are known.
import type { Paint } from './print-plan.ts';
import type { Screen } from './screen.ts';
import { wrapBelow } from './wrap.ts';

/** A cell; `style` where it stands out. */
export type Cell = string | { readonly text: string; readonly style: Parameters<Paint>[0] };

/**
 * The lines of a table; the head is bold, and numbers stand on the right. Where it is too wide for the screen, its
 * last columns go, and what they say is in lines below each row.
 */
export function tableLines(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  { paint, columns }: Pick<Screen, 'paint' | 'columns'>,
): readonly string[] {
  const layout = layoutOf(head, rows, columns);
  const line = (cells: readonly Cell[]): string =>
    cells
      .slice(0, layout.shown)
      .map((cell, column) => paintedCell(cell, paint, (text) => padded(text, column, layout)))
      .join(layout.gap)
      .trimEnd();
  const indent = (layout.widths[0] ?? 0) + layout.gap.length;
  const below = (cells: readonly Cell[]): readonly string[] =>
    cells.slice(layout.shown).flatMap((cell, index) => {
      const name = (head[layout.shown + index] ?? '').toLowerCase();
      if (textOf(cell) === '') return [];
      const lines = wrapBelow(`${' '.repeat(indent)}${name}: ${textOf(cell)}`, columns);
      return lines.map((text) => paintedCell(cell, paint, () => text));
    });
  const titles = head.map((text) => ({ text, style: 'bold' as const }));
  return [line(titles), ...rows.flatMap((row) => [line(row), ...below(row)])];
}

type Layout = {
  readonly widths: readonly number[];
  readonly isNumber: readonly boolean[];
  readonly gap: string;
  /** How many columns fit. */
  readonly shown: number;
};

function layoutOf(
  head: readonly string[],
  rows: readonly (readonly Cell[])[],
  columns: number,
): Layout {
  const texts = [head, ...rows.map((row) => row.map(textOf))];
  const widths = head.map((_, column) =>
    Math.max(...texts.map((row) => (row[column] ?? '').length)),
  );
  const isNumber = head.map((_, column) =>
    rows.every((row) => /^(-|[\d,]*(\.\d+)?)$/.test(textOf(row[column] ?? ''))),
  );
  const width = (shown: number, gap: string): number =>
    widths.slice(0, shown).reduce((sum, one) => sum + one + gap.length, -gap.length);
  const gap = width(head.length, '  ') > columns && width(head.length, ' ') <= columns ? ' ' : '  ';
  const fitting = head.findLastIndex((_, column) => width(column + 1, gap) <= columns) + 1;
  return { widths, isNumber, gap, shown: Math.max(fitting, 1) };
}

function padded(text: string, column: number, { widths, isNumber }: Layout): string {
  const width = widths[column] ?? 0;
  return isNumber[column] === true ? text.padStart(width) : text.padEnd(width);
}

function paintedCell(cell: Cell, paint: Paint, shape: (text: string) => string): string {
  const text = shape(textOf(cell));
  return typeof cell === 'string' ? text : paint(cell.style, text);
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

// What the output of a command goes to, as far as it bears on how it is printed.
import { paintFor, type Paint } from './print-plan.ts';

/** Colours, and how much fits: both sizes are infinite where no person looks at a screen. */
export type Screen = {
  readonly paint: Paint;
  /** Characters in a line. */
  readonly columns: number;
  readonly lines: number;
};

/** The screen of a stream. What is read by a program, or kept in a file, is not cut into lines. */
export function screenOf(stream: NodeJS.WritableStream): Screen {
  const { columns, rows } = stream as { readonly columns?: number; readonly rows?: number };
  return { paint: paintFor(stream), columns: sizeOf(columns), lines: sizeOf(rows) };
}

// A terminal without a size says 0.
function sizeOf(size: number | undefined): number {
  return size !== undefined && size > 0 ? size : Number.POSITIVE_INFINITY;
}

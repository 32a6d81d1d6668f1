// The change from one whole Program to another.
import type { Assembly, Change } from '../backends/backend.ts';
import { changeOf } from '../backends/change-of.ts';
import type { Unit } from '../netfilter/program.ts';

/** The change from what `was` held, if anything, to what `is` holds. */
export function wholeChange<U extends Unit>(
  was: Assembly<U> | undefined,
  is: Assembly<U>,
): Change<U> {
  return changeOf(
    () => was?.whole() ?? new Map<string, U>(),
    () => is.whole(),
  );
}

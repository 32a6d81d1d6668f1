// The change from one whole Program to another.
import type { Assembly, Change } from '../backends/backend.ts';
import type { Unit } from '../netfilter/program.ts';

/** Put together when it is asked for: in a large cluster that takes long, and a pass that reads the kernel does not ask. */
export function wholeChange<U extends Unit>(
  was: Assembly<U> | undefined,
  is: Assembly<U>,
): Change<U> {
  return {
    get before() {
      return was?.whole() ?? new Map<string, U>();
    },
    get after() {
      return is.whole();
    },
  };
}

// A Change that is put together when it is asked for, and then once: a pass that reads the kernel does not
// ask, and in a large cluster that is a long list of everything.
import type { Program, Unit } from '../netfilter/program.ts';
import type { Change } from './backend.ts';

/** The Change whose sides these give; whatever changes before they are asked must not show in them. */
export function changeOf<U extends Unit>(
  before: () => Program<U>,
  after: () => Program<U>,
): Change<U> {
  const sides = { before: once(before), after: once(after) };
  return {
    get before() {
      return sides.before();
    },
    get after() {
      return sides.after();
    },
  };
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => {
    made ??= { value: make() };
    return made.value;
  };
}

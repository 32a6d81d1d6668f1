// Notes the lines of wanted values while a document is walked, however it is written: paths and lines as
// they are met in, the lines of the paths out. One walk does, however many paths are asked for.
import type { Path } from '../problem.ts';

/** A wanted step; `line` is set once the value that the path leads to has been met. */
export type Step = { readonly next: Map<string | number, Step>; line: number | undefined };

/** The steps of all paths from the root on. */
export function wantedSteps(paths: readonly Path[]): Step {
  const root = newStep();
  for (const path of paths) {
    let step = root;
    for (const key of path) {
      let next = step.next.get(key);
      if (next === undefined) step.next.set(key, (next = newStep()));
      step = next;
    }
  }
  return root;
}

/** The line of the deepest value on the path that is the value itself, a list entry or the root. */
export function lineOf(root: Step, path: Path): number {
  let line = root.line ?? 1;
  let step: Step | undefined = root;
  for (const [index, key] of path.entries()) {
    step = step.next.get(key);
    if (step?.line === undefined) break;
    if (typeof key === 'number' || index === path.length - 1) line = step.line;
  }
  return line;
}

function newStep(): Step {
  return { next: new Map(), line: undefined };
}

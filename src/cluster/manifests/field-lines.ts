// Finds the lines of fields in a YAML document: the paths of values in, 1-based lines out. One walk does,
// however many paths are asked for.
import type { Path } from '../problem.ts';
import { rootLine, walkDocument, type YamlDocument } from '../yaml/walk-document.ts';

/** A step of wanted paths; `line` is set once the value that the steps lead to was found. */
type Step = { readonly next: Map<string | number, Step>; line: number | undefined };

/** For each path the line of its value, else of the nearest list entry around it, else of the root. */
export function fieldLines(document: YamlDocument, paths: readonly Path[]): readonly number[] {
  // Of most documents only the line of the object is asked for.
  if (paths.every(({ length }) => length === 0)) return paths.map(() => rootLine(document));
  const root = wantedSteps(paths);
  walkDocument<Step | undefined>(document, (around, { key, line }) => {
    const step = key === undefined ? root : around?.next.get(key);
    if (step !== undefined) step.line ??= line;
    return step;
  });
  return paths.map((path) => lineOf(root, path));
}

function wantedSteps(paths: readonly Path[]): Step {
  const root: Step = { next: new Map(), line: undefined };
  for (const path of paths) {
    let step = root;
    for (const key of path) {
      let next = step.next.get(key);
      if (next === undefined) step.next.set(key, (next = { next: new Map(), line: undefined }));
      step = next;
    }
  }
  return root;
}

function lineOf(root: Step, path: Path): number {
  let line = root.line ?? 1;
  let step: Step | undefined = root;
  for (const [index, key] of path.entries()) {
    step = step.next.get(key);
    if (step?.line === undefined) break;
    if (typeof key === 'number' || index === path.length - 1) line = step.line;
  }
  return line;
}

// Finds lines in a YAML document: the paths of values in, 1-based lines out.
import type { Path } from '../problem.ts';
import { lineAt, lineCounter } from '../yaml/line-at.ts';
import { rootPlace, walkDocument, type YamlSource } from '../yaml/walk.ts';
import { lineOf, wantedSteps, type Step } from './wanted-lines.ts';

/** For each path the line of its value, else of the nearest list entry around it, else of the root. */
export function linesInYaml(source: YamlSource, paths: readonly Path[]): readonly number[] {
  // Of most documents only the line of the object is asked for.
  if (paths.every(({ length }) => length === 0)) {
    return paths.map(() => lineAt(source.text, rootPlace(source)));
  }
  const root = wantedSteps(paths);
  const lineAtOffset = lineCounter(source.text);
  const open: (Step | undefined)[] = [];
  walkDocument(source, {
    enter(key, { at }) {
      const step = key === undefined ? root : open.at(-1)?.next.get(key);
      // Of a key that stands twice, which is an error, the first has the line.
      if (step !== undefined) step.line ??= lineAtOffset(at);
      open.push(step);
    },
    leave() {
      open.pop();
    },
  });
  return paths.map((path) => lineOf(root, path));
}

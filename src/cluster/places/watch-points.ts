// Where to look for changes of a path: a path in, folders and the names that matter in them out. Every
// step of the path counts, links included, so that a replaced file, a folder swapped by its link (as
// ConfigMap volumes do with `..data`) and a folder made anew are all seen.
import { readlink } from 'node:fs/promises';
import { basename, dirname, join, parse, resolve, sep } from 'node:path';

/** A folder to watch; `names` is undefined where every name in it matters. */
export type WatchPoint = {
  readonly folder: string;
  readonly names: ReadonlySet<string> | undefined;
};

// As many as the kernel follows before it says ELOOP.
const maxLinks = 40;

/** The points that show any change of `path` and, where it is a folder, of the `files` in it. */
export async function watchPoints(
  path: string,
  files: readonly string[],
): Promise<readonly WatchPoint[]> {
  const points = new Map<string, Set<string> | undefined>();
  const isFolder = !files.includes(path);
  for (const place of isFolder ? [path, ...files] : files) {
    for (const step of await stepsOf(place)) {
      const names = points.get(dirname(step)) ?? new Set();
      points.set(dirname(step), names.add(basename(step)));
    }
  }
  if (isFolder) points.set(resolve(path), undefined);
  return [...points].map(([folder, names]) => ({ folder, names }));
}

/** Every path that is looked up on the way to `path`, following links. */
async function stepsOf(path: string): Promise<readonly string[]> {
  const steps: string[] = [];
  let todo = namesOf(path);
  let at = parse(resolve(path)).root;
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    const step = join(at, name);
    steps.push(step);
    const target = await readlink(step).catch(() => undefined);
    if (target === undefined) at = step;
    else if (++links > maxLinks) break;
    else {
      todo = [...namesOf(resolve(at, target)), ...todo];
      at = parse(at).root;
    }
  }
  return steps;
}

function namesOf(path: string): string[] {
  return resolve(path)
    .split(sep)
    .filter((name) => name !== '');
}

// Guesses what someone meant to type: a misspelt word and the words there are in, the nearest one out.

/** The name that needs the fewest edits to become `typed`, unless all are far from it. */
export function nearestName(typed: string, names: readonly string[]): string | undefined {
  // A letter or two resemble everything; a word much longer than any name would only cost time.
  if (typed.length < 3) return undefined;
  if (typed.length > 2 * Math.max(0, ...names.map((name) => name.length))) return undefined;
  const ranked = names
    .map((name) => ({ name, edits: isStart(typed, name) ? 1 : editsBetween(typed, name) }))
    .toSorted((one, other) => one.edits - other.edits);
  const [best] = ranked;
  const allowed = Math.max(1, Math.floor(typed.length / 3));
  return best !== undefined && best.edits <= allowed ? best.name : undefined;
}

function isStart(typed: string, name: string): boolean {
  return typed.length >= 4 && name.startsWith(typed);
}

/** Levenshtein's distance, row by row. */
function editsBetween(one: string, other: string): number {
  let row = Array.from({ length: other.length + 1 }, (_, index) => index);
  for (let index = 0; index < one.length; index++) {
    const next = [index + 1];
    for (let column = 0; column < other.length; column++) {
      const replaced = (row[column] ?? 0) + (one[index] === other[column] ? 0 : 1);
      next.push(Math.min(replaced, (row[column + 1] ?? 0) + 1, (next[column] ?? 0) + 1));
    }
    row = next;
  }
  return row.at(-1) ?? 0;
}

// Keeps what was good: a file as it was read before and now in, the reading to go by out. A slip of the
// pen in a manifest must not take down a Service that works. Pure.
import { readKinds } from '../decode/object.ts';
import type { Entry, FileReading } from './entries.ts';

/**
 * The reading `now`: a file that cannot be used, or that holds nothing any more, has the entries of before, and a
 * bad object has its last good version. Objects that are gone stay gone, unless nobody can tell which object a bad
 * one is. `before` is the last result of this function, so that what is kept outlives more than one bad version.
 */
export function withLastGood(before: FileReading | undefined, now: FileReading): FileReading {
  const kept = before?.entries ?? [];
  const isEmptied = now.entries.length === 0 && kept.some(({ object }) => object !== undefined);
  const failure = now.failure ?? (isEmptied ? { line: 1, message: emptied } : undefined);
  return failure === undefined
    ? { ...now, entries: entriesWithLastGood(kept, now.entries) }
    : { ...now, failure, entries: kept.map((entry) => ({ ...entry, problems: [] })) };
}

/** What is said of a file, or of a path, with no object that is read. */
export const nothingRead = `holds no ${readKinds.join(', ')}`;

// Half of a change looks the same: whoever means it removes the file.
const emptied = `${nothingRead} any more; what it held before is kept`;

/** Whether all of the file can be used. */
export function isGood({ failure, entries }: FileReading): boolean {
  return failure === undefined && !entries.some(isBad);
}

function entriesWithLastGood(before: readonly Entry[], now: readonly Entry[]): readonly Entry[] {
  if (!now.some(isBad)) return now;
  const good = new Map<string | undefined, Entry>();
  for (const entry of before) {
    if (entry.object !== undefined && !good.has(entry.key)) good.set(entry.key, entry);
  }
  const keys = new Set(now.map(({ key }) => key));
  const missing = keys.has(undefined) ? [...good.values()].filter(({ key }) => !keys.has(key)) : [];
  return [
    ...now.map((entry) =>
      isBad(entry) && entry.key !== undefined
        ? { ...entry, object: good.get(entry.key)?.object }
        : entry,
    ),
    ...missing.map((entry) => ({ ...entry, problems: [] })),
  ];
}

/** An entry without an object but with problems; one without both is ignored on purpose. */
function isBad(entry: Entry): boolean {
  return entry.object === undefined && entry.problems.length > 0;
}

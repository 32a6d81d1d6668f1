// Keeps what was good: the readings before and now in, the readings to go by out. A slip of the pen in a
// manifest must not take down a Service that works. Pure.
import type { Entry, FileReading } from './entries.ts';

/**
 * The readings `next`, where a file that cannot be used has the entries of before, and a bad object has
 * its last good version. Objects and files that are gone stay gone. `previous` is the last result of
 * this function, so that what is kept outlives more than one bad version.
 */
export function mergeLastGood(
  previous: readonly FileReading[],
  next: readonly FileReading[],
): readonly FileReading[] {
  const before = new Map(previous.map((reading) => [reading.file, reading.entries]));
  return next.map((reading) => {
    const entries = before.get(reading.file) ?? [];
    return reading.failure === undefined
      ? { ...reading, entries: withLastGood(reading.entries, entries) }
      : { ...reading, entries: entries.map((entry) => ({ ...entry, problems: [] })) };
  });
}

function withLastGood(entries: readonly Entry[], before: readonly Entry[]): readonly Entry[] {
  if (!entries.some(isBad)) return entries;
  const good = new Map<string | undefined, Entry>();
  for (const entry of before) {
    if (entry.object !== undefined && !good.has(entry.key)) good.set(entry.key, entry);
  }
  return entries.map((entry) =>
    isBad(entry) ? { ...entry, object: good.get(entry.key)?.object } : entry,
  );
}

/** An entry without an object but with problems; one without both is ignored on purpose. */
function isBad(entry: Entry): boolean {
  return entry.object === undefined && entry.problems.length > 0;
}

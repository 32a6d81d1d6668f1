// Keeps what was good: a file as it was read before and now in, the reading to go by out. A slip of the
// pen in a manifest must not take down a Service that works. Pure.
import type { Entry, FileReading } from './entries.ts';

/**
 * The reading `now`: a file that cannot be used has the entries of before, and a bad object has its last
 * good version. Objects that are gone stay gone. `before` is the last result of this function, so that
 * what is kept outlives more than one bad version.
 */
export function withLastGood(before: FileReading | undefined, now: FileReading): FileReading {
  const kept = before?.entries ?? [];
  return now.failure === undefined
    ? { ...now, entries: entriesWithLastGood(kept, now.entries) }
    : { ...now, entries: kept.map((entry) => ({ ...entry, problems: [] })) };
}

function entriesWithLastGood(before: readonly Entry[], now: readonly Entry[]): readonly Entry[] {
  if (!now.some(isBad)) return now;
  const good = new Map<string | undefined, Entry>();
  for (const entry of before) {
    if (entry.object !== undefined && !good.has(entry.key)) good.set(entry.key, entry);
  }
  return now.map((entry) =>
    isBad(entry) ? { ...entry, object: good.get(entry.key)?.object } : entry,
  );
}

/** An entry without an object but with problems; one without both is ignored on purpose. */
function isBad(entry: Entry): boolean {
  return entry.object === undefined && entry.problems.length > 0;
}

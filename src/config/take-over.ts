// Which changes of a configuration count at once: the values in force and those of the new file in, the
// values to go on with and what changed out. What waits for the next start keeps its old value. Pure.
import type { FieldRow, Value } from './field.ts';
import { fields, type FieldPath, type FieldValues } from './fields.ts';

/** What a new file changes. */
export type TakeOver = {
  /** What is in force from now on. */
  readonly values: FieldValues;
  /** The fields that changed. */
  readonly live: readonly FieldPath[];
  /** The fields whose change waits for the next start. */
  readonly later: readonly FieldPath[];
};

/** Takes over what can be taken over live. */
export function takeOver(running: FieldValues, next: FieldValues): TakeOver {
  const values: Record<string, Value> = { ...running };
  const [live, later]: [FieldPath[], FieldPath[]] = [[], []];
  // The sections of the modes were written for the mode of their own file.
  const isSameMode = running.mode === next.mode;
  for (const row of fields) {
    const { path } = row;
    if (JSON.stringify(running[path]) === JSON.stringify(next[path])) continue;
    if ('isLive' in row && (isSameMode || !/^(ip|nf)tables\./.test(path))) {
      values[path] = next[path];
      live.push(path);
    } else if (!hasNoEffect(row)) later.push(path);
  }
  // Each value is one that its field had.
  return { values: values as FieldValues, live, later };
}

/** What is never obeyed waits for nothing: that was said where the file was read. */
function hasNoEffect({ effect }: FieldRow): boolean {
  return effect === 'accepted';
}

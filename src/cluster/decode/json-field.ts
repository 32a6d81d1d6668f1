// Reads fields of untrusted JSON: a place in a document in, a value of the wanted type or undefined
// out. Wrong types are reported at their path; nothing here throws.
import { fieldName, quoted, type Path, type Problem } from '../problem.ts';

/** A place in a document, with the list that takes its problems. */
export type Field = {
  /** Undefined for the root of the document. */
  readonly at: Step | undefined;
  /** Undefined where the field is absent or null: the API server treats both alike. */
  readonly value: unknown;
  readonly problems: Problem[];
};

/** A step down from a place: places share the way to them, and few are ever named. */
export type Step = { readonly from: Step | undefined; readonly key: string | number };

/** The way to a field. */
export function pathOf({ at }: Field): Path {
  const path: (string | number)[] = [];
  for (let step = at; step !== undefined; step = step.from) path.push(step.key);
  return path.reverse();
}

/** The root of a document; anything but an object is reported and read as an empty one. */
export function rootField(value: unknown, problems: Problem[]): Field {
  return asObject({ at: undefined, value: value ?? undefined, problems });
}

/** Notes that something is wrong with the field. */
export function report(field: Field, message: string): void {
  const path = pathOf(field);
  field.problems.push({ field: fieldName(path), path, message });
}

/** A field of an object; only its own properties count. */
export function child(parent: Field, key: string): Field {
  const { value, at: from, problems } = parent;
  const own = isObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
  return { at: { from, key }, value: own ?? undefined, problems };
}

/** A field that holds an object; absent or wrong, it reads as an empty one, so wrong is said once. */
export function section(parent: Field, key: string): Field {
  return asObject(child(parent, key));
}

/** The entries of a list; none where it is absent or no list. */
export function entries(list: Field): readonly Field[] {
  const { value, at: from, problems } = list;
  if (value === undefined) return [];
  if (!Array.isArray(value)) {
    report(list, `${described(value)} is not a list`);
    return [];
  }
  return value.map((entry: unknown, key) => ({
    at: { from, key },
    value: entry ?? undefined,
    problems,
  }));
}

/** The entries of a list of objects; entries of another type are reported and left out. */
export function objectEntries(list: Field): readonly Field[] {
  return entries(list).filter((entry) => {
    if (isObject(entry.value)) return true;
    report(entry, `${described(entry.value)} is not an object`);
    return false;
  });
}

/** The text in a field, or undefined where it is absent or no text. */
export function readText(field: Field): string | undefined {
  const { value } = field;
  if (value === undefined || typeof value === 'string') return value;
  report(field, `${described(value)} is not a string`);
  return undefined;
}

/** The truth value in a field, or undefined where it is absent or none. */
export function readBoolean(field: Field): boolean | undefined {
  const { value } = field;
  if (value === undefined || typeof value === 'boolean') return value;
  report(field, `${described(value)} is not true or false`);
  return undefined;
}

/** One of a few texts, or undefined where the field is absent or holds something else. */
export function readChoice<T extends string>(field: Field, choices: readonly T[]): T | undefined {
  const text = readText(field);
  if (text === undefined) return undefined;
  const choice = choices.find((candidate) => candidate === text);
  if (choice === undefined) report(field, `${quoted(text)} is not one of ${choices.join(', ')}`);
  return choice;
}

/** A value as a message shows it: short, and safe to print. */
export function described(value: unknown): string {
  if (typeof value === 'string') return quoted(value);
  if (Array.isArray(value)) return 'a list';
  if (isObject(value)) return 'an object';
  return value === undefined ? 'null' : JSON.stringify(value);
}

function asObject(field: Field): Field {
  if (isObject(field.value)) return field;
  if (field.value !== undefined) report(field, `${described(field.value)} is not an object`);
  return { ...field, value: {} };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

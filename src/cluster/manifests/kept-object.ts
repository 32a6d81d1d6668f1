// Makes an object fit to be kept for long: a decoded object in, the same in less memory out. Thousands
// of objects say the same words and have the same empty lists.
import type { ClusterObject } from '../../model/kubernetes.ts';

/** Texts that were met before, by themselves. */
export type Words = Map<string, string>;

const none: readonly never[] = Object.freeze([]);

/** The object with nothing of the file's text behind it, made of `words` where it says the same. */
export function keptObject(object: ClusterObject, words: Words): ClusterObject {
  return kept(object, words) as ClusterObject;
}

function kept(value: unknown, words: Words): unknown {
  if (typeof value === 'string') return word(value, words);
  if (typeof value !== 'object' || value === null) return value;
  // Lists that were made one entry at a time have room for more.
  if (Array.isArray(value)) return value.length === 0 ? none : value.map((one) => kept(one, words));
  if (Object.isFrozen(value)) return value;
  // Nobody else has seen it, or only as it is kept; a new one would have to be built field by field.
  const fields = value as Record<string, unknown>;
  for (const key in fields) {
    const field = fields[key];
    if (typeof field === 'string' || typeof field === 'object') fields[key] = kept(field, words);
  }
  return value;
}

// V8 makes a part of a text a view into the whole, which then stays in memory for as long; but not of a
// short one.
const longestCopy = 12;

function word(text: string, words: Words): string {
  if (startsWithDigit(text)) return ownCopy(text);
  const known = words.get(text);
  if (known !== undefined) return known;
  const own = ownCopy(text);
  words.set(own, own);
  return own;
}

// Addresses are most of what there is, and hardly two are the same.
function startsWithDigit(text: string): boolean {
  const first = text.charCodeAt(0);
  return first >= 0x30 && first <= 0x39;
}

function ownCopy(text: string): string {
  return text.length <= longestCopy ? text : Buffer.from(text).toString();
}

// Takes the objects out of a document: a plain value in, the object itself or the items of a List out,
// each with its path in the document.
import type { Path } from '../problem.ts';

/** An object of a document, still untrusted. */
export type ListedObject = { readonly path: Path; readonly value: unknown };

type Loose = Readonly<Record<string, unknown>>;

/**
 * The objects in a document: none in an empty one, many in a List, which may itself hold Lists. What an
 * alias repeats is listed once: Lists of Lists would otherwise grow without end, or hold themselves.
 */
export function listedObjects(value: unknown): readonly ListedObject[] {
  const found: ListedObject[] = [];
  const seen = new Set<unknown>([value]);
  // A stack instead of recursion: Lists in Lists may be nested as deep as an attacker likes.
  const waiting: ListedObject[] =
    value === null || value === undefined ? [] : [{ path: [], value }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const list = listIn(next.value);
    if (list === undefined) found.push(next);
    else {
      const items: ListedObject[] = [];
      for (const [index, item] of list.items.entries()) {
        if (isObject(item) && seen.has(item)) continue;
        seen.add(item);
        const completed = isObject(item) ? { ...list.inherited, ...item } : item;
        items.push({ path: [...next.path, 'items', index], value: completed });
      }
      for (const item of items.toReversed()) waiting.push(item);
    }
  }
  return found;
}

/** True for a List, be it of one kind or of any. */
export function isList(value: unknown): value is object {
  return listIn(value) !== undefined;
}

/** The items of a List, and the kind and apiVersion that it gives those that say nothing else. */
function listIn(
  value: unknown,
): { readonly items: readonly unknown[]; readonly inherited: Loose } | undefined {
  if (!isObject(value)) return undefined;
  const { kind, apiVersion, items } = value;
  if (typeof kind !== 'string' || !kind.endsWith('List') || !Array.isArray(items)) return undefined;
  const itemKind = kind.slice(0, -'List'.length);
  return { items, inherited: itemKind === '' ? {} : { kind: itemKind, apiVersion } };
}

/** True for what has fields. */
function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

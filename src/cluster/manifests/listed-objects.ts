// Takes the objects out of a document: a plain value in, the object itself or the items of a List out,
// each with its path in the document.
import type { Path } from '../problem.ts';

/** An object of a document, still untrusted. */
export type ListedObject = { readonly path: Path; readonly value: unknown };

/** An object of which nothing is known. */
export type Loose = Readonly<Record<string, unknown>>;

/** The objects in a document: none in an empty one, many in a List, which may itself hold Lists. */
export function listedObjects(value: unknown): readonly ListedObject[] {
  const found: ListedObject[] = [];
  // A stack instead of recursion: Lists in Lists may be nested as deep as an attacker likes.
  const waiting: ListedObject[] =
    value === null || value === undefined ? [] : [{ path: [], value }];
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const items = itemsOf(next.value);
    if (items === undefined) found.push(next);
    else {
      for (const [index, item] of [...items.entries()].toReversed()) {
        waiting.push({ path: [...next.path, 'items', index], value: item });
      }
    }
  }
  return found;
}

/** The items of a List, completed with the kind and apiVersion that the List says they have. */
function itemsOf(value: unknown): readonly unknown[] | undefined {
  if (!isObject(value)) return undefined;
  const inherited = inheritedFrom(value);
  const { items } = value;
  if (inherited === undefined || !Array.isArray(items)) return undefined;
  return items.map((item: unknown) => withInherited(item, inherited));
}

/** What the items of a List have where they say nothing else, or undefined where it is no List. */
export function inheritedFrom({ kind, apiVersion }: Loose): Loose | undefined {
  if (typeof kind !== 'string' || !kind.endsWith('List')) return undefined;
  const itemKind = kind.slice(0, -'List'.length);
  return itemKind === '' ? {} : { kind: itemKind, apiVersion };
}

/** An item of a List, completed. */
export function withInherited(item: unknown, inherited: Loose): unknown {
  return isObject(item) ? { ...inherited, ...item } : item;
}

/** True for what has fields. */
export function isObject(value: unknown): value is Loose {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

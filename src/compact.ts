// Lists that are kept for as long as a Service is. Pure.

const none: readonly never[] = [];

/**
 * The same list without room to grow: one that was put together piece by piece (filter, flatMap, push, a spread Set)
 * has room for 16 more, which is most of it where there are very many short ones.
 */
export function compact<T>(list: readonly T[]): readonly T[] {
  return list.length === 0 ? none : list.slice();
}

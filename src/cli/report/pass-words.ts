// A pass of the flight record in a few words: who asked for it, what changed, what came of it.
import { printable } from '../../cluster/problem.ts';
import type { FamilyRecord, Named, PassRecord } from '../../model/pass-record.ts';
import { counted } from './change-words.ts';

const askerWords = {
  cluster: 'cluster',
  host: 'host',
  configuration: 'configuration',
  retry: 'try again',
  drift: 'drift',
} as const;

/** Who asked: `cluster, try again`. */
export function askedWords({ asked }: PassRecord): string {
  return asked.map((asker) => askerWords[asker] ?? printable(String(asker))).join(', ');
}

/** What changed: `EndpointSlice web/shop-1, 3 Services`; `no object` where nothing did. */
export function changesWords({ changes }: PassRecord): string {
  if (changes.length === 0) return 'no object';
  return changes
    .map(({ kind, count, first: [only = ''] }) =>
      count === 1 ? `${kind} ${printable(only)}` : counted(count, printable(kind)),
    )
    .join(', ');
}

/** Steps of a plan: `+3 ~1 -2`, or `nothing`. */
export function planWords({ create, replace, delete: gone }: FamilyRecord['plan']): string {
  const parts = [
    ...(create === 0 ? [] : [`+${create}`]),
    ...(replace === 0 ? [] : [`~${replace}`]),
    ...(gone === 0 ? [] : [`-${gone}`]),
  ];
  return parts.length === 0 ? 'nothing' : parts.join(' ');
}

const mostNamed = 2;

/** The first of them, and how many more: `web/shop, web/cart and 3 more`. */
export function namedWords({ count, first }: Named): string {
  const names = first.slice(0, mostNamed).map(printable);
  const more = count - names.length;
  return `${names.join(', ')}${more > 0 ? ` and ${more} more` : ''}`;
}

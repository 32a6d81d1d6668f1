// How what one Service address did differs from what it is to do. Pure.
import type { Served } from '../netfilter/served.ts';

/** How two states of the same addresses of a Service port differ. */
export type Fact =
  | { readonly kind: 'address'; readonly op: 'added' | 'removed'; readonly endpoints: number }
  /** Who answers; `scope` outside: those who come from outside, where they are sent elsewhere. */
  | {
      readonly kind: 'endpoints';
      readonly scope: 'all' | 'outside';
      readonly added: readonly string[];
      readonly removed: readonly string[];
      readonly before: number;
      readonly after: number;
    }
  /** Connections are handled differently: `before` and `after` say how. */
  | { readonly kind: 'fate'; readonly before: Served['fate']; readonly after: Served['fate'] }
  | { readonly kind: 'affinity'; readonly before: number; readonly after: number }
  | {
      readonly kind: 'sources';
      readonly before: readonly string[] | undefined;
      readonly after: readonly string[] | undefined;
    }
  | { readonly kind: 'masquerade' }
  | { readonly kind: 'name'; readonly before: string };

/** The facts, the most telling first; none where nothing differs for clients. */
export function addressFacts(was: Served | undefined, is: Served | undefined): readonly Fact[] {
  if (is === undefined || was === undefined) {
    const { endpoints } = (is ?? was) as Served;
    const op = was === undefined ? 'added' : 'removed';
    return [{ kind: 'address', op, endpoints: endpoints.length }];
  }
  const lostFate = was.fate !== is.fate;
  return [
    ...(was.portName === is.portName ? [] : [{ kind: 'name', before: was.portName } as const]),
    ...endpointsFact('all', was.endpoints, is.endpoints),
    ...endpointsFact('outside', was.outside ?? was.endpoints, is.outside ?? is.endpoints).filter(
      () => was.outside !== undefined || is.outside !== undefined,
    ),
    ...(lostFate ? [{ kind: 'fate', before: was.fate, after: is.fate } as const] : []),
    ...(lostFate ? [] : termsFacts(was, is)),
  ];
}

function endpointsFact(
  scope: 'all' | 'outside',
  was: readonly string[],
  is: readonly string[],
): readonly Fact[] {
  const [before, after] = [new Set(was), new Set(is)];
  const added = is.filter((endpoint) => !before.has(endpoint));
  const removed = was.filter((endpoint) => !after.has(endpoint));
  if (added.length === 0 && removed.length === 0) return [];
  return [{ kind: 'endpoints', scope, added, removed, before: was.length, after: is.length }];
}

// An address where nothing answers has no terms.
function termsFacts(was: Served, is: Served): readonly Fact[] {
  const [before, after] = [was.affinitySeconds, is.affinitySeconds];
  return [
    ...(before === after ? [] : [{ kind: 'affinity', before, after } as const]),
    ...(isSame(was.allowFrom, is.allowFrom)
      ? []
      : [{ kind: 'sources', before: was.allowFrom, after: is.allowFrom } as const]),
    ...(isSame(was.masquerade, is.masquerade) ? [] : [{ kind: 'masquerade' } as const]),
  ];
}

function isSame(was: readonly string[] | undefined, is: readonly string[] | undefined): boolean {
  return JSON.stringify(was) === JSON.stringify(is);
}

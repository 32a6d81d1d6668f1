// The first part of a WatchList: events in, a list out. They come in no order of versions, so none of
// them counts before the bookmark that ends them. Pure.
import { ApiError } from '../../../errors.ts';
import { endingOf, type Ending } from './pace.ts';
import type { WatchEvent } from './watch-event.ts';

/** What some of the first events led to. */
export type Initial =
  | { readonly kind: 'more' }
  /** The list is complete at `version`; `rest` is what happened since. */
  | { readonly kind: 'complete'; readonly version: string; readonly rest: readonly WatchEvent[] }
  | { readonly kind: 'ended'; readonly ending: Ending };

/** Takes in some of the first events; `add` gets the objects. */
export function takeInitial(
  events: readonly WatchEvent[],
  add: (object: unknown) => void,
): Initial {
  for (const [index, event] of events.entries()) {
    if (event.kind === 'bookmark') {
      if (!event.endsInitial) continue;
      return { kind: 'complete', version: event.version, rest: events.slice(index + 1) };
    }
    const ending = endingOf(event);
    if (ending !== undefined) {
      return { kind: 'ended', ending: event.kind === 'unreadable' ? noWatchList(ending) : ending };
    }
    if (event.kind !== 'set') return { kind: 'ended', ending: noWatchList() };
    add(event.object);
  }
  return { kind: 'more' };
}

/** What says that a server does not know how to list by a watch, or will not. */
const refusals: readonly (number | undefined)[] = [400, 405, 415, 422];

/** The ending of a WatchList whose first part failed, where another try would end no better. */
export function initialEnding(ending: Ending, wasWatching: boolean): Ending {
  if (ending.kind === 'closed') return noWatchList();
  if (ending.kind !== 'failed') return ending;
  const { error } = ending;
  const isHopeless = wasWatching ? error.isTimeout : refusals.includes(error.status);
  return isHopeless ? noWatchList(ending) : ending;
}

function noWatchList(ending?: Ending): Ending {
  const error =
    ending !== undefined && 'error' in ending
      ? ending.error
      : new ApiError('the first events came without their end');
  return { kind: 'no-watch-list', error };
}

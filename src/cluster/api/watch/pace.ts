// When to try again: how an attempt ended in, how long to wait and whether to list anew out. Pure.
import { ApiError } from '../../../errors.ts';
import type { Timing } from '../timing.ts';
import type { WatchEvent } from './watch-event.ts';

/** How an attempt to list or watch ended. */
export type Ending =
  /** A list is in; the watch follows. */
  | { readonly kind: 'listed' }
  /** The server closed a watch. */
  | { readonly kind: 'closed' }
  /** A watch said nothing for so long that another one has to go on in its place. */
  | { readonly kind: 'quiet' }
  /** The server no longer knows what happened since our version (410). */
  | { readonly kind: 'expired'; readonly error: ApiError }
  /** The server cannot list by a watch. */
  | { readonly kind: 'no-watch-list'; readonly error: ApiError }
  /** The server does not have this API, or does not let us have it. */
  | { readonly kind: 'absent'; readonly error: ApiError }
  | { readonly kind: 'failed'; readonly error: ApiError };

/** How an attempt went. */
export type Attempt = {
  readonly ending: Ending;
  readonly livedMs: number;
  /** The server had begun to answer a watch. */
  readonly wasWatching: boolean;
  /** An event or a bookmark came, after what was there at first. */
  readonly hadEvents: boolean;
};

/** What failures led to. */
export type Pace = {
  /** Attempts in a row that came to nothing. */
  readonly failures: number;
  /** Watches in a row that ended at once without an event. */
  readonly barren: number;
  /** Whether the last attempt that came to nothing met an expired version. */
  readonly wasExpired: boolean;
};

export const freshPace: Pace = { failures: 0, barren: 0, wasExpired: false };

/** What to do next. */
export type Next = { readonly pace: Pace; readonly relist: boolean; readonly delayMs: number };

// Some servers close a watch whose version is too old without a word.
const mostBarren = 5;

/** What follows the attempt; `random` is from 0 to 1. */
export function nextAfter(
  before: Pace,
  attempt: Attempt,
  at: { timing: Timing; random: number },
): Next {
  const { ending, livedMs, wasWatching, hadEvents } = attempt;
  const { timing } = at;
  const isGood = hadEvents || (wasWatching && livedMs >= timing.goodWatchMs);
  const barren = isGood ? 0 : before.barren + (wasWatching ? 1 : 0);
  const failures = isGood ? 0 : before.failures;
  const pace = { failures, barren, wasExpired: !isGood && before.wasExpired };
  const backoff = backoffMs(failures, at);
  const failed = {
    failures: failures + 1,
    barren: barren >= mostBarren ? 0 : barren,
    wasExpired: false,
  };
  const relist = barren >= mostBarren;
  switch (ending.kind) {
    case 'listed':
    case 'no-watch-list':
      return { pace: before, relist: false, delayMs: 0 };
    case 'quiet':
      return { pace: freshPace, relist: false, delayMs: 0 };
    case 'absent':
      return { pace: freshPace, relist: true, delayMs: timing.absentMs * (1 + at.random) };
    case 'closed':
      if (!isGood) return { pace: failed, relist, delayMs: backoff };
      return { pace, relist: false, delayMs: livedMs <= timing.shortWatchMs ? backoff : 0 };
    case 'expired':
      // At once, whatever failed before, but not again and again.
      return {
        pace: { ...failed, wasExpired: true },
        relist: true,
        delayMs: pace.wasExpired ? backoff : 0,
      };
    case 'failed': {
      const { isUnanswered, retryAfterMs } = ending.error;
      const most = isUnanswered ? backoffMs(failures, at, timing.unansweredMs) : backoff;
      return { pace: failed, relist, delayMs: Math.max(most, retryAfterMs) };
    }
  }
}

/** Whether the wait after the attempt is over when the server answers others: it did not ask for time itself. */
export function endsWithOutage({ ending }: Attempt): boolean {
  return ending.kind === 'failed' && ending.error.retryAfterMs === 0;
}

// Full jitter between the bounds: nodes that lost their server together must not come back together.
function backoffMs(
  failures: number,
  { timing, random }: { timing: Timing; random: number },
  longest = timing.backoffMs.max,
): number {
  const { min } = timing.backoffMs;
  const most = Math.min(Math.max(longest, min), min * 2 ** Math.min(failures + 1, 30));
  return min + random * (most - min);
}

/** The ending that an event of a watch is, if it is one. */
export function endingOf(event: WatchEvent): Ending | undefined {
  if (event.kind === 'unreadable') return { kind: 'failed', error: new ApiError(event.why) };
  if (event.kind !== 'error') return undefined;
  const error = new ApiError(`${event.code} ${event.message}`, { status: event.code });
  return { kind: event.code === 410 ? 'expired' : 'failed', error };
}

/** The ending that a failed request is. */
export function failedEnding(error: ApiError, mayBeAbsent: boolean): Ending {
  if (error.status === 410) return { kind: 'expired', error };
  const isAbsent = mayBeAbsent && (error.status === 403 || error.status === 404);
  return { kind: isAbsent ? 'absent' : 'failed', error };
}

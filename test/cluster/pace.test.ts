// When to try again, for every way in which an attempt can end.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ApiError } from '../../src/errors.ts';
import {
  failedEnding,
  freshPace,
  nextAfter,
  type Attempt,
  type Ending,
  type Pace,
} from '../../src/cluster/api/watch/pace.ts';
import { defaultTiming as timing } from '../../src/cluster/api/timing.ts';

const error = new ApiError('no');
const failed: Ending = { kind: 'failed', error };
const closed: Ending = { kind: 'closed' };
const expired: Ending = { kind: 'expired', error };
const pace = (failures: number, barren = 0): Pace => ({ failures, barren, wasExpired: false });
const afterExpiry = (failures: number, barren = 0): Pace => ({
  failures,
  barren,
  wasExpired: true,
});
const unanswered: Ending = { kind: 'failed', error: new ApiError('', { isUnanswered: true }) };

/** An attempt that came to nothing, unless told otherwise. */
function attempt(ending: Ending, more: Partial<Attempt> = {}): Attempt {
  return { ending, livedMs: 0, wasWatching: false, hadEvents: false, ...more };
}

const watch = { wasWatching: true };
const minute = { wasWatching: true, livedMs: 60_000 };
const events = { wasWatching: true, hadEvents: true };

test.each<[string, Pace, Attempt, Pace, boolean, number]>([
  ['a list is in', pace(3), attempt({ kind: 'listed' }), pace(3), false, 0],
  ['no WatchList', pace(3), attempt({ kind: 'no-watch-list', error }), pace(3), false, 0],
  ['absent', pace(3), attempt({ kind: 'absent', error }), freshPace, true, 90_000],
  ['a first failure', freshPace, attempt(failed), pace(1), false, 1200],
  ['a second failure', pace(1), attempt(failed), pace(2), false, 2000],
  ['a failure after events', pace(9), attempt(failed, events), pace(1), false, 1200],
  ['a failure after a minute', pace(9), attempt(failed, minute), pace(1), false, 1200],
  ['a failure at once', pace(9), attempt(failed, watch), pace(10, 1), false, 15_400],
  [
    'a close after 10 minutes',
    pace(9),
    attempt(closed, { ...minute, livedMs: 6e5 }),
    pace(0),
    false,
    0,
  ],
  ['a close at once, after events', pace(9), attempt(closed, events), pace(0), false, 1200],
  ['a close at once', freshPace, attempt(closed, watch), pace(1, 1), false, 1200],
  ['a fifth close at once', pace(4, 4), attempt(closed, watch), pace(5, 0), true, 13_200],
  ['410 at first', freshPace, attempt(expired, watch), afterExpiry(1, 1), true, 0],
  ['410 after events', pace(9), attempt(expired, events), afterExpiry(1), true, 0],
  ['410 after an outage', pace(9), attempt(expired, watch), afterExpiry(10, 1), true, 0],
  ['410 again', afterExpiry(1), attempt(expired), afterExpiry(2), true, 2000],
  ['a failure after 410', afterExpiry(1), attempt(failed), pace(2), false, 2000],
  [
    'a quiet watch',
    pace(9),
    attempt({ kind: 'quiet' }, { ...minute, livedMs: 9e4 }),
    pace(0),
    false,
    0,
  ],
  ['no answer at first', freshPace, attempt(unanswered), pace(1), false, 1200],
  ['no answer for long', pace(50), attempt(unanswered), pace(51), false, 1400],
])('%s', (_, before, after, next, relist, delayMs) => {
  expect(nextAfter(before, after, { timing, random: 0.5 })).toEqual({
    pace: next,
    relist,
    delayMs,
  });
});

test('tries are 0.8 s to 30 s apart, anywhere between', () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 5000 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      (failures, random) => {
        const { delayMs } = nextAfter(pace(failures), attempt(failed), { timing, random });
        expect(delayMs).toBeGreaterThanOrEqual(800);
        expect(delayMs).toBeLessThanOrEqual(30_000);
      },
    ),
  );
  const most = nextAfter(pace(5000), attempt(failed), { timing, random: 1 });
  expect(most.delayMs).toBe(30_000);
});

test('a server that asks for time gets it', () => {
  const busy: Ending = {
    kind: 'failed',
    error: new ApiError('', { status: 429, retryAfterMs: 45_000 }),
  };
  expect(nextAfter(freshPace, attempt(busy), { timing, random: 1 }).delayMs).toBe(45_000);
  const soon: Ending = {
    kind: 'failed',
    error: new ApiError('', { status: 429, retryAfterMs: 1 }),
  };
  expect(nextAfter(freshPace, attempt(soon), { timing, random: 0 }).delayMs).toBe(800);
});

test.each([
  [410, true, 'expired'],
  [403, true, 'absent'],
  [404, true, 'absent'],
  [403, false, 'failed'],
  [404, false, 'failed'],
  [500, true, 'failed'],
])('status %i of a resource that may be absent (%s) is %s', (status, mayBeAbsent, kind) => {
  expect(failedEnding(new ApiError('', { status }), mayBeAbsent).kind).toBe(kind);
});

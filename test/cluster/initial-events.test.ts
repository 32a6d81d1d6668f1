// The first part of a WatchList: what counts as its end, and what follows an end that is none.
import { describe, expect, test } from 'vitest';
import { initialEnding, takeInitial } from '../../src/cluster/api/watch/initial-events.ts';
import type { WatchEvent } from '../../src/cluster/api/watch/watch-event.ts';
import { ApiError } from '../../src/errors.ts';

const set = (version: string): WatchEvent => ({ kind: 'set', object: version, version });
const bookmark = (version: string, endsInitial = false): WatchEvent => ({
  kind: 'bookmark',
  version,
  endsInitial,
});

function taken(...events: readonly WatchEvent[]) {
  const added: unknown[] = [];
  return { initial: takeInitial(events, (object) => added.push(object)), added };
}

describe('the first events', () => {
  test('may go on', () => {
    expect(taken(set('7'), bookmark('8'), set('3'))).toEqual({
      initial: { kind: 'more' },
      added: ['7', '3'],
    });
  });

  test('end with their bookmark; what comes after it is an event like any other', () => {
    expect(taken(set('7'), bookmark('9', true), set('10'))).toEqual({
      initial: { kind: 'complete', version: '9', rest: [set('10')] },
      added: ['7'],
    });
  });

  test('cannot say that something is gone', () => {
    const error = new ApiError('the first events came without their end');
    expect(taken(set('7'), { kind: 'delete', object: {}, version: '8' })).toEqual({
      initial: { kind: 'ended', ending: { kind: 'no-watch-list', error } },
      added: ['7'],
    });
  });

  test('may be given up by the server', () => {
    for (const [code, kind] of [
      [410, 'expired'],
      [500, 'failed'],
    ] as const) {
      expect(taken({ kind: 'error', code, message: 'why' })).toEqual({
        initial: { kind: 'ended', ending: { kind, error: refused(code, `${code} why`) } },
        added: [],
      });
    }
  });

  test('that cannot be read come in pages', () => {
    expect(taken({ kind: 'unreadable', why: 'x' })).toEqual({
      initial: { kind: 'ended', ending: { kind: 'no-watch-list', error: new ApiError('x') } },
      added: [],
    });
  });
});

const refused = (status: number, why = ''): ApiError => new ApiError(why, { status });
const timeout = new ApiError('', { isTimeout: true });

test.each([
  ['400', refused(400), false, 'no-watch-list'],
  ['405', refused(405), false, 'no-watch-list'],
  ['415', refused(415), false, 'no-watch-list'],
  ['422', refused(422), false, 'no-watch-list'],
  ['401', refused(401), false, 'failed'],
  ['403', refused(403), false, 'failed'],
  ['429', refused(429), false, 'failed'],
  ['500', refused(500), false, 'failed'],
  ['no answer in time', timeout, false, 'failed'],
  ['no end in time', timeout, true, 'no-watch-list'],
  ['a broken connection', new ApiError(''), true, 'failed'],
])('%s before their end', (_, error, wasWatching, kind) => {
  expect(initialEnding({ kind: 'failed', error }, wasWatching).kind).toBe(kind);
});

test('the end of the answer before their end is no WatchList, and other ends stay', () => {
  expect(initialEnding({ kind: 'closed' }, true).kind).toBe('no-watch-list');
  expect(initialEnding({ kind: 'expired', error: refused(410) }, false).kind).toBe('expired');
});

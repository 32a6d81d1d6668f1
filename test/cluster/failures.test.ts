// A reflector against everything that a server and the way to it can do wrong: it keeps what it knows,
// tries again at the right time, and ends up with what the server has.
import { describe, expect, test } from 'vitest';
import { fast, Listener } from './listener.ts';
import { ManualClock } from './manual-clock.ts';
import { rawService } from './objects.ts';
import { bodyOf } from './recordings.ts';
import type { Fault } from './stand-in/faults.ts';
import { isList, isWatch, isWatchList, serverWith } from './two-services.ts';

const none = { random: () => 0 };

const passing: readonly (readonly [string, Fault])[] = [
  ['a reset', { kind: 'reset' }],
  ['status 401', { kind: 'status', code: 401 }],
  ['status 403', { kind: 'status', code: 403 }],
  ['status 404', { kind: 'status', code: 404 }],
  ['status 410', { kind: 'status', code: 410 }],
  ['status 429', { kind: 'status', code: 429 }],
  ['status 500', { kind: 'status', code: 500 }],
  ['status 503', { kind: 'status', code: 503 }],
  ['status 504', { kind: 'status', code: 504 }],
  ['an answer cut in its head', { kind: 'wire', cutAfter: 0 }],
  ['an answer cut in a line', { kind: 'wire', cutAfter: 300 }],
  ['no JSON', { kind: 'say', text: 'upstream connect error\n' }],
  ['JSON of another kind', { kind: 'say', text: '[]\n' }],
  ['nothing at all', { kind: 'say', text: '' }],
  ['half a line', { kind: 'say', text: '{"type":"ADDED","object":{"meta' }],
  ['an event of an unknown type', { kind: 'say', text: '{"type":"MOVED","object":{}}\n' }],
  ['an event without a version', { kind: 'say', text: '{"type":"ADDED","object":{}}\n' }],
  [
    'an ERROR event',
    { kind: 'say', text: '{"type":"ERROR","object":{"kind":"Status","code":500}}\n' },
  ],
];

describe('a failure', () => {
  test.each(passing)('of a WatchList: %s', async (_, fault) => {
    await using server = await serverWith('a', 'b');
    server.fail(fault, { matching: isWatchList, times: 3 });
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    expect(listener.services).toEqual(['a:80', 'b:80']);
    expect(listener.faults).toEqual([]);
  });

  test.each(passing)('of a list: %s', async (_, fault) => {
    await using server = await serverWith('a', 'b');
    server.fail({ kind: 'status', code: 400 }, { matching: isWatchList, times: Infinity });
    server.fail(fault, { matching: isList, times: 3 });
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    expect(listener.services).toEqual(['a:80', 'b:80']);
    expect(listener.faults).toEqual([]);
  });

  test.each(passing)('of a watch: %s', async (_, fault) => {
    await using server = await serverWith('a', 'b');
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    server.fail(fault, { matching: isWatch, times: 3 });
    server.dropConnections();
    server.store.delete('Service', 'default/a');
    server.store.set('Service', rawService('c'));
    await listener.until(() => listener.services.includes('c:80'));
    expect(listener.services).toEqual(['b:80', 'c:80']);
    expect(listener.faults).toEqual([]);
  });

  test('in the middle of a watch goes on after the last whole event', async () => {
    await using server = await serverWith('a');
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    server.fail({ kind: 'wire', cutAfter: 700 }, { matching: isWatch });
    server.dropConnections();
    for (const name of ['b', 'c', 'd']) server.store.set('Service', rawService(name));
    await listener.until(() => listener.services.length === 4);
    const versions = server.requests
      .filter(isWatch)
      .map(({ query }) => query.get('resourceVersion'));
    expect(versions).toEqual(['2', '3']);
    expect(listener.faults).toEqual([]);
  });

  test('of the server for a while: what is known stays, what was missed is told of', async () => {
    await using server = await serverWith('a', 'b');
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    listener.news();
    await server.goAway();
    await listener.event('failed', 4);
    expect(listener.services).toEqual(['a:80', 'b:80']);
    expect(listener.news()).toEqual([]);
    server.store.delete('Service', 'default/a');
    server.store.set('Service', rawService('c'));
    server.compact();
    await server.comeBack();
    await listener.until(() => listener.services.includes('c:80'));
    expect(listener.news()).toEqual(['delete default/a', 'set default/c']);
  });
});

describe('silence', () => {
  test('before an answer is noticed after 30 s', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    server.fail({ kind: 'silence' });
    await using listener = await Listener.start(server, { clock, ...none });
    await server.seen(isWatchList);
    await clock.waiting(30_000);
    await clock.advance(30_000);
    expect((await listener.event('failed')).error.message).toBe(
      'GET /api/v1/services: nothing heard for 30 s',
    );
    await clock.waiting(800);
    await clock.advance(800);
    await listener.event('listed');
  });

  test('in the middle of a page is noticed after 30 s', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    server.fail({ kind: 'status', code: 400 }, { matching: isWatchList });
    server.fail({ kind: 'wire', freezeAfter: 50 }, { matching: isList });
    const timing = { quietListMs: 29_000 };
    await using listener = await Listener.start(server, { clock, timing, ...none });
    await clock.waiting(29_000);
    while (!listener.events.some(({ kind }) => kind === 'failed')) await clock.advance(29_000);
    expect((await listener.event('failed')).error.message).toBe('nothing heard for 29 s');
    await clock.waiting(800);
    await clock.advance(800);
    expect((await listener.event('listed')).objects).toBe(1);
  });

  test('of a watch is no failure: after 90 s another one goes on, and nothing is missed', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    await using listener = await Listener.start(server, { clock, ...none });
    await listener.event('watching');
    server.freeze();
    server.store.set('Service', rawService('b'));
    await clock.advance(89_999);
    expect(listener.events.map(({ kind }) => kind)).toEqual(['listed', 'watching']);
    await clock.advance(1);
    await listener.until(() => listener.services.includes('b:80'));
    expect(listener.events.map(({ kind }) => kind)).toEqual([
      'listed',
      'watching',
      'ended',
      'watching',
      'heard',
    ]);
    expect(listener.faults).toEqual([]);
  });

  test('of a watch whose server hangs is told once the next one gets no answer', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    await using listener = await Listener.start(server, { clock, ...none });
    await listener.event('watching');
    server.freeze();
    server.fail({ kind: 'silence' }, { matching: isWatch });
    await clock.advance(90_000);
    await server.seen(isWatch);
    await clock.waiting(30_000);
    await clock.advance(30_000);
    expect((await listener.event('failed')).error.message).toBe(
      'GET /api/v1/services: nothing heard for 30 s',
    );
  });
});

describe('tries', () => {
  test('are further and further apart, and close again after a watch that was good', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    await using listener = await Listener.start(server, { clock, random: () => 1 });
    await listener.event('watching');
    server.store.set('Service', rawService('a', 81));
    await listener.event('heard');
    server.fail({ kind: 'status', code: 500 }, { matching: isWatch, times: 7 });
    const delays: number[] = [];
    server.dropConnections();
    for (let n = 1; n <= 8; n += 1) {
      const { delayMs } = await listener.event('failed', n);
      delays.push(delayMs);
      await clock.waiting(delayMs);
      await clock.advance(delayMs);
    }
    expect(delays).toEqual([1600, 3200, 6400, 12_800, 25_600, 30_000, 30_000, 30_000]);
    server.store.set('Service', rawService('a', 82));
    await listener.until(() => listener.services.includes('a:82'));
    await listener.event('heard', 2);
    server.dropConnections();
    expect((await listener.event('failed', 9)).delayMs).toBe(1600);
  });

  test('wait as long as the server asks', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    server.fail({ kind: 'status', code: 429, retryAfter: '17' });
    await using listener = await Listener.start(server, { clock, ...none });
    expect((await listener.event('failed')).delayMs).toBe(17_000);
    await clock.advance(16_999);
    expect(server.requests).toHaveLength(1);
    await clock.advance(1);
    await listener.event('listed');
  });

  test('list anew where five watches in a row end at once without an event', async () => {
    await using server = await serverWith('a', 'b');
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    listener.news();
    server.store.delete('Service', 'default/b');
    await listener.until(() => listener.services.length === 1);
    server.fail({ kind: 'say', text: '' }, { matching: isWatch, times: 5 });
    server.dropConnections();
    await listener.event('listed', 2);
    expect(server.requests.filter(isWatch)).toHaveLength(5);
    expect(listener.faults).toEqual([]);
  });

  test('list again at once after a first 410, and then with a pause', async () => {
    await using server = await serverWith('a');
    const clock = new ManualClock();
    server.fail({ kind: 'status', code: 410 }, { times: 3 });
    await using listener = await Listener.start(server, { clock, ...none });
    const { delayMs } = await listener.event('failed');
    expect([server.requests.length, delayMs]).toEqual([2, 800]);
    await clock.waiting(800);
    await clock.advance(800);
    expect(server.requests).toHaveLength(3);
  });
});

describe('the end', () => {
  test('comes at once while a request waits for its answer, and nothing is told after it', async () => {
    await using server = await serverWith('a');
    const { promise, resolve } = Promise.withResolvers<void>();
    server.fail({ kind: 'hold', until: promise });
    const listener = await Listener.start(server);
    await server.seen(isWatchList);
    await listener.stop();
    resolve();
    expect(listener.events).toEqual([]);
    expect(listener.changes).toEqual([]);
  });

  test('comes at once during a watch, and its connection is closed', async () => {
    await using server = await serverWith('a');
    const listener = await Listener.start(server);
    await listener.event('watching');
    await listener.stop();
    server.store.set('Service', rawService('b'));
    await server.disconnected();
    expect(listener.services).toEqual(['a:80']);
    expect(listener.faults).toEqual([]);
  });

  test('comes in the middle of a piece of the answer: the rest of it is not told', async () => {
    await using server = await serverWith('a');
    const bookmark = bodyOf('watch-list-services').trimEnd().split('\n').at(-1);
    const more = bodyOf('watch-services').split('\n')[0];
    server.fail({ kind: 'say', text: `${bookmark}\n${more}\n` });
    const listener = await Listener.start(server, { stopAt: 'watching' });
    await listener.event('watching');
    await listener.stop();
    expect(listener.changes).toEqual([]);
    expect(listener.faults).toEqual([]);
  });

  test.each(['listed', 'watching', 'heard'] as const)('comes in the middle of %s', async (kind) => {
    await using server = await serverWith('a');
    const listener = await Listener.start(server, { stopAt: kind });
    if (kind === 'heard') {
      await listener.event('watching');
      server.store.set('Service', rawService('b'));
    }
    await listener.event(kind);
    await listener.stop();
    expect(listener.faults).toEqual([]);
    await server.disconnected();
  });

  test('comes at once during a pause', async () => {
    await using server = await serverWith('a');
    server.fail({ kind: 'status', code: 500 });
    const listener = await Listener.start(server, {
      timing: { backoffMs: { min: 1e6, max: 1e6 } },
    });
    await listener.event('failed');
    await listener.stop();
    expect(server.requests).toHaveLength(1);
  });
});

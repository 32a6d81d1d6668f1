// A reflector against servers that go back in time, or never come to an end.
import { describe, expect, test } from 'vitest';
import { fast, Listener } from './listener.ts';
import { ManualClock } from './manual-clock.ts';
import { rawService } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import { isList, isWatchList, serverWith } from './two-services.ts';

describe('a server that was restored to an older version', () => {
  test('is listed anew: what it lost is lost, and what it does from then on is told', async () => {
    await using server = await serverWith('a', 'b');
    const backup = server.store.version;
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    server.store.set('Service', rawService('lost'));
    server.store.delete('Service', 'default/a');
    await listener.until(() => listener.services.join() === 'b:80,lost:80');
    listener.news();
    await server.goAway();
    await listener.event('failed');
    server.store.restore(backup);
    await server.comeBack();
    await listener.until(() => listener.services.join() === 'a:80,b:80');
    expect(listener.news().toSorted()).toEqual(['delete default/lost', 'set default/a']);
    server.store.set('Service', rawService('b', 81));
    await listener.until(() => listener.services.join() === 'a:80,b:81');
    expect(listener.faults).toEqual([]);
  });

  test('is asked for its version only where a watch ended before its time', async () => {
    const clock = new ManualClock();
    await using server = await StandInApiServer.start({ clock });
    server.store.set('Service', rawService('a'));
    await using listener = await Listener.start(server, { clock, random: () => 0 });
    await listener.event('watching');
    // It ends in time after five minutes, with a bookmark in each of them.
    for (const minute of [1, 2, 3, 4]) {
      await clock.advance(60_000);
      await listener.event('heard', minute);
    }
    await clock.advance(60_000);
    await listener.event('watching', 2);
    expect(server.requests.filter(isList)).toEqual([]);
  });
});

test.each([
  ['without an object', []],
  ['with the same token again', [rawService('a')]],
])('a list that goes on for ever %s is a failure', async (_, items) => {
  await using server = await serverWith('a');
  server.fail({ kind: 'status', code: 422 }, { matching: isWatchList, times: Infinity });
  const metadata = { resourceVersion: '2', continue: 'more' };
  const page = { kind: 'ServiceList', metadata, items };
  server.fail({ kind: 'say', text: JSON.stringify(page) }, { matching: isList, times: 2 });
  await using listener = await Listener.start(server, { timing: fast });
  const { error } = await listener.event('failed');
  expect(error.message).toBe('GET /api/v1/services: the list does not end');
  expect((await listener.event('listed')).objects).toBe(1);
});

// The watches of a reflector: what it tells of events, of objects that are bad, and of each kind.
import { describe, expect, test } from 'vitest';
import { fast, Listener } from './listener.ts';
import { ManualClock } from './manual-clock.ts';
import { rawNode, rawService, rawServiceCidr, rawSlice } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import { isWatch, oldServer, serverWithTwo } from './two-services.ts';

describe('a watch', () => {
  test('tells what is added, modified and deleted', async () => {
    await using server = await serverWithTwo();
    await using listener = await Listener.start(server);
    await listener.event('listed');
    listener.news();
    server.store.set('Service', rawService('a', 81));
    server.store.delete('Service', 'default/b');
    server.store.set('Service', rawService('c'));
    await listener.until(() => listener.services.includes('c:80'));
    expect(listener.news()).toEqual(['set default/a', 'delete default/b', 'set default/c']);
    expect(listener.services).toEqual(['a:81', 'c:80']);
  });

  test('tells nothing of what only says the same again', async () => {
    await using server = await StandInApiServer.start();
    server.store.set('Node', rawNode('node-1'));
    await using listener = await Listener.start(server, { kind: 'Node' });
    await listener.event('listed');
    server.store.set('Node', { ...rawNode('node-1'), heartbeat: 1 });
    server.store.set('Node', rawNode('node-1', ['192.168.10.12']));
    await listener.until(() => listener.changes.length > 1);
    expect(listener.news()).toEqual(['set node-1', 'set node-1']);
  });

  test('takes an object that leaves the selection as deleted', async () => {
    await using server = await serverWithTwo();
    await using listener = await Listener.start(server);
    await listener.event('listed');
    const labelled = rawService('a');
    const labels = { 'service.kubernetes.io/service-proxy-name': 'other' };
    server.store.set('Service', { ...labelled, metadata: { ...labelled.metadata, labels } });
    server.store.set('Service', rawService('b', 80, { clusterIP: 'None' }));
    await listener.until(() => listener.services.length === 0);
    server.store.set('Service', rawService('a'));
    await listener.until(() => listener.services.length === 1);
    expect(listener.faults).toEqual([]);
  });

  test('goes on from the version of the last bookmark', async () => {
    const clock = new ManualClock();
    await using server = await StandInApiServer.start({ clock });
    server.store.set('Service', rawService('a'));
    await using listener = await Listener.start(server, { clock, random: () => 0 });
    await listener.event('listed');
    server.store.moveTo(4711);
    for (const minute of [1, 2, 3, 4]) {
      await clock.advance(60_000);
      await listener.event('heard', minute);
    }
    await clock.advance(60_000);
    const [watch] = await server.seen(isWatch);
    expect(watch?.query.get('resourceVersion')).toBe('4711');
    expect(listener.events.filter(({ kind }) => kind === 'failed')).toEqual([]);
  });

  test.each([
    ['one byte', { split: 1 }],
    ['seven bytes', { split: 7 }],
    ['many events', { gather: 3 }],
  ])('reads chunks of %s', async (_, wire) => {
    await using server = await StandInApiServer.start();
    server.fail({ kind: 'wire', ...wire });
    const named = (name: string) => rawService(name, 80, { sessionAffinity: 'Grüße 😀' });
    for (const name of ['a', 'b']) server.store.set('Service', named(name));
    await using listener = await Listener.start(server);
    await listener.event('listed');
    for (const name of ['c', 'd', 'e']) server.store.set('Service', named(name));
    // What cannot be meant is reported with its characters whole.
    await listener.until(() => listener.events.filter((e) => e.kind === 'problems').length === 5);
    const problem = {
      field: 'spec.sessionAffinity',
      path: ['spec', 'sessionAffinity'],
      message: '"Grüße 😀" is not one of None, ClientIP',
    };
    expect(listener.events.filter(({ kind }) => kind === 'problems')).toEqual(
      ['a', 'b', 'c', 'd', 'e'].map((name) => ({
        kind: 'problems',
        id: `default/${name}`,
        problems: [problem],
      })),
    );
  });
});

test('what is no business of a proxy any more is gone', async () => {
  await using server = await StandInApiServer.start();
  const slice = rawSlice('a', ['10.244.1.1']);
  server.store.set('EndpointSlice', slice);
  await using listener = await Listener.start(server, { kind: 'EndpointSlice' });
  await listener.event('listed');
  // It is selected as before, but names no Service.
  server.store.set('EndpointSlice', { ...slice, metadata: { ...slice.metadata, labels: {} } });
  await listener.until(() => listener.objects.size === 0);
  expect(listener.news()).toEqual(['set default/a-1', 'delete default/a-1']);
});

describe('a bad object', () => {
  const bad = rawService('a', 99_999);

  test('in an event is reported and leaves the last good one', async () => {
    await using server = await serverWithTwo();
    await using listener = await Listener.start(server);
    await listener.event('listed');
    server.store.set('Service', bad);
    const { id, problems } = await listener.event('problems');
    expect(id).toBe('default/a');
    expect(problems.map(({ field }) => field)).toEqual(['spec.ports[0].port']);
    server.store.set('Service', rawService('b', 81));
    await listener.until(() => listener.services.includes('b:81'));
    expect(listener.services).toEqual(['a:80', 'b:81']);
  });

  test('in a list leaves the last good one, and that it is good again is said', async () => {
    await using server = await oldServer();
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    server.store.set('Service', bad);
    server.compact();
    server.store.delete('Service', 'default/b');
    server.compact(server.store.version + 1);
    server.dropConnections();
    await listener.event('listed', 2);
    expect(listener.services).toEqual(['a:80']);
    server.store.set('Service', rawService('a', 82));
    await listener.until(() => listener.services.includes('a:82'));
    expect(listener.events.filter((e) => e.kind === 'problems').at(-1)).toEqual({
      kind: 'problems',
      id: 'default/a',
      problems: [],
    });
  });

  test.each(['an event', 'a list'])('that is gone by %s is told of no more', async (how) => {
    await using server = await oldServer();
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    server.store.set('Service', bad);
    await listener.event('problems');
    // The same again is nothing new.
    server.store.set('Service', { ...bad, status: {} });
    if (how === 'a list') server.dropConnections();
    server.store.delete('Service', 'default/a');
    if (how === 'a list') server.compact(server.store.version + 1);
    const told = () => listener.events.filter((event) => event.kind === 'problems');
    await listener.until(() => told().length > 1);
    expect(told().map(({ problems }) => problems.length)).toEqual([1, 0]);
    await listener.until(() => listener.services.join() === 'b:80');
  });

  test('that is deleted is gone', async () => {
    await using server = await serverWithTwo();
    await using listener = await Listener.start(server);
    await listener.event('listed');
    server.store.set('Service', bad);
    server.store.delete('Service', 'default/a');
    await listener.until(() => listener.services.length === 1);
    expect(listener.services).toEqual(['b:80']);
  });
});

describe('resources of their own kind', () => {
  test.each([
    ['EndpointSlice', rawSlice('a', ['10.244.1.1'])],
    ['Node', rawNode('node-1')],
    ['ServiceCIDR', rawServiceCidr],
  ] as const)('%s', async (kind, object) => {
    for (const start of [serverWithTwo, oldServer]) {
      await using server = await start();
      server.store.set(kind, object);
      server.store.set('Node', rawNode('node-2'));
      await using listener = await Listener.start(server, { kind, timing: fast });
      await listener.event('watching');
      expect([...listener.objects.values()].map((told) => told.kind)).toEqual([kind]);
    }
  });

  test('a server without ServiceCIDRs has none', async () => {
    for (const code of [403, 404]) {
      const clock = new ManualClock();
      await using server = await StandInApiServer.start();
      server.fail({ kind: 'status', code }, { times: 1 });
      await using listener = await Listener.start(server, {
        kind: 'ServiceCIDR',
        clock,
        random: () => 0,
      });
      expect((await listener.event('absent')).error.status).toBe(code);
      server.store.set('ServiceCIDR', rawServiceCidr);
      await clock.waiting(60_000);
      await clock.advance(60_000);
      await listener.event('listed');
      expect(listener.news()).toEqual(['set kubernetes']);
    }
  });

  test('ServiceCIDRs go with their API, but not with the right to see them', async () => {
    for (const [code, told] of [
      [403, []],
      [404, ['delete kubernetes']],
    ] as const) {
      await using server = await StandInApiServer.start();
      server.store.set('ServiceCIDR', rawServiceCidr);
      const timing = { ...fast, absentMs: 1 };
      await using listener = await Listener.start(server, { kind: 'ServiceCIDR', timing });
      await listener.event('listed');
      listener.news();
      server.fail({ kind: 'status', code }, { matching: isWatch });
      server.dropConnections();
      await listener.event('absent');
      expect(listener.news()).toEqual(told);
      await listener.event('listed', 2);
      expect(listener.objects.size).toBe(1);
    }
  });
});

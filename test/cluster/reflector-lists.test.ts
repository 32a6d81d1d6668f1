// The lists of a reflector: what it asks for, the first one in both ways, and those made anew.
import { describe, expect, test } from 'vitest';
import { fast, Listener } from './listener.ts';
import { ManualClock } from './manual-clock.ts';
import { rawService } from './objects.ts';
import type { Fault, Matching } from './stand-in/faults.ts';
import { isList, isWatch, isWatchList, oldServer, serverWithTwo } from './two-services.ts';

describe('the requests', () => {
  test('select what kube-proxy selects', async () => {
    await using server = await oldServer();
    const selected: string[] = [];
    for (const kind of ['Service', 'EndpointSlice', 'Node', 'ServiceCIDR'] as const) {
      await using listener = await Listener.start(server, { kind, timing: fast });
      await listener.event('watching');
    }
    for (const { path, query, style } of server.requests) {
      const selectors = ['labelSelector', 'fieldSelector'].map((name) => query.get(name));
      selected.push([style, path, ...selectors].join(' ').trimEnd());
    }
    expect(selected.filter((line) => !line.startsWith('list'))).toEqual([
      'watch-list /api/v1/services !service.kubernetes.io/service-proxy-name spec.clusterIP!=None',
      'watch /api/v1/services !service.kubernetes.io/service-proxy-name spec.clusterIP!=None',
      'watch-list /apis/discovery.k8s.io/v1/endpointslices !service.kubernetes.io/headless',
      'watch /apis/discovery.k8s.io/v1/endpointslices !service.kubernetes.io/headless',
      'watch-list /api/v1/nodes  metadata.name=node-1',
      'watch /api/v1/nodes  metadata.name=node-1',
      'watch-list /apis/networking.k8s.io/v1/servicecidrs',
      'watch /apis/networking.k8s.io/v1/servicecidrs',
    ]);
  });

  test('of a watch ask for bookmarks, and for an end at random within 5 to 10 minutes', async () => {
    await using server = await oldServer();
    for (const random of [0, 0.5, 1]) {
      await using listener = await Listener.start(server, { timing: fast, random: () => random });
      await listener.event('watching');
    }
    const watches = server.requests.filter(isWatch).map(({ query }) => Object.fromEntries(query));
    expect(watches.map(({ timeoutSeconds }) => timeoutSeconds)).toEqual(['300', '450', '600']);
    expect(watches[0]).toEqual({
      labelSelector: '!service.kubernetes.io/service-proxy-name',
      fieldSelector: 'spec.clusterIP!=None',
      watch: 'true',
      allowWatchBookmarks: 'true',
      resourceVersion: '3',
      timeoutSeconds: '300',
    });
  });
});

/** How the first list was made, and how many objects it had; its bytes and time are free. */
async function listed(listener: Listener): Promise<readonly unknown[]> {
  const { style, objects } = await listener.event('listed');
  return [style, objects];
}

describe('a first list', () => {
  test('comes as a WatchList and goes on as a watch', async () => {
    await using server = await serverWithTwo();
    await using listener = await Listener.start(server);
    expect(await listed(listener)).toEqual(['watch-list', 2]);
    expect(listener.news()).toEqual(['set default/a', 'set default/b']);
    server.store.set('Service', rawService('c'));
    await listener.until(() => listener.services.length === 3);
    expect(server.requests.map(({ query }) => Object.fromEntries(query))).toEqual([
      {
        labelSelector: '!service.kubernetes.io/service-proxy-name',
        fieldSelector: 'spec.clusterIP!=None',
        watch: 'true',
        sendInitialEvents: 'true',
        allowWatchBookmarks: 'true',
        resourceVersionMatch: 'NotOlderThan',
        timeoutSeconds: expect.any(String),
      },
    ]);
  });

  test('is told of only when it is complete', async () => {
    await using server = await serverWithTwo();
    server.fail({ kind: 'initial-events', end: 'missing' });
    const clock = new ManualClock();
    const timing = { quietListMs: 29_000 };
    // A bad object is reported as it comes, so that it can be awaited.
    server.store.set('Service', rawService('c', 99_999));
    await using listener = await Listener.start(server, { clock, timing });
    await listener.event('problems');
    expect(listener.changes).toEqual([]);
    await clock.advance(29_000);
    expect((await listener.event('no-watch-list')).error.message).toBe('nothing heard for 29 s');
    expect(await listed(listener)).toEqual(['pages', 2]);
  });

  test('has the version of its end, whatever the order of its events', async () => {
    await using server = await serverWithTwo();
    server.fail({ kind: 'initial-events', order: 'reversed' });
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('listed');
    expect(listener.news()).toEqual(['set default/b', 'set default/a']);
    server.dropConnections();
    const [watch] = await server.seen(isWatch);
    expect(watch?.query.get('resourceVersion')).toBe('3');
  });

  test('that dribbles on for five minutes is made in pages', async () => {
    await using server = await serverWithTwo();
    server.fail({ kind: 'initial-events', end: 'missing' });
    const clock = new ManualClock();
    await using listener = await Listener.start(server, { clock });
    for (let n = 1; n <= 15; n += 1) {
      await clock.waiting(300_000);
      server.store.set('Service', rawService('a', 100_000 + n));
      await listener.event('problems', n);
      await clock.advance(20_000);
    }
    const { error } = await listener.event('no-watch-list');
    expect(error.message).toBe('no complete list for 300 s');
    expect(await listed(listener)).toEqual(['pages', 1]);
  });

  test.each([400, 422])('is made in pages where a WatchList is refused with %i', async (code) => {
    await using server = await serverWithTwo();
    server.fail({ kind: 'status', code }, { matching: isWatchList, times: Infinity });
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('watching');
    expect(listener.services).toEqual(['a:80', 'b:80']);
    server.compact(server.store.version + 1);
    server.dropConnections();
    await listener.event('listed', 2);
    // The choice is remembered.
    expect(server.requests.filter(isWatchList)).toHaveLength(1);
  });

  test('of many objects comes in pages of 500, all of one version', async () => {
    await using server = await oldServer();
    for (let n = 0; n < 1200; n += 1) server.store.set('Service', rawService(`many-${n}`));
    await using listener = await Listener.start(server);
    const { objects } = await listener.event('listed');
    expect(objects).toBe(1202);
    const pages = server.requests.filter(isList).map(({ query }) => query);
    expect(pages.map((query) => query.get('limit'))).toEqual(['500', '500', '500']);
    expect(pages.map((query) => query.has('continue'))).toEqual([false, true, true]);
    expect(pages.every((query) => !query.has('resourceVersion'))).toBe(true);
    expect(listener.faults).toEqual([]);
  });

  test('starts again when it expires between two pages', async () => {
    await using server = await oldServer();
    for (let n = 0; n < 600; n += 1) server.store.set('Service', rawService(`many-${n}`));
    const second: Matching = ({ query }) => query.has('continue');
    server.fail({ kind: 'status', code: 410 }, { matching: second });
    await using listener = await Listener.start(server);
    expect((await listener.event('listed')).objects).toBe(602);
    const pages = server.requests.filter(isList);
    expect(pages.map(({ query }) => query.has('continue'))).toEqual([false, true, false, true]);
    expect(listener.news()).toHaveLength(602);
  });
});

describe('a list anew', () => {
  const expired: readonly (readonly [string, Fault | undefined])[] = [
    ['an ERROR event with code 410', undefined],
    ['status 410', { kind: 'status', code: 410 }],
  ];

  test.each(expired)('after %s is told of as a difference', async (_, fault) => {
    await using server = await serverWithTwo();
    server.store.set('Service', rawService('stays'));
    await using listener = await Listener.start(server, { timing: fast });
    await listener.event('listed');
    listener.news();
    if (fault !== undefined) server.fail(fault, { matching: isWatch });
    server.dropConnections();
    server.store.delete('Service', 'default/a');
    server.store.set('Service', rawService('b', 81));
    server.store.set('Service', rawService('c'));
    server.compact();
    await listener.event('listed', 2);
    expect(listener.news()).toEqual(['delete default/a', 'set default/b', 'set default/c']);
    expect(server.requests.filter(isWatch)).toHaveLength(1);
    expect(listener.faults).toEqual([]);
  });

  test('keeps what was told until it is complete', async () => {
    await using server = await serverWithTwo();
    const clock = new ManualClock();
    const timing = { quietListMs: 29_000 };
    await using listener = await Listener.start(server, { clock, timing, random: () => 0 });
    await listener.event('listed');
    listener.news();
    server.fail({ kind: 'status', code: 410 }, { matching: isWatch });
    server.fail({ kind: 'wire', freezeAfter: 100 }, { matching: isWatchList });
    server.dropConnections();
    await clock.waiting(800);
    await clock.advance(800);
    await server.seen(isWatchList, 2);
    await clock.waiting(29_000);
    expect(listener.services).toEqual(['a:80', 'b:80']);
    expect(listener.news()).toEqual([]);
  });
});

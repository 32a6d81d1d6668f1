// Events: sent to the API server beside everything else, few of them, whatever the server says.
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EventRecorder } from '../../src/cluster/api/events/event-recorder.ts';
import type { ClusterEvent } from '../../src/model/cluster-event.ts';
import { connectTo } from './listener.ts';
import { ManualClock } from './manual-clock.ts';
import { rawService } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import type { SeenRequest } from './stand-in/faults.ts';

const log = pino({ level: 'silent' });
const isPost = ({ method }: SeenRequest): boolean => method === 'POST';

function nodeEvent(note: string, extra: Partial<ClusterEvent> = {}): ClusterEvent {
  const regarding = { kind: 'Node', namespace: '', name: 'node-1', uid: 'node-1' } as const;
  const words = { type: 'Normal', reason: 'Starting', action: 'StartKubeProxy' } as const;
  return { regarding, ...words, note, ...extra };
}

function serviceEvent(name: string, note = 'left out'): ClusterEvent {
  const regarding = { kind: 'Service', namespace: 'default', name } as const;
  return { regarding, type: 'Warning', reason: 'AddressConflict', action: 'ProgramRules', note };
}

let server: StandInApiServer;
let clock: ManualClock;
let ending: AbortController;
let running: Promise<void>;
let recorder: EventRecorder;

beforeEach(async () => {
  server = await StandInApiServer.start();
  clock = new ManualClock();
  ending = new AbortController();
  recorder = new EventRecorder({ nodeName: 'node-1', log, clock, random: () => 0.5 });
});

afterEach(async () => {
  ending.abort();
  server.dropConnections();
  await running;
  await server[Symbol.asyncDispose]();
});

/** Sends from now on. */
async function start(): Promise<void> {
  // The server's answers take real time; the recorder's pauses do not.
  running = recorder.run(await connectTo(server), ending.signal);
}

describe('an Event', () => {
  test('of a Node says what happened, where and who says so', async () => {
    await start();
    recorder.record(nodeEvent('sluice 0.1.0'));
    const [event] = await server.events.taken(1);
    expect(event).toEqual({
      apiVersion: 'events.k8s.io/v1',
      kind: 'Event',
      metadata: { name: expect.stringMatching(/^node-1\.[0-9a-f]{16}$/), namespace: 'default' },
      eventTime: '1970-01-01T00:16:40.000000Z',
      reportingController: 'sluice',
      reportingInstance: 'node-1',
      action: 'StartKubeProxy',
      reason: 'Starting',
      regarding: { apiVersion: 'v1', kind: 'Node', name: 'node-1', uid: 'node-1' },
      note: 'sluice 0.1.0',
      type: 'Normal',
    });
    const [request] = server.requests.filter(isPost);
    expect(request?.path).toBe('/apis/events.k8s.io/v1/namespaces/default/events');
    expect(request?.headers['content-type']).toBe('application/json');
  });

  test('of a Service has its uid, by which kubectl finds it', async () => {
    const { metadata, ...rest } = rawService('web');
    server.store.set('Service', rawService('other'));
    server.store.set('Service', { metadata: { ...metadata, uid: 'u-1' }, ...rest });
    await start();
    recorder.record(serviceEvent('web'));
    const [event] = await server.events.taken(1);
    expect(event?.regarding).toEqual({
      apiVersion: 'v1',
      kind: 'Service',
      namespace: 'default',
      name: 'web',
      uid: 'u-1',
    });
    expect(event?.metadata.namespace).toBe('default');
  });

  test('of a Service that is gone by then is not sent', async () => {
    await start();
    recorder.record(serviceEvent('web'));
    recorder.record(nodeEvent('after it'));
    expect((await server.events.taken(1)).map(({ note }) => note)).toEqual(['after it']);
  });

  test('is on one line, and no longer than the server takes', async () => {
    await start();
    recorder.record(nodeEvent(`a\nb\u001b[31m${'ü'.repeat(2000)}`));
    const [event] = await server.events.taken(1);
    // 1,023 bytes: one more character would be 1,025.
    expect(event?.note).toBe(`a\\u000ab\\u001b[31m${'ü'.repeat(501)}…`);
  });

  test('of a Node with the longest name has a name that the server takes', async () => {
    await start();
    const name = `${'a.'.repeat(126)}a`;
    recorder.record(nodeEvent('', { regarding: { kind: 'Node', namespace: '', name, uid: name } }));
    const [event] = await server.events.taken(1);
    expect(event?.metadata.name).toHaveLength(252);
  });
});

describe('what is said again', () => {
  test('within ten minutes is one Event; the next one says how often it came', async () => {
    await start();
    for (let n = 0; n < 7; n += 1) recorder.record(nodeEvent('again'));
    await server.events.taken(1);
    await clock.advance(10 * 60_000);
    recorder.record(nodeEvent('again'));
    const [, second] = await server.events.taken(2);
    expect(second?.series).toEqual({ count: 7, lastObservedTime: '1970-01-01T00:26:40.000000Z' });
    expect(second?.eventTime).toBe('1970-01-01T00:16:40.000000Z');
    await clock.advance(10 * 60_000);
    recorder.record(nodeEvent('again'));
    const [, , third] = await server.events.taken(3);
    expect(third?.series).toBeUndefined();
  });

  test('by every node alike is one Event of the cluster', async () => {
    await start();
    const other = new EventRecorder({ nodeName: 'node-2', log, clock, random: () => 0 });
    const otherRunning = other.run(await connectTo(server), ending.signal);
    const event = nodeEvent('conflict', { isSameEverywhere: true });
    recorder.record(event);
    other.record(event);
    await clock.waiting(2500);
    await clock.advance(2500);
    await server.seen(isPost, 2);
    other.record(nodeEvent('own'));
    recorder.record(nodeEvent('own'));
    expect((await server.events.taken(3)).map(({ note }) => note).toSorted()).toEqual([
      'conflict',
      'own',
      'own',
    ]);
    ending.abort();
    await otherRunning;
  });
});

describe('a server', () => {
  test.each([
    ['that says 403', 403],
    ['that says 404', 404],
    ['that finds the Event invalid', 422],
  ])('%s loses that Event, and gets the next', async (_, code) => {
    server.fail({ kind: 'status', code }, { matching: isPost });
    await start();
    recorder.record(nodeEvent('first'));
    recorder.record(nodeEvent('second'));
    expect((await server.events.taken(1)).map(({ note }) => note)).toEqual(['second']);
    expect(server.requests.filter(isPost)).toHaveLength(2);
  });

  test.each([
    ['that says 500', { kind: 'status', code: 500 }, 5000],
    ['that says 429', { kind: 'status', code: 429 }, 5000],
    ['that says when to come back', { kind: 'status', code: 429, retryAfter: '30' }, 30_000],
    ['that cuts the connection', { kind: 'reset' }, 5000],
  ] as const)('%s gets the Event later', async (_, fault, laterMs) => {
    server.fail(fault, { matching: isPost });
    await start();
    recorder.record(nodeEvent('first'));
    await clock.waiting(laterMs);
    expect(server.events.all).toEqual([]);
    await clock.advance(laterMs);
    expect((await server.events.taken(1)).map(({ note }) => note)).toEqual(['first']);
  });

  test('that never answers gets the Event of ten minutes ago no more', async () => {
    server.fail({ kind: 'status', code: 503 }, { matching: isPost, times: 1000 });
    await start();
    recorder.record(nodeEvent('old'));
    // Pauses grow to a minute, until it is too late.
    while (recorder.queued > 0) await clock.advance(await clock.waiting((ms) => ms >= 5000));
    expect(server.requests.filter(isPost).length).toBeLessThan(25);
    expect(recorder.dropped).toBe(1);
    server.heal();
    recorder.record(nodeEvent('new'));
    expect((await server.events.taken(1)).map(({ note }) => note)).toEqual(['new']);
  });

  test('that hangs keeps nobody waiting, and the end comes at once', async () => {
    server.fail({ kind: 'silence' }, { matching: isPost });
    await start();
    recorder.record(nodeEvent('unheard'));
    await server.seen(isPost);
    recorder.record(nodeEvent('later'));
    expect(recorder.queued).toBe(2);
    ending.abort();
    await running;
  });
});

test('ten thousand at once are a hundred that wait, ten that go, and one every ten seconds', async () => {
  for (let n = 0; n < 10_000; n += 1) recorder.record(nodeEvent(`event ${n}`));
  expect(recorder.queued).toBe(100);
  expect(recorder.dropped).toBe(9900);
  await start();
  await server.events.taken(10);
  await clock.waiting(10_000);
  expect(server.requests.filter(isPost)).toHaveLength(10);
  await clock.advance(10_000);
  await server.events.taken(11);
  await clock.waiting(10_000);
  expect(server.requests.filter(isPost)).toHaveLength(11);
  // What was not told for want of room is told when it comes again.
  recorder.record(nodeEvent('event 9999'));
  expect(recorder.queued).toBe(90);
});

test('what waits at the end is sent at once, or given up', async () => {
  for (let n = 0; n < 15; n += 1) recorder.record(nodeEvent(`event ${n}`));
  await start();
  await server.events.taken(10);
  ending.abort();
  await running;
  await recorder.flush(2000);
  expect(server.events.all).toHaveLength(15);
  server.fail({ kind: 'silence' }, { matching: isPost });
  recorder.record(nodeEvent('unheard'));
  const flushing = recorder.flush(2000);
  await server.seen(isPost, 16);
  await clock.waiting(2000);
  await clock.advance(2000);
  await flushing;
  expect(server.events.all).toHaveLength(15);
});

test('nothing is sent, and little kept, where there is no server', async () => {
  for (let n = 0; n < 1000; n += 1) recorder.record(nodeEvent(`event ${n}`));
  expect(recorder.queued).toBe(100);
  await recorder.flush(2000);
  running = Promise.resolve();
});

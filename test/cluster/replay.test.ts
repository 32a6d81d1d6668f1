// The stand-in against the recordings of a real API server: the same objects, the same request, and the
// answer must be the same, byte for byte and with the same headers.
import http, { type IncomingMessage } from 'node:http';
import { expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { bodyOf, recordings, type Recording } from './recordings.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import type { KindName, RawObject } from './stand-in/kinds.ts';

type ListBody = { readonly kind: string; readonly items: readonly RawObject[] };
type EventBody = { readonly type: string; readonly object: RawObject };

/** What the recorded cluster held when a recording began, and what happened during it. */
type Scene = {
  /** Recordings whose lists hold the objects at the start. */
  readonly objects?: readonly string[];
  readonly version?: number;
  readonly oldest?: number;
  /** What else moved the cluster's version on, after the recorded events. */
  readonly movedTo?: number;
  readonly token?: string;
};

const all = ['list-services', 'list-endpointslices', 'servicecidrs'];
const scenes: Readonly<Record<string, Scene>> = {
  forbidden: { token: '' },
  'get-node': {},
  'list-bad-version': {},
  'list-endpointslices': { objects: all, version: 2216 },
  'list-services': { objects: all, version: 2216 },
  'list-services-cached': { objects: all, version: 2216 },
  'list-services-page-1': { objects: all, version: 2216 },
  'list-services-page-2': { objects: all, version: 2216 },
  'not-found': {},
  servicecidrs: { objects: ['servicecidrs'], version: 2253 },
  unauthorized: { token: 'wrong' },
  'watch-endpointslices': { objects: all, version: 2216 },
  'watch-future': { objects: all, version: 2253 },
  'watch-idle-bookmarks': { objects: all, version: 2216, movedTo: 2244 },
  'watch-list-services': { objects: all, version: 2229 },
  'watch-services': { objects: all, version: 2216 },
  'watch-too-old': { objects: all, version: 2229, oldest: 1206 },
};

test('every recording has a scene', () => {
  expect(Object.keys(scenes).toSorted()).toEqual([...recordings.keys()].toSorted());
});

test.each([...recordings.values()])('$name', async (recording) => {
  const scene = scenes[recording.name] ?? {};
  const clock = new ManualClock();
  await using server = await StandInApiServer.start({ clock, tokens: new Set(['right']) });
  fill(server, scene);
  if (recording.name === 'get-node') put(server, JSON.parse(bodyOf('get-node')) as RawObject);
  if (recording.name === 'list-services-page-2') {
    // The page before makes the server remember the list.
    await bodyIn(await ask(server, '/api/v1/services?limit=2', 'right'));
  }
  const answer = await ask(server, recording.request.path, scene.token ?? 'right');
  const body = bodyIn(answer);
  if (recording.request.path.includes('watch=true')) {
    await play(server, recording, { clock, scene });
  }
  expect(answer.statusCode).toBe(recording.response.status);
  expect(headersOf(answer)).toEqual(recording.response.headers);
  expect(await body).toBe(bodyOf(recording.name));
});

function fill(server: StandInApiServer, { objects = [], version = 1, oldest }: Scene): void {
  for (const name of objects) {
    const { kind, items } = JSON.parse(bodyOf(name)) as ListBody;
    for (const item of items) server.store.set(kind.replace('List', '') as KindName, item);
  }
  server.store.moveTo(version);
  if (oldest !== undefined) server.compact(oldest);
}

function put(server: StandInApiServer, object: RawObject): void {
  const { kind, apiVersion: _, ...rest } = object;
  server.store.set(kind as KindName, rest as RawObject);
}

/** Does to the store what the events of a recording say, and lets the time of the watch go by. */
async function play(
  server: StandInApiServer,
  recording: Recording,
  { clock, scene }: { clock: ManualClock; scene: Scene },
): Promise<void> {
  const from = Number(/resourceVersion=(\d+)/.exec(recording.request.path)?.[1] ?? Infinity);
  for (const line of bodyOf(recording.name).split('\n').slice(0, -1)) {
    const { type, object } = JSON.parse(line) as EventBody;
    if (type === 'BOOKMARK' || type === 'ERROR') continue;
    if (Number(object.metadata.resourceVersion) <= from) continue;
    if (type !== 'DELETED') put(server, object);
    else remove(server, object);
  }
  if (scene.movedTo !== undefined) server.store.moveTo(scene.movedTo);
  const seconds = Number(/timeoutSeconds=(\d+)/.exec(recording.request.path)?.[1]);
  if (server.answering > 0) await clock.advance(seconds * 1000);
}

function remove(server: StandInApiServer, { kind, metadata }: RawObject): void {
  const id = `${metadata.namespace}/${metadata.name}`;
  server.store.delete(kind as KindName, id, metadata.resourceVersion);
}

async function ask(
  server: StandInApiServer,
  path: string,
  token: string,
): Promise<IncomingMessage> {
  const headers = token === '' ? {} : { authorization: `Bearer ${token}` };
  return new Promise((resolve, reject) => {
    http.get(`${server.url}${path}`, { headers }, resolve).on('error', reject);
  });
}

async function bodyIn(answer: IncomingMessage): Promise<string> {
  let text = '';
  for await (const chunk of answer.setEncoding('utf8')) text += chunk;
  return text;
}

/** The headers that were recorded: not those of HTTP itself, whose values differ with each answer. */
function headersOf({ headers }: IncomingMessage): object {
  const recorded = ['cache-control', 'content-type', 'transfer-encoding', 'x-content-type-options'];
  return Object.fromEntries(Object.entries(headers).filter(([name]) => recorded.includes(name)));
}

// The TCP connections under the requests: how many there are, how a dead one is noticed.
import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { textOf } from '../../src/cluster/api/connection/answer.ts';
import { ApiConnection } from '../../src/cluster/api/connection/connection.ts';
import type { ClusterAccess } from '../../src/cluster/api/connection/kubeconfig.ts';
import { AccessFolder } from './access.ts';
import { connectTo, Listener } from './listener.ts';
import { rawService } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';

const limits = { signal: new AbortController().signal, quietMs: () => 5000 };

function accessTo({ url }: StandInApiServer, folder: AccessFolder): ClusterAccess {
  return url.startsWith('https:') ? { kubeconfig: folder.kubeconfig(url, {}) } : { master: url };
}

const noServices = {
  kind: 'ServiceList',
  apiVersion: 'v1',
  metadata: { resourceVersion: '1' },
  items: [],
};

async function ask(connection: ApiConnection): Promise<string> {
  return textOf(await connection.get('/api/v1/services', limits), 1e6);
}

test.each(['HTTP', 'HTTPS'])(
  'requests of %s one after the other share a connection',
  async (how) => {
    using folder = new AccessFolder();
    await using server = await (how === 'HTTPS' ? folder.server() : StandInApiServer.start());
    const connection = await ApiConnection.open(accessTo(server, folder));
    let connections = 0;
    server.onConnection = () => (connections += 1);
    for (let n = 0; n < 5; n += 1) await ask(connection);
    expect(connections).toBe(1);
    connection.close();
  },
);

test('a request on a connection that the server has just closed is sent again', async () => {
  await using server = await StandInApiServer.start();
  const connection = await connectTo(server);
  await ask(connection);
  server.fail({ kind: 'reset' });
  expect(JSON.parse(await ask(connection))).toEqual(noServices);
  expect(server.requests).toHaveLength(3);
  // A new connection that is reset is a failure.
  server.dropConnections();
  await server.disconnected();
  server.fail({ kind: 'reset' }, { times: 2 });
  await expect(ask(connection)).rejects.toThrow('socket hang up');
  connection.close();
});

test('after a request that was never answered no idle connection is trusted', async () => {
  await using server = await StandInApiServer.start();
  const connection = await connectTo(server, { timing: { answerMs: 1000 } });
  await Promise.all([ask(connection), ask(connection)]);
  expect(server.connections).toBe(2);
  server.fail({ kind: 'silence' });
  await expect(ask(connection)).rejects.toThrow('nothing heard');
  await server.disconnected();
  expect(JSON.parse(await ask(connection))).toEqual(noServices);
  connection.close();
});

// Linux shows a socket's timer and when it goes off: 02 is that of keep-alive, in hundredths of a second.
test.each(['HTTP', 'HTTPS'])(
  'the kernel probes a quiet connection of %s after 30 s',
  async (how) => {
    using folder = new AccessFolder();
    await using server = await (how === 'HTTPS' ? folder.server() : StandInApiServer.start());
    server.store.set('Service', rawService('a'));
    const access =
      how === 'HTTPS' ? { kubeconfig: folder.kubeconfig(server.url, {}) } : { master: server.url };
    const connection = await ApiConnection.open(access);
    await using listener = await Listener.start(server, { connection });
    await listener.event('watching');
    const port = Number(new URL(server.url).port).toString(16).toUpperCase().padStart(4, '0');
    const timers = readFileSync('/proc/net/tcp', 'utf8')
      .split('\n')
      .map((line) => line.trim().split(/\s+/))
      .filter(([, , remote, state]) => remote === `0100007F:${port}` && state === '01')
      .map(([, , , , , timer = '']) => timer.split(':'));
    expect(timers.map(([active]) => active)).toEqual(['02']);
    const seconds = Number.parseInt(timers[0]?.[1] ?? '', 16) / 100;
    // The kernel counts down from 30 s.
    expect(seconds > 20 && seconds <= 30, `${seconds} s`).toBe(true);
  },
);

// What a load balancer is told at healthCheckNodePort, by real servers on loopback.
import { once } from 'node:events';
import { request } from 'node:http';
import { createServer, type AddressInfo } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import type { HealthCheck } from '../../../src/model/forwarding.ts';
import type { ServiceKey } from '../../../src/model/kubernetes.ts';
import { serviceKey } from '../../../src/model/kubernetes.ts';
import { HealthCheckNodePorts } from '../../../src/serve/health-check-node-ports.ts';

const [a, b, c] = ['a', 'b', 'c'].map((name) => serviceKey('ns', name)) as [
  ServiceKey,
  ServiceKey,
  ServiceKey,
];
const addresses = ['127.0.0.1'];

function stand() {
  const proxy = { isHealthy: true };
  const servers = new HealthCheckNodePorts(() => proxy.isHealthy);
  onTestFinished(() => servers.close());
  const set = (...checks: (readonly [ServiceKey, HealthCheck | undefined])[]) =>
    servers.update({ checks: new Map(checks), addresses });
  return { proxy, servers, set };
}

/** A port that was free a moment ago; while `hold` is given, it is taken. */
async function freePort(): Promise<number> {
  const { port, release } = await takenPort();
  await release();
  return port;
}

async function takenPort(): Promise<{ port: number; release: () => Promise<void> }> {
  const server = createServer();
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    async release() {
      server.close();
      await once(server, 'close');
    },
  };
}

type Answer = {
  readonly status: number | undefined;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly body: string;
};

async function ask(port: number, { path = '/', method = 'GET' } = {}): Promise<Answer> {
  const sent = request({ host: '127.0.0.1', port, path, method, agent: false });
  sent.end();
  const [response] = await once(sent, 'response');
  let body = '';
  for await (const chunk of response) body += String(chunk);
  const { connection: _, date, ...headers } = response.headers;
  expect(date).toMatch(/ GMT$/);
  return { status: response.statusCode, headers, body };
}

const headersWith = (localEndpoints: number) => ({
  'content-type': 'application/json',
  'transfer-encoding': 'chunked',
  'x-content-type-options': 'nosniff',
  'x-load-balancing-endpoint-weight': String(localEndpoints),
});

const bodyOf = (localEndpoints: number, isHealthy: boolean): string => `{
\t"service": {
\t\t"namespace": "ns",
\t\t"name": "a"
\t},
\t"localEndpoints": ${localEndpoints},
\t"serviceProxyHealthy": ${isHealthy}
}`;

async function summary(port: number): Promise<string> {
  try {
    const { status, headers } = await ask(port);
    return `${status} ${String(headers['x-load-balancing-endpoint-weight'])}`;
  } catch (error) {
    return (error as { code: string }).code;
  }
}

test('answers as kube-proxy does, at any path and to any method', async () => {
  const { set } = stand();
  const port = await freePort();
  expect(await set([a, { port, localEndpoints: 18 }])).toEqual([]);
  for (const how of [{}, { path: '/healthz?x=1' }, { method: 'POST' }, { method: 'DELETE' }]) {
    const body = bodyOf(18, true);
    expect(await ask(port, how)).toEqual({ status: 200, headers: headersWith(18), body });
  }
  expect((await ask(port, { method: 'HEAD' })).body).toBe('');
});

test('without endpoints here the load balancer is sent elsewhere', async () => {
  const { set } = stand();
  const port = await freePort();
  await set([a, { port, localEndpoints: 0 }]);
  const body = bodyOf(0, true);
  expect(await ask(port)).toEqual({ status: 503, headers: headersWith(0), body });
});

test('while the rules do not follow the cluster too, whatever endpoints there are', async () => {
  const { proxy, set } = stand();
  const port = await freePort();
  await set([a, { port, localEndpoints: 7 }]);
  proxy.isHealthy = false;
  const body = bodyOf(7, false);
  expect(await ask(port)).toEqual({ status: 503, headers: headersWith(7), body });
  proxy.isHealthy = true;
  expect(await summary(port)).toBe('200 7');
});

test('one goes, one stays, one moves and one comes', async () => {
  const { set } = stand();
  const [first, second, third, fourth] = [
    await takenPort(),
    await takenPort(),
    await takenPort(),
    await takenPort(),
  ];
  for (const { release } of [first, second, third, fourth]) await release();
  await set(
    [a, { port: first.port, localEndpoints: 1 }],
    [b, { port: second.port, localEndpoints: 2 }],
    [c, { port: third.port, localEndpoints: 3 }],
  );
  const d = serviceKey('ns', 'd');
  // The one that comes has the port that the one that moves leaves.
  const failures = await set(
    [a, undefined],
    [c, { port: fourth.port, localEndpoints: 3 }],
    [d, { port: third.port, localEndpoints: 4 }],
  );
  expect(failures).toEqual([]);
  const ports = [first, second, third, fourth].map(({ port }) => port);
  expect(await Promise.all(ports.map(summary))).toEqual([
    'ECONNREFUSED',
    '200 2',
    '200 4',
    '200 3',
  ]);
});

test('a port that is taken is told of, and tried again with the next update', async () => {
  const { set } = stand();
  const { port, release } = await takenPort();
  const check = { port, localEndpoints: 1 };
  // All that is asserted of the error is its code: its text is Node's.
  const failures = (await set([a, check])).concat(await set());
  const error = expect.objectContaining({ code: 'EADDRINUSE' });
  expect(failures).toEqual(Array(2).fill({ service: a, port, error }));
  await release();
  expect(await set()).toEqual([]);
  expect(await summary(port)).toBe('200 1');
});

test('a Service that goes is not tried again', async () => {
  const { set } = stand();
  const { port, release } = await takenPort();
  await set([a, { port, localEndpoints: 1 }]);
  await set([a, undefined]);
  await release();
  expect(await set()).toEqual([]);
  expect(await summary(port)).toBe('ECONNREFUSED');
});

test('moves to other addresses, or to none', async () => {
  const { servers, set } = stand();
  const port = await freePort();
  await set([a, { port, localEndpoints: 1 }]);
  await servers.update({ checks: new Map(), addresses: ['127.0.0.2'] });
  expect(await summary(port)).toBe('ECONNREFUSED');
  await servers.update({ checks: new Map(), addresses: [] });
  await servers.update({ checks: new Map(), addresses });
  expect(await summary(port)).toBe('200 1');
  servers.close();
  expect(await summary(port)).toBe('ECONNREFUSED');
});

// What load balancers and the kubelet are told of this node: rows 302 to 314 of kube-proxy's own tests.
import { describe, expect, test } from 'vitest';
import { decodeNode } from '../../../src/cluster/decode/node.ts';
import type { ClusterChange } from '../../../src/model/kubernetes.ts';
import type { ProxyStatus } from '../../../src/model/proxy-status.ts';
import { notFound } from '../../../src/serve/answer.ts';
import { healthAnswerer, type HealthPath } from '../../../src/serve/health.ts';
import { createMetrics } from '../../../src/serve/metrics/metrics.ts';
import { HealthListener } from '../../../src/daemon/serving/health-listener.ts';
import { ProxyHealth } from '../../../src/daemon/serving/proxy-health.ts';

type Json = Readonly<Record<string, unknown>>;

const startMs = Date.parse('2026-01-31T12:00:00Z');
const at = (seconds: number): string => new Date(startMs + seconds * 1000).toISOString();
// As Go prints a whole second.
const second = (seconds: number): string => at(seconds).replace('.000Z', 'Z');

/** An answer with this body, as it is sent. */
function answerOf(status: number, body: Json): object {
  const headers = { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' };
  return { status, headers, body };
}

/** What is told of a family. */
const family = (seconds: number, healthy: boolean): Json => ({
  lastUpdated: second(seconds),
  healthy,
});

/** A proxy whose sync period is 5 s, so that a change may wait 10 s, and what it answers. */
function stand() {
  const clock = { seconds: 0 };
  const health = new ProxyHealth({ now: () => clock.seconds * 1000, syncPeriodMs: 5000 });
  const nowMs = (): number => startMs + clock.seconds * 1000;
  const listener = new HealthListener(health, 'n1');
  const answers: string[] = [];
  const onAnswer = (path: HealthPath, status: number): void =>
    void answers.push(`${path} ${status}`);
  const answer = healthAnswerer({ status: () => listener.status, nowMs, onAnswer });
  return {
    health,
    listener,
    answers,
    pass: (seconds: number) => void (clock.seconds += seconds),
    ask: async (path: string): Promise<{ status: number; body: Json; headers: Json }> => {
      const { status, body, headers } = await answer(path);
      return { status, headers, body: JSON.parse(body) as Json };
    },
  };
}

function node({ spec = {}, ...metadata }: Json = {}): ClusterChange {
  const decoded = decodeNode({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: 'n1', ...metadata },
    spec,
  });
  if (decoded.kind !== 'object') throw new Error(decoded.kind);
  return { op: 'set', object: decoded.object };
}

const taints = (...keys: readonly string[]): Json => ({
  spec: { taints: keys.map((key) => ({ key, effect: 'NoSchedule' })) },
});

/** The same, of a node that is there, and that has been in step once in both families. */
function running() {
  const standing = stand();
  standing.listener.queued([node()]);
  standing.health.taken();
  standing.health.updated();
  return standing;
}

/** What that one tells at once. */
const inStep = {
  lastUpdated: second(0),
  currentTime: second(0),
  healthy: true,
  status: { IPv4: family(0, true), IPv6: family(0, true) },
};

describe('the state of the rules', () => {
  test('before anything was done is healthy, and there is no family to tell of', async () => {
    const { listener, health, ask } = stand();
    listener.queued([node()]);
    health.taken();
    expect(await ask('/healthz')).toEqual({
      status: 200,
      headers: { 'Content-Type': 'application/json', 'X-Content-Type-Options': 'nosniff' },
      body: { lastUpdated: second(0), currentTime: second(0), nodeEligible: true, healthy: true },
    });
  });

  test('of an idle proxy is that of this moment', async () => {
    const { pass, ask } = running();
    pass(25);
    expect(await ask('/healthz')).toEqual(
      answerOf(200, {
        lastUpdated: second(25),
        currentTime: second(25),
        nodeEligible: true,
        healthy: true,
        status: { IPv4: family(0, true), IPv6: family(0, true) },
      }),
    );
  });

  test.each([
    ['IPv4', [false, true]],
    ['IPv6', [true, false]],
  ] as const)('where a change of %s waits is told by family', async (waiting, [four, six]) => {
    const { health, pass, ask } = running();
    pass(25);
    health.queued(waiting);
    pass(25);
    const body = {
      lastUpdated: second(0),
      currentTime: second(50),
      healthy: false,
      status: { IPv4: family(0, four), IPv6: family(0, six) },
    };
    expect(await ask('/livez')).toEqual(answerOf(503, body));
    expect(await ask('/healthz')).toEqual(answerOf(503, { ...body, nodeEligible: true }));
  });

  test('is well again when the second family is', async () => {
    const { health, pass, ask } = running();
    health.queued();
    pass(25);
    const common = { currentTime: second(25), nodeEligible: true };
    expect(await ask('/healthz')).toEqual(
      answerOf(503, {
        ...common,
        lastUpdated: second(0),
        healthy: false,
        status: { IPv4: family(0, false), IPv6: family(0, false) },
      }),
    );
    health.taken();
    health.updated('IPv4');
    expect(await ask('/healthz')).toEqual(
      answerOf(503, {
        ...common,
        lastUpdated: second(25),
        healthy: false,
        status: { IPv4: family(25, true), IPv6: family(0, false) },
      }),
    );
    health.updated('IPv6');
    expect(await ask('/healthz')).toEqual(
      answerOf(200, {
        ...common,
        lastUpdated: second(25),
        healthy: true,
        status: { IPv4: family(25, true), IPv6: family(25, true) },
      }),
    );
  });

  test('at times of day that are no whole second is told as Go does', async () => {
    const { pass, ask } = running();
    pass(0.12);
    const { body } = await ask('/livez');
    expect(body['currentTime']).toBe('2026-01-31T12:00:00.12Z');
  });
});

describe('the Node', () => {
  test('of which nothing says anything may be used', async () => {
    const { listener, health, ask } = stand();
    health.updated();
    listener.queued([]);
    const { status, body } = await ask('/healthz');
    expect([status, body['nodeEligible']]).toEqual([200, true]);
  });

  test('may not be used before anything was heard of the cluster', async () => {
    const { ask } = stand();
    const body = { lastUpdated: second(0), currentTime: second(0), healthy: true };
    const never = { lastUpdated: '0001-01-01T00:00:00Z', nodeEligible: false };
    expect(await ask('/healthz')).toEqual(answerOf(503, { ...body, ...never }));
    expect(await ask('/livez')).toEqual(answerOf(200, body));
  });

  test.each<[name: string, what: Json, isEligible: boolean]>([
    ['with another taint', taints('other'), true],
    ['that the autoscaler is about to delete', taints('ToBeDeletedByClusterAutoscaler'), false],
    ['without that taint again', taints(), true],
    ['that is being deleted', { deletionTimestamp: '2026-01-31T12:00:00Z' }, false],
  ])('%s', async (_, what, nodeEligible) => {
    const { listener, health, ask } = running();
    listener.queued([node(taints('ToBeDeletedByClusterAutoscaler'))]);
    listener.queued([node(what)]);
    health.taken();
    const status = nodeEligible ? 200 : 503;
    expect(await ask('/healthz')).toEqual(answerOf(status, { ...inStep, nodeEligible }));
    expect(await ask('/livez')).toEqual(answerOf(200, inStep));
  });

  test('that is gone is as it was seen last', async () => {
    const { listener, health, ask } = running();
    listener.queued([{ op: 'delete', kind: 'Node', id: 'n1' }]);
    health.taken();
    expect(await ask('/healthz')).toEqual(answerOf(200, { ...inStep, nodeEligible: true }));
  });

  test('of another name is none of ours', async () => {
    const { listener, ask } = running();
    listener.queued([node({ name: 'n2', ...taints('ToBeDeletedByClusterAutoscaler') })]);
    expect(await ask('/healthz')).toEqual(answerOf(200, { ...inStep, nodeEligible: true }));
  });
});

test('an API server that cannot be heard is told of, and is no fault of this node', async () => {
  const cluster = { isConnected: false, sinceMs: startMs - 90_000 };
  const status: ProxyStatus = { families: [], isNodeEligible: true, cluster };
  const answer = healthAnswerer({ status: () => status, nowMs: () => startMs });
  const { status: code, body } = await answer('/healthz');
  expect(code).toBe(200);
  expect(JSON.parse(body)).toEqual({
    lastUpdated: second(0),
    currentTime: second(0),
    nodeEligible: true,
    healthy: true,
    apiServer: { connected: false, since: second(-90) },
  });
});

test('there is no other path', async () => {
  const { answers } = stand();
  const answer = healthAnswerer({
    status: () => ({ families: [], isNodeEligible: true }),
    nowMs: () => startMs,
  });
  for (const path of ['/', '/healthz/', '/metrics', '/livez/x', '']) {
    expect(await answer(path)).toEqual(notFound);
  }
  expect(answers).toEqual([]);
});

test('every answer is counted by its path and code', async () => {
  const { health, pass, ask, answers } = running();
  await ask('/healthz');
  health.queued();
  pass(25);
  await ask('/healthz');
  await ask('/livez');
  expect(answers).toEqual(['/healthz 200', '/healthz 503', '/livez 503']);
  const nowMs = (): number => startMs;
  const metrics = await createMetrics({
    mode: 'nftables',
    families: ['IPv4'],
    version: '1',
    nowMs,
    connections: { read: async () => Promise.reject(new Error('unread')), most: 0 },
    troubles: () => [],
  });
  metrics.healthAnswered('/healthz', 200);
  metrics.healthAnswered('/healthz', 503);
  metrics.healthAnswered('/healthz', 503);
  metrics.healthAnswered('/livez', 200);
  const { body } = await metrics.expose();
  expect(body.match(/^kubeproxy_proxy_\w+_total\{.*$/gm)).toEqual([
    'kubeproxy_proxy_healthz_total{code="200"} 1',
    'kubeproxy_proxy_healthz_total{code="503"} 2',
    'kubeproxy_proxy_livez_total{code="200"} 1',
    'kubeproxy_proxy_livez_total{code="503"} 0',
  ]);
});

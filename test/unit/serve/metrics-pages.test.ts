import { describe, expect, test } from 'vitest';
import { metricsAnswerer } from '../../../src/serve/metrics-pages.ts';

describe('the pages of the metrics server', () => {
  const document = { apiVersion: 'kubeproxy.config.k8s.io/v1alpha1', mode: 'iptables' };
  const answer = metricsAnswerer({
    mode: 'iptables',
    configuration: () => document,
    metrics: async () => ({ status: 200, headers: {}, body: 'all' }),
  });
  const plain = {
    'Content-Type': 'text/plain; charset=utf-8',
    'X-Content-Type-Options': 'nosniff',
  };

  test.each([
    ['/healthz', 200, 'ok'],
    ['/healthz/ping', 200, 'ok'],
    ['/proxyMode', 200, 'iptables'],
    ['/debug/pprof/', 404, '404 page not found\n'],
    ['/debug/objects', 404, '404 page not found\n'],
    ['/debug/status', 404, '404 page not found\n'],
    ['/status', 404, '404 page not found\n'],
    ['/', 404, '404 page not found\n'],
  ])('%s', async (path, status, body) => {
    expect(await answer(path)).toEqual({ status, headers: plain, body });
  });

  test('/metrics', async () => {
    expect(await answer('/metrics')).toEqual({ status: 200, headers: {}, body: 'all' });
  });

  test('/configz has the configuration under one key', async () => {
    const { status, headers, body } = await answer('/configz');
    expect([status, headers['Content-Type']]).toEqual([200, 'application/json']);
    expect(JSON.parse(body)).toEqual({ 'kubeproxy.config.k8s.io': document });
  });
});

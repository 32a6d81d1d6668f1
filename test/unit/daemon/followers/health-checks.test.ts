// Ports of health checks that cannot be had: the log and the Service's owner are told, once.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ClusterEvent } from '../../../../src/model/cluster-event.ts';
import type { ServiceKey } from '../../../../src/model/kubernetes.ts';
import { HealthChecks } from '../../../../src/daemon/followers/health-checks.ts';

test('a port that cannot be had is told of in kube-proxy’s words, and not again', async () => {
  const failure = { service: 'ns/web' as ServiceKey, port: 32_000, error: new Error('in use') };
  const events: ClusterEvent[] = [];
  const checks = new HealthChecks({
    servers: new Map([['IPv4', { update: async () => [failure] }]]),
    addresses: () => ['0.0.0.0'],
    record: (event) => void events.push(event),
    log: pino({ level: 'silent' }),
  });
  await checks.update('IPv4', { before: [], after: [] });
  await checks.update('IPv4', { before: [], after: [] });
  expect(events).toEqual([
    {
      regarding: { kind: 'Service', namespace: 'ns', name: 'web' },
      type: 'Warning',
      reason: 'FailedToStartServiceHealthcheck',
      action: 'Listen',
      note: 'healthCheckNodePort 32000 cannot be served on this node: in use',
    },
  ]);
});

import { describe, expect, test } from 'vitest';
import { decodeService } from '../../../../src/cluster/decode/service.ts';
import { service } from '../objects.ts';

type Json = Readonly<Record<string, unknown>>;

function decode(spec: Json) {
  const decoded = decodeService(service(spec));
  const object = decoded.kind === 'object' ? decoded.object : undefined;
  if (object?.kind !== 'Service') throw new Error(JSON.stringify(decoded));
  const { internalTrafficPolicy, externalTrafficPolicy } = object.value;
  const { affinitySeconds, healthCheckNodePort } = object.value;
  return { internalTrafficPolicy, externalTrafficPolicy, affinitySeconds, healthCheckNodePort };
}

function problems(spec: Json): readonly string[] {
  const decoded = decodeService(service(spec));
  if (decoded.kind !== 'bad') throw new Error(JSON.stringify(decoded));
  return decoded.problems.map(({ field, message }) => `${field}: ${message}`);
}

describe('external traffic policy Local', () => {
  const policy = { externalTrafficPolicy: 'Local' };

  test.each<[name: string, spec: Json, effective: string]>([
    ['not of a ClusterIP Service', {}, 'Cluster'],
    [
      'not of a ClusterIP Service with a node port',
      { ports: [{ port: 80, nodePort: 30080 }] },
      'Cluster',
    ],
    [
      'not of a ClusterIP Service with an empty list of external IPs',
      { externalIPs: [] },
      'Cluster',
    ],
    ['of a ClusterIP Service with an external IP', { externalIPs: ['203.0.113.5'] }, 'Local'],
    ['of a NodePort Service', { type: 'NodePort' }, 'Local'],
    ['of a LoadBalancer Service', { type: 'LoadBalancer' }, 'Local'],
  ])('takes effect as the type says: %s', (_, spec, effective) => {
    expect(decode({ ...spec, ...policy }).externalTrafficPolicy).toBe(effective);
  });

  test.each<[name: string, spec: Json, port: number]>([
    ['of a load balancer', { type: 'LoadBalancer', healthCheckNodePort: 345 }, 345],
    ['not given to a load balancer', { type: 'LoadBalancer' }, 0],
    ['zero', { type: 'LoadBalancer', healthCheckNodePort: 0 }, 0],
    ['of a NodePort Service', { type: 'NodePort', healthCheckNodePort: 345 }, 0],
    ['of an external IP', { externalIPs: ['203.0.113.5'], healthCheckNodePort: 345 }, 0],
  ])('decides over the port for health checks: %s', (_, spec, port) => {
    expect(decode({ ...spec, ...policy }).healthCheckNodePort).toBe(port);
  });
});

test('without external policy Local there is no port for health checks', () => {
  const spec = { type: 'LoadBalancer', healthCheckNodePort: 345 };
  expect(decode(spec).healthCheckNodePort).toBe(0);
  expect(decode({ ...spec, externalTrafficPolicy: 'Cluster' }).healthCheckNodePort).toBe(0);
});

test.each<[spec: Json, seconds: number]>([
  [{}, 0],
  [{ sessionAffinity: '' }, 0],
  [{ sessionAffinity: 'None' }, 0],
  [{ sessionAffinity: 'None', sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } } }, 0],
  [{ sessionAffinity: 'ClientIP' }, 10_800],
  [{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: null } }, 10_800],
  [{ sessionAffinity: 'ClientIP', sessionAffinityConfig: { clientIP: { timeoutSeconds: 1 } } }, 1],
  [
    {
      sessionAffinity: 'ClientIP',
      sessionAffinityConfig: { clientIP: { timeoutSeconds: 86_400 } },
    },
    86_400,
  ],
])('affinity for %j lasts %i seconds', (spec, seconds) => {
  expect(decode(spec).affinitySeconds).toBe(seconds);
});

test('policies that are empty or absent are Cluster', () => {
  const cluster = {
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    affinitySeconds: 0,
    healthCheckNodePort: 0,
  };
  const spec = { type: 'NodePort', internalTrafficPolicy: '', externalTrafficPolicy: '' };
  expect(decode(spec)).toEqual(cluster);
  expect(decode({ type: 'NodePort' })).toEqual(cluster);
});

const timeout = (timeoutSeconds: unknown): Json => ({
  sessionAffinity: 'ClientIP',
  sessionAffinityConfig: { clientIP: { timeoutSeconds } },
});
const timeoutField = 'spec.sessionAffinityConfig.clientIP.timeoutSeconds';

test.each<[problem: string, spec: Json]>([
  [`${timeoutField}: 0 is not a timeout (1 to 86400 seconds)`, timeout(0)],
  [`${timeoutField}: 86401 is not a timeout (1 to 86400 seconds)`, timeout(86_401)],
  [`${timeoutField}: 1.5 is not a timeout (1 to 86400 seconds)`, timeout(1.5)],
  [`${timeoutField}: "60" is not a number`, timeout('60')],
  [
    'spec.sessionAffinityConfig: 7 is not an object',
    { sessionAffinity: 'ClientIP', sessionAffinityConfig: 7 },
  ],
  ['spec.sessionAffinity: "Cookie" is not one of None, ClientIP', { sessionAffinity: 'Cookie' }],
  [
    'spec.internalTrafficPolicy: "local" is not one of Cluster, Local',
    { internalTrafficPolicy: 'local' },
  ],
  ['spec.externalTrafficPolicy: 7 is not a string', { externalTrafficPolicy: 7 }],
  [
    'spec.healthCheckNodePort: 65536 is not a port (1 to 65535)',
    { type: 'LoadBalancer', externalTrafficPolicy: 'Local', healthCheckNodePort: 65_536 },
  ],
])('a Service is bad where %s', (problem, spec) => {
  expect(problems(spec)).toEqual([problem]);
});

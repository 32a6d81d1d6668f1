// What a load balancer is told that asks this node whether it has endpoints.
import { describe, expect, test } from 'vitest';
import type { ClusterObject } from '../../../src/model/kubernetes.ts';
import { resolveService } from '../../../src/resolve/service.ts';
import { decoded, forwardingOf, rawService, serviceOf, sliceOf, view } from './objects.ts';

describe('a load balancer that asks for health', () => {
  const spec = {
    type: 'LoadBalancer',
    externalTrafficPolicy: 'Local',
    healthCheckNodePort: 345,
    ports: [
      { name: 'p', port: 80 },
      { name: 'q', port: 443 },
    ],
  };
  const health = (endpoints: readonly string[]): unknown =>
    resolveService(
      serviceOf(spec),
      [sliceOf('s1', { ports: { p: 8080, q: 8443 }, endpoints })],
      view,
    ).healthCheck;

  test.each<[name: string, endpoints: readonly string[], localEndpoints: number]>([
    ['none without endpoints', [], 0],
    ['none where all are elsewhere', ['10.0.1.1@node-2', '10.0.1.2'], 0],
    ['one, although it has two ports', ['10.0.1.1@node-1'], 1],
    ['not the ending one', ['10.0.1.1@node-1', '10.0.1.2@node-1 unready terminating'], 1],
    ['none where all here are ending', ['10.0.1.1@node-1 unready terminating'], 0],
    [
      'the ready ones alone',
      ['10.0.1.1@node-1', '10.0.1.2@node-1', '10.0.1.3@node-1', '10.0.1.4@node-1 unready'],
      3,
    ],
    [
      'none where none here is ready',
      ['10.0.1.1@node-1 unready', '10.0.1.2@node-1 unready terminating'],
      0,
    ],
  ])('is told of endpoints here: %s', (_, endpoints, localEndpoints) => {
    expect(health(endpoints)).toEqual({ port: 345, localEndpoints });
  });

  test('has one port for all ports of the Service', () => {
    const { frontends, healthCheck } = resolveService(serviceOf(spec), [], view);
    expect(frontends).toHaveLength(2);
    expect(healthCheck).toEqual({ port: 345, localEndpoints: 0 });
  });

  test('is told of each Service by itself', () => {
    const objects = ['a', 'b'].flatMap((name, index) => [
      decoded(rawService({ ...spec, healthCheckNodePort: 300 + index }, { name })),
      {
        kind: 'EndpointSlice',
        id: `ns/${name}`,
        value: sliceOf(name, {
          service: name,
          ports: { p: 80 },
          endpoints: index === 0 ? ['10.0.1.1@node-1', '10.0.1.2@node-1'] : ['10.0.1.1@node-1'],
        }),
      } as const,
    ]);
    expect(forwardingOf(objects).map(({ healthCheck }) => healthCheck)).toEqual([
      { port: 300, localEndpoints: 2 },
      { port: 301, localEndpoints: 1 },
    ]);
  });

  test('is told as long as the Service is such a one', () => {
    const ports = (...numbers: readonly number[]) =>
      numbers.map((port) => ({ name: `p${port}`, port, protocol: 'UDP' }));
    const plain = decoded(rawService({ ports: ports(1, 2, 3) }, { name: 'a' }));
    const others = [
      decoded(rawService({ type: 'NodePort', ports: ports(1, 2) }, { name: 'b' })),
      decoded(rawService({ type: 'LoadBalancer', ports: ports(1, 2, 3) }, { name: 'c' })),
      decoded(rawService({ ...spec, ports: ports(1, 2) }, { name: 'd' })),
    ];
    expect(counted([plain, ...others])).toEqual({ frontends: 10, healthPorts: [345] });
    const smaller = decoded(rawService({ ports: ports(1) }, { name: 'a' }));
    expect(counted([smaller])).toEqual({ frontends: 1, healthPorts: [] });
    const asking = decoded(rawService({ ...spec, ports: ports(1, 2) }, { name: 'a' }));
    expect(counted([asking])).toEqual({ frontends: 2, healthPorts: [345] });
  });
});

function counted(objects: readonly ClusterObject[]) {
  const all = forwardingOf(objects);
  return {
    frontends: all.flatMap(({ frontends }) => frontends).length,
    healthPorts: all.flatMap(({ healthCheck }) => healthCheck?.port ?? []),
  };
}

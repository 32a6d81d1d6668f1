// What answers at the addresses of a Service, by its policies and its endpoints.
import { describe, expect, test } from 'vitest';
import type { Route } from '../../../src/model/forwarding.ts';
import type { EndpointSlice } from '../../../src/model/kubernetes.ts';
import { internalSource } from '../../../src/resolve/context.ts';
import { resolveService } from '../../../src/resolve/service.ts';
import { pods, serviceOf, sliceOf, view } from './objects.ts';

type Json = Readonly<Record<string, unknown>>;

describe('what answers', () => {
  const here = sliceOf('s1', { endpoints: ['10.0.1.1@node-1', '10.0.1.2@node-2'] });
  const elsewhere = sliceOf('s1', { endpoints: ['10.0.1.3@node-2', '10.0.1.4@node-3'] });
  const ending = sliceOf('s1', {
    endpoints: ['10.0.1.3@node-2 unready terminating', '10.0.1.4@node-3 unready terminating'],
  });
  const unready = sliceOf('s1', { endpoints: ['10.0.1.1@node-1 unready'] });
  const [iTP, eTP] = [{ internalTrafficPolicy: 'Local' }, { externalTrafficPolicy: 'Local' }];
  const cluster = 'forward all 1 2';
  const internal = 'forward from-outside-the-pod-network';

  test.each<[name: string, spec: Json, slice: EndpointSlice, inside: string, outside: string]>([
    ['both policies Cluster', {}, here, `${internal} 1 2`, cluster],
    ['inside Local', iTP, here, `${internal} 1`, cluster],
    ['outside Local', eTP, here, `${internal} 1 2`, 'forward-local 1; cluster 1 2'],
    ['both Local', { ...iTP, ...eTP }, here, `${internal} 1`, 'forward-local 1; cluster 1 2'],
    [
      'both Local, with endpoints elsewhere alone',
      { ...iTP, ...eTP },
      elsewhere,
      'drop',
      'forward-local ; cluster 3 4',
    ],
    [
      'both Local, with endpoints elsewhere alone that are ending',
      { ...iTP, ...eTP },
      ending,
      'drop',
      'forward-local ; cluster 3 4',
    ],
    [
      'both Local, without an endpoint that serves',
      { ...iTP, ...eTP },
      unready,
      'reject',
      'reject',
    ],
    ['without an endpoint that serves', {}, unready, 'reject', 'reject'],
  ])('%s', (_, spec, slice, inside, outside) => {
    const service = serviceOf({
      type: 'NodePort',
      ports: [{ port: 80, nodePort: 30080 }],
      ...spec,
    });
    const { frontends } = resolveService(service, [slice], view);
    expect(frontends.map(({ kind, route }) => [kind, routeText(route)])).toEqual([
      ['ClusterIP', inside],
      ['NodePort', outside],
    ]);
  });

  test('external policy Local where nothing outside reaches the Service, all of the cluster', () => {
    const { frontends } = resolveService(serviceOf(eTP), [here], view);
    expect(frontends.map(({ route }) => routeText(route))).toEqual([`${internal} 1 2`]);
  });

  test('to a ClusterIP alone, with internal policy Local, those of this node alone', () => {
    const { frontends } = resolveService(serviceOf(iTP), [here], view);
    expect(frontends.map(({ route }) => routeText(route))).toEqual([`${internal} 1`]);
  });

  test('is masqueraded at ClusterIPs for all clients where masqueradeAll says so', () => {
    const service = serviceOf({ type: 'NodePort', ports: [{ port: 80, nodePort: 30080 }], ...eTP });
    const { frontends } = resolveService(service, [here], {
      ...view,
      internal: internalSource(true, pods),
    });
    expect(frontends.map(({ route }) => routeText(route))).toEqual([
      'forward all 1 2',
      'forward-local 1; cluster 1 2',
    ]);
  });

  test('stays with its client for the time that the Service says', () => {
    const seconds = (spec: Json): readonly number[] =>
      resolveService(serviceOf({ ...spec, ports: [{ port: 80, nodePort: 30080 }] }), [here], view)
        .frontends.flatMap(({ route }) => pools(route))
        .map(({ affinitySeconds }) => affinitySeconds);
    expect(seconds({ type: 'NodePort', ...eTP })).toEqual([0, 0, 0]);
    expect(seconds({ type: 'NodePort', ...eTP, sessionAffinity: 'ClientIP' })).toEqual([
      10_800, 10_800, 10_800,
    ]);
  });
});

function pools(route: Route) {
  return route.kind === 'forward-local' ? [route.pool, route.cluster] : [route.pool];
}

/** Such as `forward all 1 2`, with the last numbers of the endpoints. */
function routeText(route: Route): string {
  const [pool = '', cluster = ''] = pools(route).map(({ members }) =>
    members.map(({ ip }) => ip.split('.').at(-1)).join(' '),
  );
  switch (route.kind) {
    case 'forward':
      return `forward ${route.masquerade} ${pool}`;
    case 'forward-local':
      return `forward-local ${pool}; cluster ${cluster}`;
    case 'drop':
    case 'reject':
      return pool === '' ? route.kind : `${route.kind} with ${pool}`;
  }
}

// What a pass takes up: everything, but of a Service with very many endpoints a portion.
import { expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { Ip } from '../../../src/model/ip.ts';
import {
  serviceKey,
  type ClusterChange,
  type EndpointSlice,
} from '../../../src/model/kubernetes.ts';
import { portionOf } from '../../../src/daemon/portion.ts';

const state = { nodeName: undefined, ready: true, serving: true, terminating: false };

/** A slice of a Service with so many endpoints at so many ports. */
function slice(service: string, name: string, [endpoints, ports]: [number, number]): ClusterChange {
  const value: EndpointSlice = {
    namespace: 'demo',
    name,
    service: serviceKey('demo', service),
    family: 'IPv4',
    ports: Array.from({ length: ports }, (_, at) => ({
      name: `p${at}`,
      protocol: 'tcp',
      port: 1000 + at,
    })),
    endpoints: Array.from({ length: endpoints }, (_, at) => ({
      ip: `10.0.0.${at + 1}` as Ip,
      state: { ...state, zoneHints: [], nodeHints: [] },
    })),
  };
  return { op: 'set', object: { kind: 'EndpointSlice', id: `demo/${name}`, value } };
}

const wide = (name: string): ClusterChange => slice('wide', name, [100, 49]);
const small = (name: string): ClusterChange => slice(name, `${name}-1`, [3, 1]);

test('all that is small goes at once, each change of it', () => {
  const changes = [small('a'), small('b'), small('a')];
  expect(portionOf(changes, new ClusterState('n1'))).toEqual({ now: changes, later: [] });
});

test('small Services go first, and of a large one what there is room for', () => {
  const [one, two, three, a, b] = [wide('1'), wide('2'), wide('3'), small('a'), small('b')];
  const known = new ClusterState('n1');
  const first = portionOf([one, two, a, three, b], known);
  expect(first).toEqual({ now: [one, two, a, b], later: [three] });
  expect(portionOf(first.later, known)).toEqual({ now: [three], later: [] });
});

test('of an object that waits only its last change is taken up, once', () => {
  const [old, mended] = [small('a'), slice('a', 'a-1', [4, 1])];
  const changes = [old, wide('1'), wide('2'), wide('3'), mended];
  expect(portionOf(changes, new ClusterState('n1'))).toEqual({
    now: [mended, wide('1'), wide('2')],
    later: [wide('3')],
  });
});

test('a slice that is larger than a portion goes alone', () => {
  const [huge, next] = [slice('wide', '1', [300, 100]), slice('wide', '2', [300, 100])];
  const known = new ClusterState('n1');
  expect(portionOf([huge, next], known)).toEqual({ now: [huge], later: [next] });
});

test('slices that go weigh what they were', () => {
  const known = new ClusterState('n1');
  known.apply([wide('1'), wide('2'), wide('3')]);
  const gone = ['1', '2', '3'].map((name): ClusterChange => ({
    op: 'delete',
    kind: 'EndpointSlice',
    id: `demo/${name}`,
  }));
  const { now, later } = portionOf(gone, known);
  expect([now, later]).toEqual([gone.slice(0, 2), gone.slice(2)]);
});

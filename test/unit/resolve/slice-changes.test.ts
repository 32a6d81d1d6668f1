// What becomes of endpoints from one version of the slices to the next. A Service that is stale has its
// UDP flows looked through; one that is not keeps them untouched.
import { describe, expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { ClusterChange, Protocol, ServiceKey } from '../../../src/model/kubernetes.ts';
import { collectEndpoints } from '../../../src/resolve/endpoints.ts';
import { candidateText, sliceOf, view } from './objects.ts';
import type { SliceSpec } from './objects.ts';

/** Slices by name. */
type Slices = Readonly<Record<string, Partial<SliceSpec>>>;

type Row = [
  name: string,
  before: Slices,
  after: Slices,
  expected: {
    /** The Services that are stale. */
    readonly stale: readonly string[];
    /** The endpoints of each Service port that has any, such as `svc:p`. */
    readonly endpoints: Readonly<Record<string, readonly string[]>>;
  },
];

function slice(name: string, spec: Partial<SliceSpec>) {
  return sliceOf(name, { protocol: 'UDP', ports: { p: 53 }, endpoints: [], ...spec });
}

function changes(slices: Slices): readonly ClusterChange[] {
  return Object.entries(slices).map(([name, spec]) => {
    const value = slice(name, spec);
    return { op: 'set', object: { kind: 'EndpointSlice', id: `ns/${name}`, value } };
  });
}

/** The change from one version to the next, as a source would tell it. */
function follow(before: Slices, after: Slices) {
  const state = new ClusterState(view.nodeName);
  state.apply(changes(before));
  const gone = Object.keys(before).filter((name) => !Object.hasOwn(after, name));
  const { services } = state.apply([
    ...gone.map((name) => ({ op: 'delete', kind: 'EndpointSlice', id: `ns/${name}` }) as const),
    ...changes(after),
  ]);
  const stale = [...services].map((key) => key.replace('ns/', '')).toSorted();
  return { stale, endpoints: endpointsIn(state, [before, after]) };
}

function endpointsIn(state: ClusterState, versions: readonly Slices[]) {
  const ports = versions.flatMap((slices) =>
    Object.entries(slices).flatMap(([name, spec]) => {
      const { service, ports: own } = slice(name, spec);
      return own.map((port) => [service, port.name] as const);
    }),
  );
  const endpoints: Record<string, readonly string[]> = {};
  for (const [service, name] of ports) {
    const found = endpointsOf(state, service, name);
    const id = `${service.replace('ns/', '')}:${name}`;
    if (found.length > 0) endpoints[id] = found;
  }
  return endpoints;
}

function endpointsOf(state: ClusterState, service: ServiceKey, name: string): readonly string[] {
  const query = { ...view, slices: state.slices(service) };
  const protocol: Protocol = 'udp';
  return collectEndpoints({ name, protocol }, query).map(candidateText);
}

const one = { s1: { endpoints: ['10.1.1.1'] } };
const twoPorts = { p: 53, q: 54 };

describe('slices that stay as they are make no Service stale', () => {
  test.each<Row>([
    ['without endpoints', { s1: {} }, { s1: {} }, { stale: [], endpoints: {} }],
    [
      'with a port without a name',
      { s1: { ports: { '': 53 }, endpoints: ['10.1.1.1'] } },
      { s1: { ports: { '': 53 }, endpoints: ['10.1.1.1'] } },
      { stale: [], endpoints: { 'svc:': ['10.1.1.1:53'] } },
    ],
    [
      'with an endpoint here',
      { s1: { endpoints: ['10.1.1.1@node-1'] } },
      { s1: { endpoints: ['10.1.1.1@node-1'] } },
      { stale: [], endpoints: { 'svc:p': ['10.1.1.1:53 local'] } },
    ],
    [
      'several, with several ports',
      { s1: { ports: twoPorts, endpoints: ['10.1.1.1'] }, s2: { endpoints: ['10.1.1.2@node-1'] } },
      { s1: { ports: twoPorts, endpoints: ['10.1.1.1'] }, s2: { endpoints: ['10.1.1.2@node-1'] } },
      {
        stale: [],
        endpoints: { 'svc:p': ['10.1.1.1:53', '10.1.1.2:53 local'], 'svc:q': ['10.1.1.1:54'] },
      },
    ],
    [
      'of several Services',
      { s1: { endpoints: ['10.1.1.1'] }, s2: { service: 'b', endpoints: ['10.1.1.1@node-1'] } },
      { s1: { endpoints: ['10.1.1.1'] }, s2: { service: 'b', endpoints: ['10.1.1.1@node-1'] } },
      { stale: [], endpoints: { 'svc:p': ['10.1.1.1:53'], 'b:p': ['10.1.1.1:53 local'] } },
    ],
  ])('%s', (_, before, after, expected) => {
    expect(follow(before, after)).toEqual(expected);
  });
});

describe('endpoints follow', () => {
  test.each<Row>([
    [
      'a slice that comes',
      {},
      { s1: { endpoints: ['10.1.1.1@node-1'] } },
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:53 local'] } },
    ],
    ['a slice that goes', one, {}, { stale: ['svc'], endpoints: {} }],
    [
      'an address and a port that come',
      one,
      { s1: { ports: twoPorts, endpoints: ['10.1.1.1', '10.1.1.2@node-1'] } },
      {
        stale: ['svc'],
        endpoints: {
          'svc:p': ['10.1.1.1:53', '10.1.1.2:53 local'],
          'svc:q': ['10.1.1.1:54', '10.1.1.2:54 local'],
        },
      },
    ],
    [
      'an address and a port that go',
      { s1: { ports: twoPorts, endpoints: ['10.1.1.1', '10.1.1.2@node-1'] } },
      one,
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:53'] } },
    ],
    [
      'a second slice of a Service that comes',
      one,
      { ...one, s2: { ports: { q: 54 }, endpoints: ['10.1.1.2'] } },
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:53'], 'svc:q': ['10.1.1.2:54'] } },
    ],
    [
      'a second slice of a Service that goes',
      { ...one, s2: { ports: { q: 54 }, endpoints: ['10.1.1.2'] } },
      one,
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:53'] } },
    ],
    [
      'a port with a new name',
      one,
      { s1: { ports: { q: 53 }, endpoints: ['10.1.1.1'] } },
      { stale: ['svc'], endpoints: { 'svc:q': ['10.1.1.1:53'] } },
    ],
    [
      'a port with a new number',
      one,
      { s1: { ports: { p: 5353 }, endpoints: ['10.1.1.1'] } },
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:5353'] } },
    ],
    [
      'an address in a slice that had none',
      { s1: {} },
      one,
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:53'] } },
    ],
    [
      'an endpoint that is ending',
      { s1: { endpoints: ['10.1.1.1@node-1'] } },
      { s1: { endpoints: ['10.1.1.1@node-1 unready terminating'] } },
      { stale: ['svc'], endpoints: { 'svc:p': ['10.1.1.1:53 local unready terminating'] } },
    ],
    [
      'an ending endpoint that is gone',
      { s1: { endpoints: ['10.1.1.1 unready terminating'] } },
      { s1: {} },
      { stale: ['svc'], endpoints: {} },
    ],
    [
      'a slice that grows and moves here, beside one that stays',
      { s1: { endpoints: ['10.1.1.1', '10.1.1.2'] }, s2: { endpoints: ['10.1.2.1'] } },
      {
        s1: { endpoints: ['10.1.1.1@node-1', '10.1.1.2@node-1', '10.1.1.3@node-1'] },
        s2: { endpoints: ['10.1.2.1'] },
      },
      {
        stale: ['svc'],
        endpoints: {
          'svc:p': ['10.1.1.1:53 local', '10.1.1.2:53 local', '10.1.1.3:53 local', '10.1.2.1:53'],
        },
      },
    ],
    [
      'a slice of one port more, with addresses that overlap',
      { s1: { ports: twoPorts, endpoints: ['10.1.1.1', '10.1.1.2'] } },
      {
        s1: { ports: twoPorts, endpoints: ['10.1.1.1', '10.1.1.2'] },
        s2: { endpoints: ['10.1.1.2', '10.1.1.3'] },
      },
      {
        stale: ['svc'],
        endpoints: {
          'svc:p': ['10.1.1.1:53', '10.1.1.2:53', '10.1.1.3:53'],
          'svc:q': ['10.1.1.1:54', '10.1.1.2:54'],
        },
      },
    ],
    [
      'readiness that comes back, beside a slice that stays',
      {
        s1: { endpoints: ['10.1.1.1 unready not-serving', '10.1.1.2 unready not-serving'] },
        s2: { endpoints: ['10.1.2.1'] },
      },
      { s1: { endpoints: ['10.1.1.1', '10.1.1.2 unready'] }, s2: { endpoints: ['10.1.2.1'] } },
      {
        stale: ['svc'],
        endpoints: { 'svc:p': ['10.1.1.1:53', '10.1.1.2:53 unready', '10.1.2.1:53'] },
      },
    ],
    [
      'many changes of several Services at once',
      {
        s1: { endpoints: ['10.1.1.1', '10.1.1.2'] },
        s2: { service: 'b', endpoints: ['10.1.2.1@node-1', '10.1.2.2'] },
        s3: { service: 'c', endpoints: ['10.1.3.1@node-1'] },
        s4: { service: 'd', endpoints: ['10.1.4.1@node-1'] },
      },
      {
        s1: { endpoints: ['10.1.1.1', '10.1.1.9'] },
        s2: { service: 'b', ports: { q: 53 }, endpoints: ['10.1.2.2'] },
        s4: { service: 'd', endpoints: ['10.1.4.1@node-1'] },
        s5: { service: 'e', endpoints: ['10.1.5.1'] },
      },
      {
        stale: ['b', 'c', 'e', 'svc'],
        endpoints: {
          'svc:p': ['10.1.1.1:53', '10.1.1.9:53'],
          'b:q': ['10.1.2.2:53'],
          'd:p': ['10.1.4.1:53 local'],
          'e:p': ['10.1.5.1:53'],
        },
      },
    ],
  ])('%s', (_, before, after, expected) => {
    expect(follow(before, after)).toEqual(expected);
  });
});

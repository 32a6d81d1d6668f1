// Which endpoints a node uses: for all of the cluster, for its own, and whether there is any at all.
// The node is node-1 in zone a unless told.
import { describe, expect, test } from 'vitest';
import type { Pool } from '../../../src/model/forwarding.ts';
import { collectEndpoints } from '../../../src/resolve/endpoints.ts';
import type { NodeView } from '../../../src/resolve/select.ts';
import { selectEndpoints } from '../../../src/resolve/select.ts';
import { sliceOf, view } from './objects.ts';

type Row = [
  name: string,
  endpoints: readonly string[],
  expected: { readonly cluster: string; readonly local: string; readonly hasAny: boolean },
  node?: Partial<NodeView>,
];

/** The last numbers of a pool's members: `1 3`. */
function hosts({ members }: Pool): string {
  return members.map(({ ip }) => ip.split('.').at(-1)).join(' ');
}

const service = { object: 'Service ns/svc', affinitySeconds: 0 } as const;

function select(endpoints: readonly string[], node: Partial<NodeView> = {}) {
  const slices = [sliceOf('s1', { endpoints })];
  const port = { name: '', protocol: 'tcp' } as const;
  return selectEndpoints(
    collectEndpoints(port, { ...view, slices }),
    { ...view, ...node },
    service,
  );
}

function summary(endpoints: readonly string[], node?: Partial<NodeView>) {
  const { cluster, local, hasAny } = select(endpoints, node);
  return { cluster: hosts(cluster), local: hosts(local), hasAny };
}

describe('with hints for zones', () => {
  test.each<Row>([
    [
      'those of the own zone are used',
      ['10.0.1.1 zone=a', '10.0.1.2 zone=b', '10.0.1.3 zone=c', '10.0.1.4 zone=a'],
      { cluster: '1 4', local: '', hasAny: true },
    ],
    [
      'those of this node are used by policy Local, whatever their zone',
      [
        '10.0.1.1@node-1 zone=a',
        '10.0.1.2@node-1 zone=b',
        '10.0.1.3@node-2 zone=c',
        '10.0.1.4@node-2 zone=a',
      ],
      { cluster: '1 4', local: '1 2', hasAny: true },
    ],
    [
      'here and elsewhere, cluster and local overlap',
      [
        '10.0.1.1@node-1 zone=a',
        '10.0.1.2@node-1 zone=b',
        '10.0.1.3@node-2 zone=a',
        '10.0.1.4@node-2 zone=b',
      ],
      { cluster: '1 3', local: '1 2', hasAny: true },
    ],
    [
      'all are used by a node without a zone',
      ['10.0.1.1 zone=a', '10.0.1.2 zone=b'],
      { cluster: '1 2', local: '', hasAny: true },
      { zone: '' },
    ],
    [
      'all are used by a node without a zone, although a hint has no name either',
      ['10.0.1.1 zone=', '10.0.1.2 zone=b'],
      { cluster: '1 2', local: '', hasAny: true },
      { zone: '' },
    ],
    [
      'all are used by a node of a zone that no hint names',
      ['10.0.1.1 zone=a'],
      { cluster: '1', local: '', hasAny: true },
      { zone: 'b' },
    ],
    [
      'only ready ones of the own zone are used',
      ['10.0.1.1 zone=a unready', '10.0.1.2 zone=a', '10.0.1.3 zone=b'],
      { cluster: '2', local: '', hasAny: true },
    ],
    [
      'ready ones of other zones are used where none of the own zone is ready',
      ['10.0.1.1 zone=a unready', '10.0.1.2 zone=b', '10.0.1.3 zone=c'],
      { cluster: '2 3', local: '', hasAny: true },
    ],
    [
      'all are used where one ready endpoint has no hint',
      ['10.0.1.1 zone=a', '10.0.1.2', '10.0.1.3 zone=b'],
      { cluster: '1 2 3', local: '', hasAny: true },
    ],
    [
      'a missing hint of an endpoint that is not ready is no reason to use all',
      ['10.0.1.1 zone=a', '10.0.1.2 unready', '10.0.1.3 zone=b'],
      { cluster: '1', local: '', hasAny: true },
    ],
    [
      'of several zones, one that is the own is enough',
      ['10.0.1.1 zone=a,b,c', '10.0.1.2 zone=b,c', '10.0.1.3 zone=b,d', '10.0.1.4 zone=c'],
      { cluster: '1 2 4', local: '', hasAny: true },
      { zone: 'c' },
    ],
    [
      'none is left out where all that serve are ending',
      ['10.0.1.1 zone=a unready terminating', '10.0.1.2 zone=b unready terminating'],
      { cluster: '1 2', local: '', hasAny: true },
    ],
  ])('%s', (_, endpoints, expected, node) => {
    expect(summary(endpoints, node)).toEqual(expected);
  });
});

describe('with hints for nodes', () => {
  test.each<Row>([
    [
      'those for this node are used, before those for its zone',
      ['10.0.1.1 zone=a node=node-1', '10.0.1.2 zone=a node=node-2', '10.0.1.3 zone=a node=node-3'],
      { cluster: '1', local: '', hasAny: true },
    ],
    [
      'all are used where one endpoint has no hint at all',
      ['10.0.1.1 zone=a node=node-1', '10.0.1.2 zone=b node=node-2', '10.0.1.3'],
      { cluster: '1 2 3', local: '', hasAny: true },
    ],
    [
      'those for the zone are used where no hint names this node',
      ['10.0.1.1 zone=a node=node-2', '10.0.1.2 zone=b node=node-3', '10.0.1.3 zone=a node=node-4'],
      { cluster: '1 3', local: '', hasAny: true },
    ],
    [
      'those for the zone are used where one endpoint has no hint for a node',
      ['10.0.1.1 zone=a node=node-1', '10.0.1.2 zone=b node=node-2', '10.0.1.3 zone=a'],
      { cluster: '1 3', local: '', hasAny: true },
    ],
  ])('%s', (_, endpoints, expected, node) => {
    expect(summary(endpoints, node)).toEqual(expected);
  });
});

describe('without hints', () => {
  test.each<Row>([
    ['no endpoint is no endpoint', [], { cluster: '', local: '', hasAny: false }],
    [
      'endpoints elsewhere count, although none is here',
      ['10.0.1.1@node-2', '10.0.1.2@node-2'],
      { cluster: '1 2', local: '', hasAny: true },
    ],
    [
      'all are local where all are here',
      ['10.0.1.1@node-1', '10.0.1.2@node-1'],
      { cluster: '1 2', local: '1 2', hasAny: true },
    ],
    [
      'local are those here alone',
      ['10.0.1.1@node-1', '10.0.1.2@node-2'],
      { cluster: '1 2', local: '1', hasAny: true },
    ],
    [
      'an endpoint of no known node is not local',
      ['10.0.1.1', '10.0.1.2@node-1'],
      { cluster: '1 2', local: '2', hasAny: true },
    ],
    [
      'none is used where none is ready',
      ['10.0.1.1@node-1 unready', '10.0.1.2@node-2 unready'],
      { cluster: '', local: '', hasAny: false },
    ],
    [
      'the ready one is used',
      ['10.0.1.1@node-1 unready', '10.0.1.2@node-2'],
      { cluster: '2', local: '', hasAny: true },
    ],
    [
      'all that end but still serve are used where none is ready',
      ['10.0.1.1@node-1 unready terminating', '10.0.1.2@node-2 unready terminating'],
      { cluster: '1 2', local: '1', hasAny: true },
    ],
    [
      'those elsewhere that end but still serve are used for the cluster alone',
      ['10.0.1.1@node-2 unready terminating', '10.0.1.2@node-3 unready terminating'],
      { cluster: '1 2', local: '', hasAny: true },
    ],
    [
      'each choice falls back to ending endpoints on its own',
      [
        '10.0.1.1@node-2',
        '10.0.1.2@node-1 unready not-serving',
        '10.0.1.3@node-1 unready terminating',
        '10.0.1.4@node-2 unready terminating',
      ],
      { cluster: '1', local: '3', hasAny: true },
    ],
    [
      'an ending endpoint is not used beside a ready one here',
      ['10.0.1.1@node-1', '10.0.1.2@node-1 unready terminating'],
      { cluster: '1', local: '1', hasAny: true },
    ],
    [
      'an endpoint that is neither ready, nor serving, nor ending is not used',
      ['10.0.1.1@node-1 unready not-serving'],
      { cluster: '', local: '', hasAny: false },
    ],
    [
      'an endpoint that ends and serves no more is not used',
      ['10.0.1.1@node-1 unready not-serving terminating'],
      { cluster: '', local: '', hasAny: false },
    ],
    [
      'an endpoint that serves without being ready or ending is not used',
      ['10.0.1.1@node-1 unready'],
      { cluster: '', local: '', hasAny: false },
    ],
  ])('%s', (_, endpoints, expected, node) => {
    expect(summary(endpoints, node)).toEqual(expected);
  });
});

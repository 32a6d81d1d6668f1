// Who has an address that two Services claim, and by which field.
import { expect, test } from 'vitest';
import type { Ip } from '../../../src/model/ip.ts';
import { serviceKey } from '../../../src/model/kubernetes.ts';
import { conflictText, type Reason } from '../../../src/model/reason.ts';
import { Claims } from '../../../src/resolve/claims.ts';
import { resolveService } from '../../../src/resolve/service.ts';
import { serviceOf, view } from './objects.ts';

const [january, june] = ['2026-01-01T00:00:00Z', '2026-06-01T00:00:00Z'];

type Claimant = readonly [key: string, createdAt: string];

test.each<[name: string, loser: Claimant, winner: Claimant, reason: Reason, words: string]>([
  [
    'the older one',
    ['ns/a', june],
    ['ns/b', january],
    {
      kind: 'older',
      object: 'Service ns/b',
      field: 'metadata.creationTimestamp',
      value: january,
    },
    'ns/b is older and has it',
  ],
  [
    'one with a creation time before one without',
    ['ns/a', ''],
    ['ns/b', june],
    {
      kind: 'has-creation-time',
      object: 'Service ns/b',
      field: 'metadata.creationTimestamp',
      value: june,
    },
    'ns/b has it: it has a creation time, the other has none',
  ],
  [
    'the first by name where neither has a creation time',
    ['ns/b', ''],
    ['ns/a', ''],
    { kind: 'name-sorts-first', object: 'Service ns/a', field: 'metadata.name', value: 'a' },
    'ns/a has it: neither is older, and its namespace/name sorts first',
  ],
  [
    'the first by namespace where both are equally old',
    ['two/a', june],
    ['one/b', june],
    {
      kind: 'name-sorts-first',
      object: 'Service one/b',
      field: 'metadata.namespace',
      value: 'one',
    },
    'one/b has it: neither is older, and its namespace/name sorts first',
  ],
])('%s', (_, loser, winner, reason, words) => {
  const claims = new Claims();
  const frontendsOf = ([key]: Claimant) => {
    const [namespace = '', name = ''] = key.split('/');
    const service = { ...serviceOf(), key: serviceKey(namespace, name), namespace, name };
    return resolveService(service, [], view).frontends;
  };
  const all = [loser, winner];
  for (const claimant of all) {
    const [key, createdAt] = claimant;
    claims.set({ key: key as never, createdAt }, frontendsOf(claimant));
  }
  const [frontend] = frontendsOf(loser);
  expect(claims.settle(frontendsOf(loser))).toEqual({
    won: [],
    conflicts: [{ frontend, winner: winner[0], reason }],
  });
  expect(claims.settle(frontendsOf(winner)).conflicts).toEqual([]);
  expect(conflictText(winner[0], reason as never)).toBe(words);
});

test('no Service takes the address at which this node reaches the API server, but by a ClusterIP', () => {
  const claims = new Claims();
  claims.at({ nodePortIps: [], apiServers: ['tcp 10.96.0.1 443', 'tcp 203.0.113.1 443'] });
  const spec = { externalIPs: ['203.0.113.1'], ports: [{ name: 'https', port: 443 }] };
  const service = serviceOf({ clusterIP: '10.96.0.1', clusterIPs: ['10.96.0.1'], ...spec });
  const { frontends } = resolveService(service, [], view);
  claims.set(service, frontends);
  const { won, conflicts } = claims.settle(frontends);
  expect(won.map(({ kind }) => kind)).toEqual(['ClusterIP']);
  expect(conflicts).toEqual([
    {
      frontend: frontends.find(({ kind }) => kind === 'ExternalIP'),
      winner: 'the API server',
      reason: {
        kind: 'is-api-server',
        object: 'this node',
        field: 'API server',
        value: '203.0.113.1:443',
      },
    },
  ]);
});

test('a node port that comes takes the address of the node from another claim, and gives it back', () => {
  const node = '192.168.0.2';
  const claims = new Claims();
  claims.at({ nodePortIps: [node as Ip], apiServers: [] });
  const of = (key: string, spec: Parameters<typeof serviceOf>[0]) => {
    const [namespace = '', name = ''] = key.split('/');
    const service = { ...serviceOf(spec), key: serviceKey(namespace, name), namespace, name };
    return { service, frontends: resolveService(service, [], view).frontends };
  };
  const ports = [{ name: 'http', port: 30080, targetPort: 80 }];
  const taker = of('ns/taker', {
    clusterIP: '10.96.0.2',
    clusterIPs: ['10.96.0.2'],
    externalIPs: [node, '203.0.113.1'],
    ports,
  });
  const owner = of('ns/owner', {
    type: 'NodePort',
    clusterIP: '10.96.0.1',
    clusterIPs: ['10.96.0.1'],
    ports: [{ name: 'http', port: 80, nodePort: 30080 }],
  });
  const lost = () => claims.settle(taker.frontends).conflicts;
  claims.set(taker.service, taker.frontends);
  expect(lost()).toEqual([]);
  expect(claims.set(owner.service, owner.frontends)).toEqual(new Set(['ns/taker']));
  expect(lost()).toEqual([
    {
      frontend: taker.frontends.find(({ address: { ip } }) => ip === node),
      winner: 'ns/owner',
      reason: {
        kind: 'is-node-port',
        object: 'Service ns/owner',
        field: 'spec.ports[].nodePort',
        value: '30080',
      },
    },
  ]);
  expect(claims.delete(owner.service.key)).toEqual(new Set(['ns/taker']));
  expect(lost()).toEqual([]);
});

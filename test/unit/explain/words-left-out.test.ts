// What explain says in words of endpoints that are left out, and of packets for no Service port; and that no
// name gets at the terminal.
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, test } from 'vitest';
import { explanationText } from '../../../src/cli/explain/text.ts';
import { nearMissText } from '../../../src/cli/explain/words.ts';
import { skipWords } from '../../../src/model/reason.ts';
import type { Explanation } from '../../../src/explain/explanation.ts';
import { answerTo, here, shop, there, toClusterIp, why, type Ask } from './shop.ts';

const upToEndpoints = [
  'configuration: clusterCIDR 10.244.0.0/16: the sender is a pod',
  'Service web/shop: spec.clusterIPs[0] 10.96.0.10: its own address in the cluster',
  'Service web/shop: spec.ports[0].port tcp 80 (http): the Service port that it is for',
  'Service web/shop: spec.internalTrafficPolicy Cluster: endpoints on any node count',
];
const keptForPod =
  'configuration: clusterCIDR 10.244.0.0/16: from a pod, so the source address is kept';

describe('endpoints that are left out', () => {
  const notReady = { conditions: { ready: false } };
  const ending = { conditions: { ready: false, serving: true, terminating: true } };
  const ended = { conditions: { ready: false, serving: false, terminating: true } };
  const zone = (name: string) => ({ hints: { forZones: [{ name }] } });
  const forNode = (name: string) => ({ hints: { forNodes: [{ name }] } });
  const left = (raws: readonly object[]) =>
    answerTo({ raws, to: toClusterIp }).pool?.skipped.map(({ ip, reason }) => [
      ip,
      skipWords[reason.kind],
      `${reason.object}: ${reason.field} ${reason.value}`,
    ]);

  test('for their conditions', () => {
    const endpoints = [
      here,
      { ip: '10.244.1.21', ...notReady },
      { ip: '10.244.1.22', ...ending },
      { ip: '10.244.1.23', ...ended },
    ];
    const slice = 'EndpointSlice web/shop-x: endpoints[].conditions';
    expect(left(shop({}, endpoints))).toEqual([
      ['10.244.1.21', 'not ready', `${slice}.ready false`],
      ['10.244.1.22', 'terminating, and others are ready', `${slice}.terminating true`],
      ['10.244.1.23', 'terminating, and no longer serving', `${slice}.serving false`],
    ]);
  });

  test('for the node they are on', () => {
    expect(left(shop({ internalTrafficPolicy: 'Local' }, [here, there]))).toEqual([
      ['10.244.2.11', 'not on this node', 'EndpointSlice web/shop-x: endpoints[].nodeName node-2'],
    ]);
  });

  test.each([
    [
      'zone',
      zone('zone-a'),
      zone('zone-b'),
      'forZones zone-b',
      'labels["topology.kubernetes.io/zone"] zone-a',
    ],
    ['node', forNode('node-1'), forNode('node-2'), 'forNodes node-2', 'name node-1'],
  ])('for another %s', (by, ours, theirs, field, own) => {
    const raws = shop({}, [
      { ...here, ...ours },
      { ...there, ...theirs },
    ]);
    expect(left(raws)).toEqual([
      [
        '10.244.2.11',
        `meant for another ${by}`,
        `EndpointSlice web/shop-x: endpoints[].hints.${field}`,
      ],
    ]);
    expect(why({ raws, to: toClusterIp })).toEqual([
      ...upToEndpoints,
      `Node node-1: metadata.${own}: every ready endpoint has a hint, and some are for this ${by}: only those count`,
      keptForPod,
    ]);
  });

  test('those that end stand in where none is ready', () => {
    const raws = shop({}, [{ ...here, ...ending }]);
    expect(why({ raws, to: toClusterIp })).toEqual([
      ...upToEndpoints,
      'EndpointSlice web/shop-x: endpoints[].conditions.serving true: no endpoint is ready: those that are terminating but still serve stand in',
      keptForPod,
    ]);
  });
});

describe('packets that are not for a Service port', () => {
  const raws = shop(
    { type: 'LoadBalancer', ports: [{ name: 'http', port: 80, nodePort: 30080 }] },
    [here],
  );
  const near = (ask: Ask): readonly string[] => answerTo(ask).nearMisses.map(nearMissText);

  test('another port, another protocol', () => {
    expect(why({ raws, to: 'tcp 10.96.0.10 81' }).at(-1)).toBe(
      'Service web/shop: spec.clusterIPs 10.96.0.10: no port of it is the one asked for: refused',
    );
    expect(near({ raws, to: 'tcp 10.96.0.10 81' })).toEqual([
      'Service web/shop has this address, with other ports: tcp 80 (http) (Service web/shop: spec.ports tcp 80 (http))',
    ]);
    expect(near({ raws, to: 'udp 10.96.0.10 80' })).toEqual([
      'Service web/shop has this port with another protocol: tcp 80 (http) (Service web/shop: spec.ports tcp 80 (http))',
    ]);
    expect(why({ raws, to: 'tcp 10.96.0.10 81', mode: 'iptables' }).at(-1)).toBe(
      'Service web/shop: spec.clusterIPs 10.96.0.10: no port of it is the one asked for: left as it is',
    );
  });

  test('an address that no Service has', () => {
    expect(why({ raws, to: 'tcp 10.96.0.9 443' }).at(-1)).toBe(
      'ServiceCIDR kubernetes: spec.cidrs[0] 10.96.0.0/16: no rule: no Service has this address of the range: dropped',
    );
  });

  test('a node port at an address that takes none, and with another protocol', () => {
    const ask = { raws, to: 'tcp 127.0.0.1 30080', from: 'node 127.0.0.1' };
    expect(why(ask).slice(1)).toEqual([
      'address tcp 127.0.0.1:30080: no Service has this address and port: left as it is',
      'configuration: nodePortAddresses primary: node ports do not answer at this address',
    ]);
    const cause = '(Service web/shop: spec.ports[].nodePort tcp 30080)';
    expect(near(ask)).toEqual([
      `Service web/shop has this node port, at other addresses of this node: tcp 30080 ${cause}`,
    ]);
    expect(near({ raws, to: 'udp 192.168.10.11 30080' })).toEqual([
      `Service web/shop has this port with another protocol: tcp 30080 ${cause}`,
    ]);
  });

  test("an endpoint's own address", () => {
    expect(near({ raws, to: 'tcp 10.244.1.11 8080' })).toEqual([
      'Service web/shop has this endpoint: asked directly, past the Service, 10.244.1.11:8080 answers or not by itself (EndpointSlice web/shop-x: endpoints[].addresses 10.244.1.11)',
    ]);
  });

  test('a load balancer that has no address yet', () => {
    expect(near({ raws, to: 'tcp 203.0.113.77 80', from: 'outside 198.51.100.1' })).toEqual([
      'Service web/shop has no address yet, but 10.96.0.10 (Service web/shop: status.loadBalancer.ingress)',
    ]);
  });

  test('headless and ExternalName Services', () => {
    const headless = {
      kind: 'Service',
      metadata: { name: 'db', namespace: 'web' },
      spec: { clusterIP: 'None' },
    };
    const slice = {
      kind: 'EndpointSlice',
      metadata: {
        name: 'db-1',
        namespace: 'web',
        labels: { 'kubernetes.io/service-name': 'db', 'service.kubernetes.io/headless': '' },
      },
      endpoints: [{ addresses: ['10.244.1.31'], targetRef: { kind: 'Pod', name: 'db-0' } }],
    };
    expect(near({ raws, to: 'tcp 10.244.1.31 5432', asides: [headless, slice] })).toEqual([
      'Service web/db is headless: it has no address, and its clients reach the pods directly (Service web/db: spec.clusterIP None)',
    ]);
  });
});

test('no name and no field can reach the terminal as a command', () => {
  const hostile = '\u001B[31m\u0007\u202E\nnot';
  const cause = { object: `Service ${hostile}`, field: hostile, value: hostile } as const;
  const answer = answerTo({ raws: shop({}, [here, there]), to: toClusterIp });
  const [first, ...rest] = answer.pool?.members ?? [];
  const poisoned: Explanation = {
    ...answer,
    pool: {
      policy: 'Cluster',
      members: [{ ...first!, slice: hostile, nodeName: hostile, isLocal: false }, ...rest],
      skipped: [
        {
          ...first!,
          reason: { kind: 'other-zone', ...cause },
        },
      ],
    },
    decisions: [
      {
        kind: 'older',
        loser: hostile as never,
        ...cause,
      },
    ],
    service: { key: hostile as never, portName: hostile },
    rules: [{ table: hostile, chain: hostile, text: hostile, elements: [hostile], share: 1 }],
    nearMisses: [
      {
        kind: 'external-name',
        service: hostile,
        has: hostile,
        cause,
      },
    ],
  };
  const text = explanationText(poisoned, { mode: 'nftables', paint: (_style, plain) => plain });
  expect(text).toBe(stripVTControlCharacters(text));
  expect(text).not.toMatch(/[^\n\P{C}]/u);
  expect(text.split('\n').filter((line) => line.startsWith('not'))).toEqual([]);
});

// Why endpoints of a pool were chosen and others left out: kind, object, field and value. The node is node-1 in zone a.
import { describe, expect, test } from 'vitest';
import { hostPort } from '../../../src/model/forwarding.ts';
import type { Pool } from '../../../src/model/forwarding.ts';
import type { Reason } from '../../../src/model/reason.ts';
import { collectEndpoints } from '../../../src/resolve/endpoints.ts';
import { selectEndpoints } from '../../../src/resolve/select.ts';
import { sliceOf, view } from './objects.ts';

const object = 'Service ns/svc';

function select(endpoints: readonly string[], affinitySeconds = 0) {
  const slices = [sliceOf('s1', { endpoints })];
  const candidates = collectEndpoints({ name: '', protocol: 'tcp' }, { ...view, slices });
  return selectEndpoints(candidates, view, { object, affinitySeconds });
}

test('every endpoint is used, or left out for a reason', () => {
  const { cluster, local } = select([
    '10.0.1.1@node-1 zone=a',
    '10.0.1.2@node-2 zone=b,c',
    '10.0.1.3@node-1 unready',
    '10.0.1.4@node-1 unready terminating',
    '10.0.1.5@node-2 unready not-serving terminating',
  ]);
  expect([cluster, local].map(reasons)).toEqual([
    [
      '10.0.1.2:80 other-zone: EndpointSlice ns/s1 endpoints[].hints.forZones = b, c',
      '10.0.1.3:80 not-ready: EndpointSlice ns/s1 endpoints[].conditions.ready = false',
      '10.0.1.4:80 terminating-beside-ready: EndpointSlice ns/s1 endpoints[].conditions.terminating = true',
      '10.0.1.5:80 terminating-not-serving: EndpointSlice ns/s1 endpoints[].conditions.serving = false',
    ],
    [
      '10.0.1.2:80 not-local: EndpointSlice ns/s1 endpoints[].nodeName = node-2',
      '10.0.1.3:80 not-ready: EndpointSlice ns/s1 endpoints[].conditions.ready = false',
      '10.0.1.4:80 terminating-beside-ready: EndpointSlice ns/s1 endpoints[].conditions.terminating = true',
      '10.0.1.5:80 not-local: EndpointSlice ns/s1 endpoints[].nodeName = node-2',
    ],
  ]);
  const hinted = select(['10.0.1.1 node=node-1', '10.0.1.2 node=node-2,node-3']);
  expect(reasons(hinted.cluster)).toEqual([
    '10.0.1.2:80 other-node: EndpointSlice ns/s1 endpoints[].hints.forNodes = node-2, node-3',
  ]);
});

test('endpoints that are left out alike share one reason', () => {
  const endpoints = Array.from({ length: 50 }, (_, n) => `10.0.1.${n}@node-${2 + (n % 2)}`);
  const { skipped } = select(endpoints).local;
  expect([skipped.length, new Set(skipped.map(({ reason }) => reason)).size]).toEqual([50, 2]);
});

describe('a pool says what it was chosen by', () => {
  const zone = 'Node node-1 metadata.labels["topology.kubernetes.io/zone"] = a';
  test.each<[string, readonly string[], cluster: readonly string[], local: readonly string[]]>([
    ['no hints', ['10.0.1.1@node-1'], [], []],
    [
      'zone hints that leave some out',
      ['10.0.1.1@node-1 zone=a', '10.0.1.2 zone=b'],
      [`zone-hints: ${zone}`],
      [],
    ],
    [
      'zone hints that leave nobody out',
      ['10.0.1.1@node-1 zone=a', '10.0.1.2 zone=a'],
      [`zone-hints: ${zone}`],
      [],
    ],
    [
      'node hints',
      ['10.0.1.1@node-1 node=node-1'],
      ['node-hints: Node node-1 metadata.name = node-1'],
      [],
    ],
    [
      'none here',
      ['10.0.1.1@node-2'],
      [],
      ['no-local-endpoints: Service ns/svc EndpointSlices = '],
    ],
    [
      'none anywhere',
      [],
      ['no-endpoints: Service ns/svc EndpointSlices = '],
      ['no-endpoints: Service ns/svc EndpointSlices = '],
    ],
    [
      'draining endpoints',
      ['10.0.1.1@node-1 unready terminating'],
      ['draining: EndpointSlice ns/s1 endpoints[].conditions.serving = true'],
      ['draining: EndpointSlice ns/s1 endpoints[].conditions.serving = true'],
    ],
  ])('%s', (_, endpoints, ...expected) => {
    const { cluster, local } = select(endpoints);
    expect([cluster, local].map((pool) => pool.reasons.map(reasonText))).toEqual(expected);
  });
});

test('affinity is one of the reasons', () => {
  const affinity =
    'affinity: Service ns/svc spec.sessionAffinityConfig.clientIP.timeoutSeconds = 600';
  const { cluster, local } = select(['10.0.1.1@node-1'], 600);
  expect([cluster, local].map((pool) => pool.reasons.map(reasonText))).toEqual([
    [affinity],
    [affinity],
  ]);
});

function reasons({ skipped }: Pool): readonly string[] {
  return skipped.map(
    ({ endpoint: { ip, port }, reason }) => `${hostPort(ip, port)} ${reasonText(reason)}`,
  );
}

function reasonText({ kind, object, field, value }: Reason): string {
  return `${kind}: ${object} ${field} = ${value}`;
}

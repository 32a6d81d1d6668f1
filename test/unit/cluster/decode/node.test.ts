import { describe, expect, test } from 'vitest';
import { decodeNode } from '../../../../src/cluster/decode/node.ts';

type Json = Readonly<Record<string, unknown>>;

const zoneLabel = 'topology.kubernetes.io/zone';

function node({ labels, deletionTimestamp, ...parts }: Json): Json {
  const metadata = { name: 'n1', labels, deletionTimestamp };
  return { apiVersion: 'v1', kind: 'Node', metadata, ...parts };
}

function decode(raw: Json) {
  const decoded = decodeNode(raw);
  if (decoded.kind !== 'object') throw new Error(decoded.kind);
  const { object, problems } = decoded;
  return {
    value: object.value,
    problems: problems.map(({ field, message }) => `${field}: ${message}`),
  };
}

const plain = { name: 'n1', podCidrs: [], ips: [], zone: '', isEligible: true };
const internal = (address: unknown) => ({ type: 'InternalIP', address });
const external = (address: unknown) => ({ type: 'ExternalIP', address });

describe('a Node', () => {
  test.each<[name: string, parts: Json, expected: Json]>([
    ['nothing yet', {}, {}],
    [
      'ranges of pods',
      { spec: { podCIDRs: ['10.244.1.9/24', 'FD00:1::/64'] } },
      { podCidrs: ['10.244.1.0/24', 'fd00:1::/64'] },
    ],
    ['one range of pods', { spec: { podCIDR: '10.244.1.0/24' } }, { podCidrs: ['10.244.1.0/24'] }],
    ['a zone', { labels: { [zoneLabel]: 'eu-1a' } }, { zone: 'eu-1a' }],
    ['an empty zone', { labels: { [zoneLabel]: '' } }, {}],
    ['another label', { labels: { 'topology.kubernetes.io/region': 'eu' } }, {}],
    ['a taint', { spec: { taints: [{ key: 'node.kubernetes.io/unschedulable' }] } }, {}],
    [
      'the taint of the cluster autoscaler',
      {
        spec: {
          taints: [
            { key: 'other' },
            { key: 'ToBeDeletedByClusterAutoscaler', value: '1735689600', effect: 'NoSchedule' },
          ],
        },
      },
      { isEligible: false },
    ],
    ['a time to go', { deletionTimestamp: '2026-01-31T12:00:00Z' }, { isEligible: false }],
  ])('has %s', (_, parts, expected) => {
    expect(decode(node(parts))).toEqual({ value: { ...plain, ...expected }, problems: [] });
  });

  test.each<[name: string, addresses: readonly Json[], ips: readonly string[]]>([
    ['the internal one', [{ type: 'Hostname', address: 'n1' }, internal('10.0.0.1')], ['10.0.0.1']],
    ['the first internal one', [internal('10.0.0.1'), internal('10.0.0.2')], ['10.0.0.1']],
    ['internal before external', [external('203.0.113.1'), internal('10.0.0.1')], ['10.0.0.1']],
    ['the external one without another', [external('203.0.113.1')], ['203.0.113.1']],
    [
      'the first, and the first of the other family',
      [internal('FD00::1'), internal('fd00::2'), internal('10.0.0.1'), internal('10.0.0.2')],
      ['fd00::1', '10.0.0.1'],
    ],
    [
      'an external one of the family that has no internal one',
      [external('fd00::9'), external('203.0.113.1'), internal('10.0.0.1')],
      ['10.0.0.1', 'fd00::9'],
    ],
    ['one that is twice there once', [internal('10.0.0.1'), external('10.0.0.1')], ['10.0.0.1']],
    ['none of names', [{ type: 'InternalDNS', address: 'a.b' }], []],
    ['loopback, as it is', [internal('127.0.0.1')], ['127.0.0.1']],
    ['an odd spelling, made plain', [internal('010.000.0.01')], ['10.0.0.1']],
  ])('has of its addresses %s', (_, addresses, ips) => {
    expect(decode(node({ status: { addresses } }))).toEqual({
      value: { ...plain, ips },
      problems: [],
    });
  });

  test.each<[problem: string, parts: Json, expected: Json]>([
    [
      'status.addresses[0].address: "x" is not an IP address',
      { status: { addresses: [internal('x'), internal('10.0.0.1')] } },
      { ips: ['10.0.0.1'] },
    ],
    [
      'status.addresses[0].address: 7 is not a string',
      { status: { addresses: [internal(7), internal('10.0.0.1')] } },
      { ips: ['10.0.0.1'] },
    ],
    [
      'status.addresses[0]: 7 is not an object',
      { status: { addresses: [7, internal('10.0.0.1')] } },
      { ips: ['10.0.0.1'] },
    ],
    ['status: 7 is not an object', { status: 7 }, {}],
    ['spec.taints[0].key: 7 is not a string', { spec: { taints: [{ key: 7 }] } }, {}],
    ['metadata.labels: 7 is not an object', { labels: 7 }, {}],
    [
      `metadata.labels["${zoneLabel}"]: "a\\u001b" is not the value of a label`,
      { labels: { [zoneLabel]: 'a\u001b' } },
      {},
    ],
    [
      'spec.podCIDRs[0]: "10.0.0.0/33" is not a CIDR',
      { spec: { podCIDRs: ['10.0.0.0/33', '10.0.0.0/8'] } },
      { podCidrs: ['10.0.0.0/8'] },
    ],
  ])('loses just what is wrong: %s', (problem, parts, expected) => {
    expect(decode(node(parts))).toEqual({ value: { ...plain, ...expected }, problems: [problem] });
  });
});

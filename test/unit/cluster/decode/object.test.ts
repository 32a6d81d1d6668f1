import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeObject } from '../../../../src/cluster/decode/object.ts';
import { service, slice } from '../objects.ts';

const node = (spec: unknown) => ({
  apiVersion: 'v1',
  kind: 'Node',
  metadata: { name: 'n1' },
  spec,
});

const serviceCidr = (cidrs: unknown, version = 'v1') => ({
  apiVersion: `networking.k8s.io/${version}`,
  kind: 'ServiceCIDR',
  metadata: { name: 'kubernetes' },
  spec: { cidrs },
});

describe('an object', () => {
  test.each([
    ['Service default/web', service()],
    ['EndpointSlice default/web-1', slice()],
    ['Node n1', node({})],
    ['ServiceCIDR kubernetes', serviceCidr([])],
    ['ServiceCIDR kubernetes', serviceCidr([], 'v1beta1')],
  ])('is decoded by its kind: %s', (name, raw) => {
    const decoded = decodeObject(raw);
    expect(decoded.kind === 'object' && `${decoded.object.kind} ${decoded.object.id}`).toBe(name);
  });

  test('a CIDR that is none is left out of a Node and of a ServiceCIDR', () => {
    expect(decodeObject(node({ podCIDRs: ['10.0.0.0/33', '10.0.0.0/8'] }))).toEqual({
      kind: 'object',
      object: {
        kind: 'Node',
        id: 'n1',
        value: { name: 'n1', podCidrs: ['10.0.0.0/8'], ips: [], zone: '', isEligible: true },
      },
      problems: [
        {
          field: 'spec.podCIDRs[0]',
          path: ['spec', 'podCIDRs', 0],
          message: '"10.0.0.0/33" is not a CIDR',
        },
      ],
    });
    expect(decodeObject(serviceCidr(['10.96.0.0/12', 7]))).toEqual({
      kind: 'object',
      object: {
        kind: 'ServiceCIDR',
        id: 'kubernetes',
        value: { name: 'kubernetes', cidrs: ['10.96.0.0/12'] },
      },
      problems: [
        { field: 'spec.cidrs[1]', path: ['spec', 'cidrs', 1], message: '7 is not a string' },
      ],
    });
  });

  test.each([
    ['a Pod', { apiVersion: 'v1', kind: 'Pod' }, 'kind "Pod" is not read'],
    ['an Endpoints', { apiVersion: 'v1', kind: 'Endpoints' }, 'kind "Endpoints" is not read'],
    [
      'a Service of Knative',
      { ...service(), apiVersion: 'serving.knative.dev/v1' },
      '"serving.knative.dev/v1" is not read',
    ],
    [
      'a kind out of Object',
      { apiVersion: 'v1', kind: '__proto__' },
      'kind "__proto__" is not read',
    ],
  ])('is ignored where it is %s', (_, raw, why) => {
    expect(decodeObject(raw)).toEqual({ kind: 'ignored', id: '', why });
  });

  test.each<[message: string, raw: unknown]>([
    [': "text" is not an object', 'text'],
    [': a list is not an object', []],
    ['kind: is missing', { apiVersion: 'v1' }],
    ['kind: 1 is not a string', { apiVersion: 'v1', kind: 1 }],
    ['apiVersion: is missing', { kind: 'Service' }],
    ['apiVersion: "v2" is not v1', { ...service(), apiVersion: 'v2' }],
    [
      'apiVersion: "discovery.k8s.io/v1beta1" is not discovery.k8s.io/v1',
      { ...slice(), apiVersion: 'discovery.k8s.io/v1beta1' },
    ],
  ])('is bad: %s', (message, raw) => {
    const decoded = decodeObject(raw);
    const problems = decoded.kind === 'bad' ? decoded.problems : [];
    expect(problems.map((problem) => `${problem.field}: ${problem.message}`)).toEqual([message]);
  });

  test('may hold anything anywhere, and decoding never throws nor prints what a terminal obeys', () => {
    const junk = fc.jsonValue({ maxDepth: 3 });
    const keys = [
      'metadata',
      'spec',
      'ports',
      'endpoints',
      'addressType',
      'labels',
      'name',
      'status',
      'addresses',
      'externalIPs',
      'loadBalancerSourceRanges',
      'sessionAffinity',
      'sessionAffinityConfig',
      'externalTrafficPolicy',
      'internalTrafficPolicy',
    ];
    const object = fc.dictionary(fc.constantFrom(...keys), junk);
    const base = fc.constantFrom<Readonly<Record<string, unknown>>>(
      service(),
      slice(),
      node({}),
      serviceCidr([]),
    );
    fc.assert(
      fc.property(
        base,
        object,
        fc.dictionary(fc.constantFrom(...keys), junk),
        (raw, over, spec) => {
          const decoded = decodeObject({
            ...raw,
            ...over,
            spec: { ...(raw['spec'] as object | undefined), ...spec },
          });
          const problems = decoded.kind === 'ignored' ? [] : decoded.problems;
          for (const { field, message } of problems) {
            expect(`${field}${message}`).not.toMatch(/[\p{C}\p{Zl}\p{Zp}]/u);
          }
        },
      ),
      { numRuns: 500 },
    );
  });
});

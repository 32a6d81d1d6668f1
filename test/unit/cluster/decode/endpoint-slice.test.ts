import { describe, expect, test } from 'vitest';
import { decodeEndpointSlice } from '../../../../src/cluster/decode/endpoint-slice.ts';
import type { Problem } from '../../../../src/cluster/problem.ts';
import { slice } from '../objects.ts';

const fieldAndMessage = ({ field, message }: Problem) => ({ field, message });

const plainState = {
  nodeName: undefined,
  ready: true,
  serving: true,
  terminating: false,
  zoneHints: [],
  nodeHints: [],
};
const plainEndpoint = { ip: '10.244.1.2', state: plainState };

const plainSlice = {
  namespace: 'default',
  name: 'web-1',
  service: 'default/web',
  family: 'IPv4',
  ports: [{ name: '', protocol: 'tcp', port: 8080 }],
  endpoints: [plainEndpoint],
};

/** What the slice is decoded to; of its problems the fields and the messages. */
function decode(raw: unknown) {
  const decoded = decodeEndpointSlice(raw);
  if (decoded.kind === 'ignored') return decoded;
  return { ...decoded, problems: decoded.problems.map(fieldAndMessage) };
}

/** The slice `default/web-1` with fields replaced, beside one problem. */
function objectBeside(
  fields: object,
  problem: { readonly field: string; readonly message: string },
) {
  const value = { ...plainSlice, ...fields };
  return {
    kind: 'object',
    object: { kind: 'EndpointSlice', id: 'default/web-1', value },
    problems: [problem],
  };
}

describe('an EndpointSlice', () => {
  test('is completed with the defaults of the API server and of kube-proxy', () => {
    expect(decodeEndpointSlice(slice())).toEqual({
      kind: 'object',
      object: { kind: 'EndpointSlice', id: 'default/web-1', value: plainSlice },
      problems: [],
    });
  });

  test('keeps conditions, nodes, and of several addresses the first', () => {
    const raw = slice(
      {
        addressType: 'IPv6',
        ports: [{ name: 'dns', protocol: 'UDP', port: 53 }],
        endpoints: [
          {
            addresses: ['FD00::2', 'fd00::3'],
            nodeName: 'node-1.example',
            conditions: { ready: false, serving: null, terminating: true },
            hints: {
              forZones: [{ name: 'zone-a' }, { name: 'Zone_B.1' }],
              forNodes: [{ name: 'node-1.example' }],
            },
          },
        ],
      },
      { namespace: 'ns', name: 'a.b' },
    );
    expect(decodeEndpointSlice(raw)).toEqual({
      kind: 'object',
      object: {
        kind: 'EndpointSlice',
        id: 'ns/a.b',
        value: {
          namespace: 'ns',
          name: 'a.b',
          service: 'ns/web',
          family: 'IPv6',
          ports: [{ name: 'dns', protocol: 'udp', port: 53 }],
          endpoints: [
            {
              ip: 'fd00::2',
              state: {
                nodeName: 'node-1.example',
                ready: false,
                serving: true,
                terminating: true,
                zoneHints: ['zone-a', 'Zone_B.1'],
                nodeHints: ['node-1.example'],
              },
            },
          ],
        },
      },
      problems: [],
    });
  });

  test.each([
    [
      'of a headless Service',
      slice({}, { labels: { 'service.kubernetes.io/headless': '' } }),
      'slices of headless Services are not proxied',
    ],
    ['of names', slice({ addressType: 'FQDN' }), 'FQDN slices have no addresses'],
    ['of no Service', slice({}, { labels: {} }), 'no label kubernetes.io/service-name'],
    [
      'of a Service without a name',
      slice({}, { labels: { 'kubernetes.io/service-name': '' } }),
      'no label kubernetes.io/service-name',
    ],
  ])('%s is ignored', (_, raw, why) => {
    expect(decodeEndpointSlice(raw)).toEqual({ kind: 'ignored', id: 'default/web-1', why });
  });

  test.each([
    ['addressType', 'is missing', slice({ addressType: undefined })],
    ['addressType', '"ipv4" is not one of IPv4, IPv6', slice({ addressType: 'ipv4' })],
    [
      'metadata.labels["kubernetes.io/service-name"]',
      '"a/b" is not a DNS label',
      slice({}, { labels: { 'kubernetes.io/service-name': 'a/b' } }),
    ],
    ['metadata.labels', '5 is not an object', slice({}, { labels: 5 })],
  ])('is bad for its %s: %s', (field, message, raw) => {
    expect(decode(raw)).toEqual({
      kind: 'bad',
      id: 'default/web-1',
      problems: [{ field, message }],
    });
  });

  test.each<[field: string, message: string, endpoint: unknown]>([
    ['endpoints[1].addresses', 'is missing', {}],
    ['endpoints[1].addresses', 'is missing', { addresses: [] }],
    ['endpoints[1].addresses[0]', 'is missing', { addresses: [null] }],
    ['endpoints[1].addresses[0]', '"x" is not an IP address', { addresses: ['x'] }],
    [
      'endpoints[1].addresses[0]',
      'fd00::1 is not IPv4, which addressType says',
      { addresses: ['fd00::1'] },
    ],
    [
      'endpoints[1].conditions.ready',
      '"yes" is not true or false',
      { addresses: ['10.244.1.3'], conditions: { ready: 'yes' } },
    ],
    [
      'endpoints[1].nodeName',
      '"node 1" is not a DNS subdomain',
      { addresses: ['10.244.1.3'], nodeName: 'node 1' },
    ],
    ['endpoints[1]', 'null is not an object', null],
  ])('leaves out just the endpoint whose %s is wrong: %s', (field, message, endpoint) => {
    const good = { addresses: ['10.244.1.2'] };
    expect(decode(slice({ endpoints: [good, endpoint, good] }))).toEqual(
      objectBeside({ endpoints: [plainEndpoint, plainEndpoint] }, { field, message }),
    );
  });

  test('leaves out just the endpoint whose addresses are no list', () => {
    const field = 'endpoints[1].addresses';
    const good = { addresses: ['10.244.1.2'] };
    expect(decode(slice({ endpoints: [good, { addresses: '10.0.0.1' }] }))).toEqual({
      ...objectBeside({}, { field, message: '' }),
      problems: [
        { field, message: '"10.0.0.1" is not a list' },
        { field, message: 'is missing' },
      ],
    });
  });

  test.each<[field: string, message: string, hints: unknown]>([
    ['', ' is not an object', 7],
    ['.forZones', ' is not a list', { forZones: 7, forNodes: [{ name: 'n1' }] }],
    ['.forZones[0]', ' is not an object', { forZones: [7], forNodes: [{ name: 'n1' }] }],
    ['.forZones[0].name', 'is missing', { forZones: [{}], forNodes: [{ name: 'n1' }] }],
    ['.forZones[0].name', ' is not a string', { forZones: [{ name: 7 }] }],
    ['.forZones[0].name', '"a\\n" is not the value of a label', { forZones: [{ name: 'a\n' }] }],
    ['.forZones[0].name', '"a\\nb" is not the value of a label', { forZones: [{ name: 'a\nb' }] }],
    ['.forZones[0].name', '"-" is not the value of a label', { forZones: [{ name: '-' }] }],
    [
      '.forNodes[0].name',
      '"a;b" is not a DNS subdomain',
      { forZones: [{ name: 'z' }], forNodes: [{ name: 'a;b' }] },
    ],
    ['.forNodes[0].name', '"N1" is not a DNS subdomain', { forNodes: [{ name: 'N1' }] }],
  ])('leaves out just the hint whose%s is wrong: %s', (field, message, hints) => {
    const endpoint = { addresses: ['10.244.1.2'], hints };
    const { forZones, forNodes } = hints as Readonly<Record<string, unknown>>;
    const kept = (list: unknown, name: string) =>
      JSON.stringify(list) === JSON.stringify([{ name }]) ? [name] : [];
    const zoneHints = kept(forZones, 'z');
    const nodeHints = kept(forNodes, 'n1');
    expect(decode(slice({ endpoints: [endpoint] }))).toEqual(
      objectBeside(
        { endpoints: [{ ...plainEndpoint, state: { ...plainState, zoneHints, nodeHints } }] },
        {
          field: `endpoints[0].hints${field}`,
          message: message.startsWith(' ') ? `7${message}` : message,
        },
      ),
    );
  });

  test('shares what is said of endpoints alike, which are very many', () => {
    const endpoint = { nodeName: 'node-1', conditions: { ready: true } };
    const addresses = ['10.244.1.2', '10.244.1.3'];
    const endpoints = addresses.map((ip) => ({ ...endpoint, addresses: [ip] }));
    const decoded = decodeEndpointSlice(slice({ endpoints }));
    const [one, other] =
      decoded.kind === 'object' && decoded.object.kind === 'EndpointSlice'
        ? decoded.object.value.endpoints
        : [];
    expect(one?.state).toEqual({ ...plainState, nodeName: 'node-1' });
    expect(one?.state).toBe(other?.state);
  });

  test('takes as many hints as the API server allows', () => {
    const names = Array.from({ length: 9 }, (_, index) => `zone-${index}`);
    const hints = { forZones: names.map((name) => ({ name })) };
    const endpoints = [{ addresses: ['10.244.1.2'], hints }];
    expect(decode(slice({ endpoints }))).toEqual(
      objectBeside(
        {
          endpoints: [{ ...plainEndpoint, state: { ...plainState, zoneHints: names.slice(0, 8) } }],
        },
        { field: 'endpoints[0].hints.forZones', message: 'has 9 hints; only the first 8 count' },
      ),
    );
  });

  test.each<[field: string, message: string, port: unknown]>([
    ['ports[0].port', 'is missing', { name: 'all' }],
    ['ports[0].port', '65536 is not a port (1 to 65535)', { port: 65536 }],
    ['ports[0].name', '"HTTP" is not a DNS label', { name: 'HTTP', port: 80 }],
    ['ports[0].protocol', '6 is not a string', { protocol: 6, port: 80 }],
  ])('leaves out just the port whose %s is wrong: %s', (field, message, port) => {
    expect(decode(slice({ ports: [port, { port: 8080 }] }))).toEqual(
      objectBeside({}, { field, message }),
    );
  });

  describe('with the time of what led to it', () => {
    const annotated = (time: unknown) =>
      decode(
        slice({}, { annotations: { 'endpoints.kubernetes.io/last-change-trigger-time': time } }),
      );

    test.each([
      ['2026-01-31T12:00:00Z', 1_769_860_800_000],
      ['2026-01-31T12:00:00.123456789Z', 1_769_860_800_123],
      ['2026-01-31T13:00:00+01:00', 1_769_860_800_000],
    ])('%s', (time, triggeredAtMs) => {
      expect(annotated(time)).toEqual({
        kind: 'object',
        object: {
          kind: 'EndpointSlice',
          id: 'default/web-1',
          value: { ...plainSlice, triggeredAtMs },
        },
        problems: [],
      });
    });

    test.each([
      ['yesterday', '"yesterday" is not a time such as 2026-01-31T12:00:00Z'],
      ['2026-13-31T12:00:00Z', '"2026-13-31T12:00:00Z" is not a time such as 2026-01-31T12:00:00Z'],
      [7, '7 is not a string'],
    ])('%j, which is none, all the same', (time, message) => {
      const field = 'metadata.annotations["endpoints.kubernetes.io/last-change-trigger-time"]';
      expect(annotated(time)).toEqual(objectBeside({}, { field, message }));
    });
  });
});

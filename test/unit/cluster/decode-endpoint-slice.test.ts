import { describe, expect, test } from 'vitest';
import { decodeEndpointSlice } from '../../../src/cluster/decode-endpoint-slice.ts';
import type { Problem } from '../../../src/cluster/problem.ts';
import { slice } from './objects.ts';

const fieldAndMessage = ({ field, message }: Problem) => ({ field, message });

const plainEndpoint = {
  ip: '10.244.1.2',
  nodeName: undefined,
  ready: true,
  serving: true,
  terminating: false,
};

const plainSlice = {
  namespace: 'default',
  name: 'web-1',
  service: 'default/web',
  family: 'IPv4',
  ports: [{ name: '', protocol: 'tcp', port: 8080 }],
  endpoints: [plainEndpoint],
};

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
              nodeName: 'node-1.example',
              ready: false,
              serving: true,
              terminating: true,
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
    const decoded = decodeEndpointSlice(raw);
    expect(decoded).toMatchObject({ kind: 'bad', id: 'default/web-1' });
    expect(decoded.kind === 'bad' && decoded.problems.map(fieldAndMessage)).toEqual([
      { field, message },
    ]);
  });

  test.each<[field: string, message: string, endpoint: unknown]>([
    ['endpoints[1].addresses', 'is missing', {}],
    ['endpoints[1].addresses', 'is missing', { addresses: [] }],
    ['endpoints[1].addresses[0]', 'is missing', { addresses: [null] }],
    ['endpoints[1].addresses', '"10.0.0.1" is not a list', { addresses: '10.0.0.1' }],
    ['endpoints[1].addresses[0]', '"x" is not an IP address', { addresses: ['x'] }],
    ['endpoints[1].addresses[0]', '127.0.0.1 is a loopback address', { addresses: ['127.0.0.1'] }],
    [
      'endpoints[1].addresses[0]',
      '169.254.169.254 is a link-local address',
      { addresses: ['169.254.169.254'] },
    ],
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
    const decoded = decodeEndpointSlice(slice({ endpoints: [good, endpoint, good] }));
    expect(decoded).toMatchObject({
      kind: 'object',
      object: { value: { ...plainSlice, endpoints: [plainEndpoint, plainEndpoint] } },
    });
    const problems = decoded.kind === 'object' ? decoded.problems : [];
    expect(problems[0]).toMatchObject({ field, message });
  });

  test.each<[field: string, message: string, port: unknown]>([
    ['ports[0].port', 'is missing', { name: 'all' }],
    ['ports[0].port', '65536 is not a port (1 to 65535)', { port: 65536 }],
    ['ports[0].name', '"HTTP" is not a DNS label', { name: 'HTTP', port: 80 }],
    ['ports[0].protocol', '6 is not a string', { protocol: 6, port: 80 }],
  ])('leaves out just the port whose %s is wrong: %s', (field, message, port) => {
    const decoded = decodeEndpointSlice(slice({ ports: [port, { port: 8080 }] }));
    expect(decoded).toMatchObject({ kind: 'object', object: { value: plainSlice } });
    const problems = decoded.kind === 'object' ? decoded.problems : [];
    expect(problems.map(fieldAndMessage)).toEqual([{ field, message }]);
  });
});

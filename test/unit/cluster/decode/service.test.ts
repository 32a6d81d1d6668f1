import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decodeService } from '../../../../src/cluster/decode/service.ts';
import { service } from '../objects.ts';

const proxyName = 'service.kubernetes.io/service-proxy-name';

describe('a Service', () => {
  test('is completed with the defaults of the API server', () => {
    expect(decodeService(service())).toEqual({
      kind: 'object',
      object: {
        kind: 'Service',
        id: 'default/web',
        value: {
          key: 'default/web',
          namespace: 'default',
          name: 'web',
          createdAt: '',
          type: 'ClusterIP',
          clusterIps: ['10.96.0.10'],
          ports: [{ name: '', protocol: 'tcp', port: 80, nodePort: 0 }],
          externalIps: [],
          loadBalancerIps: [],
          sourceRanges: [],
          internalTrafficPolicy: 'Cluster',
          externalTrafficPolicy: 'Cluster',
          affinitySeconds: 0,
          healthCheckNodePort: 0,
        },
      },
      problems: [],
    });
  });

  test('keeps what it says itself', () => {
    const raw = service(
      {
        type: 'LoadBalancer',
        clusterIP: '010.096.0.007',
        clusterIPs: ['10.96.0.7', 'FD00::0:7'],
        ipFamilies: ['IPv4', 'IPv6'],
        ports: [
          { name: 'dns', port: 53, protocol: 'UDP', nodePort: 30053, targetPort: 'dns' },
          { name: 'dns-tcp', port: 53, nodePort: 30053 },
          { name: 'assoc', port: 9, protocol: 'SCTP', nodePort: 0 },
        ],
        externalIPs: ['203.0.113.005', 'FD00::5'],
        loadBalancerSourceRanges: [' 010.0.0.1/08 ', 'FD00::1/64'],
        internalTrafficPolicy: 'Local',
        externalTrafficPolicy: 'Local',
        healthCheckNodePort: 32000,
        sessionAffinity: 'ClientIP',
        sessionAffinityConfig: { clientIP: { timeoutSeconds: 60 } },
      },
      { namespace: 'kube-system', creationTimestamp: '2026-01-31T12:00:00Z' },
    );
    const status = { loadBalancer: { ingress: [{ ip: '198.051.100.001', ipMode: 'VIP' }] } };
    expect(decodeService({ ...raw, status })).toEqual({
      kind: 'object',
      object: {
        kind: 'Service',
        id: 'kube-system/web',
        value: {
          key: 'kube-system/web',
          namespace: 'kube-system',
          name: 'web',
          createdAt: '2026-01-31T12:00:00Z',
          type: 'LoadBalancer',
          clusterIps: ['10.96.0.7', 'fd00::7'],
          ports: [
            { name: 'dns', protocol: 'udp', port: 53, nodePort: 30053 },
            { name: 'dns-tcp', protocol: 'tcp', port: 53, nodePort: 30053 },
            { name: 'assoc', protocol: 'sctp', port: 9, nodePort: 0 },
          ],
          externalIps: ['203.0.113.5', 'fd00::5'],
          loadBalancerIps: ['198.51.100.1'],
          sourceRanges: ['10.0.0.0/8', 'fd00::/64'],
          internalTrafficPolicy: 'Local',
          externalTrafficPolicy: 'Local',
          affinitySeconds: 60,
          healthCheckNodePort: 32000,
        },
      },
      problems: [],
    });
  });

  test.each([
    ['headless', service({ clusterIP: 'None' }), 'headless Services have no address'],
    [
      'ExternalName',
      service({ type: 'ExternalName', clusterIP: '', ports: undefined }),
      'ExternalName Services have no address',
    ],
    [
      'of another proxy, even with an empty label',
      service({}, { labels: { [proxyName]: '' } }),
      `label ${proxyName} gives it to another proxy`,
    ],
  ])('is ignored where it is %s', (_, raw, why) => {
    expect(decodeService(raw)).toEqual({ kind: 'ignored', id: 'default/web', why });
  });

  test.each<[field: string, message: string, raw: unknown]>([
    ['spec.clusterIP', '"10.96.0.300" is not an IP address', service({ clusterIP: '10.96.0.300' })],
    ['spec.clusterIP', '5 is not a string', service({ clusterIP: 5 })],
    [
      'spec.clusterIP',
      'is missing; only a cluster can allocate an address, so a manifest must name it',
      service({ clusterIP: undefined }),
    ],
    [
      'spec.clusterIPs[0]',
      '10.96.0.11 is not spec.clusterIP, which is 10.96.0.10',
      service({ clusterIPs: ['10.96.0.11'] }),
    ],
    [
      'spec.clusterIPs',
      'has more than one address of a family',
      service({ clusterIPs: ['10.96.0.10', '10.96.0.11'] }),
    ],
    ['spec.clusterIPs[1]', 'is missing', service({ clusterIPs: ['10.96.0.10', null] })],
    [
      'spec.ipFamilies[0]',
      'IPv6 is not the family of 10.96.0.10',
      service({ ipFamilies: ['IPv6'] }),
    ],
    [
      'spec.type',
      '"Clusterip" is not one of ClusterIP, NodePort, LoadBalancer, ExternalName',
      service({ type: 'Clusterip' }),
    ],
    ['spec.ports', 'is missing; a Service needs at least one port', service({ ports: [] })],
    ['spec.ports', 'an object is not a list', service({ ports: {} })],
    ['spec.ports[0]', '80 is not an object', service({ ports: [80] })],
    ['spec.ports[0].port', 'is missing', service({ ports: [{}] })],
    ['spec.ports[0].port', '"80" is not a number', service({ ports: [{ port: '80' }] })],
    [
      'spec.ports[0].port',
      '70000 is not a port (1 to 65535)',
      service({ ports: [{ port: 70000 }] }),
    ],
    ['spec.ports[0].port', '0 is not a port (1 to 65535)', service({ ports: [{ port: 0 }] })],
    ['spec.ports[0].port', '1.5 is not a port (1 to 65535)', service({ ports: [{ port: 1.5 }] })],
    [
      'spec.ports[0].protocol',
      '"tcp" is not one of TCP, UDP, SCTP',
      service({ ports: [{ port: 80, protocol: 'tcp' }] }),
    ],
    [
      'spec.ports[0].name',
      '"a;b" is not a DNS label',
      service({ ports: [{ port: 80, name: 'a;b' }] }),
    ],
    [
      'spec.ports[1].name',
      'http is also the name of spec.ports[0]',
      service({
        ports: [
          { name: 'http', port: 80 },
          { name: 'http', port: 81 },
        ],
      }),
    ],
    [
      'spec.ports[2].port',
      '80/TCP is also the port of spec.ports[0]',
      service({
        ports: [
          { name: 'a', port: 80 },
          { name: 'b', port: 80, protocol: 'UDP' },
          { name: 'c', port: 80, protocol: 'TCP' },
        ],
      }),
    ],
    [
      'spec.ports[0].nodePort',
      '65536 is not a port (1 to 65535)',
      service({ ports: [{ port: 80, nodePort: 65536 }] }),
    ],
    [
      'spec.ports[0].nodePort',
      '-1 is not a port (1 to 65535)',
      service({ ports: [{ port: 80, nodePort: -1 }] }),
    ],
    [
      'spec.ports[1].nodePort',
      '30080/TCP is also the node port of spec.ports[0]',
      service({
        ports: [
          { name: 'a', port: 80, nodePort: 30080 },
          { name: 'b', port: 81, nodePort: 30080 },
        ],
      }),
    ],
    ['spec.externalIPs', '"x" is not a list', service({ externalIPs: 'x' })],
    [
      'spec.loadBalancerSourceRanges',
      'an object is not a list',
      service({ loadBalancerSourceRanges: {} }),
    ],
    ['metadata.labels', 'a list is not an object', service({}, { labels: [] })],
  ])('is bad for its %s: %s', (field, message, raw) => {
    expect(decodeService(raw)).toEqual({
      kind: 'bad',
      id: 'default/web',
      problems: [{ field, message, path: pathOf(field) }],
    });
  });

  test.each([
    ['metadata.name', 'is missing', service({}, { name: undefined })],
    ['metadata.name', '"We b" is not a DNS label', service({}, { name: 'We b' })],
    ['metadata.name', '"a.b" is not a DNS label', service({}, { name: 'a.b' })],
    ['metadata.name', '5 is not a string', service({}, { name: 5 })],
    ['metadata.namespace', '"web\\n" is not a DNS label', service({}, { namespace: 'web\n' })],
    [
      'metadata.name',
      `"${'a'.repeat(64)}" is not a DNS label`,
      service({}, { name: 'a'.repeat(64) }),
    ],
  ])('without a %s to trust has no id: %s', (field, message, raw) => {
    expect(decodeService(raw)).toEqual({
      kind: 'bad',
      id: undefined,
      problems: [{ field, message, path: pathOf(field) }],
    });
  });

  test.each([
    [
      'spec',
      'default/web',
      [
        'spec: "x" is not an object',
        'spec.clusterIP: is missing; only a cluster can allocate an address, so a manifest must name it',
        'spec.ports: is missing; a Service needs at least one port',
      ],
    ],
    ['metadata', undefined, ['metadata: "x" is not an object', 'metadata.name: is missing']],
  ])('is bad where its %s is no object, and says so once, first', (field, id, expected) => {
    const decoded = decodeService({ ...service(), [field]: 'x' });
    const problems = 'problems' in decoded ? decoded.problems : [];
    const said = problems.map((problem) => `${problem.field}: ${problem.message}`);
    expect(['id' in decoded && decoded.id, said]).toEqual([id, expected]);
  });

  test('reports all that is wrong at once', () => {
    const decoded = decodeService(service({ type: 7, clusterIP: 'x', ports: [{ port: -1 }] }));
    expect(decoded.kind === 'bad' && decoded.problems.map(({ field }) => field)).toEqual([
      'spec.type',
      'spec.clusterIP',
      'spec.ports[0].port',
    ]);
  });

  test.each([
    ['spec.clusterIPs[0]', { clusterIPs: ['x', 'fd00::1'] }],
    ['spec.clusterIP', { clusterIP: 'x', clusterIPs: ['10.96.0.10'] }],
    ['spec.clusterIP', { clusterIP: '', clusterIPs: ['10.96.0.10'] }],
    ['spec.ports[0].port', { ports: [{ port: 'x' }] }],
    ['spec.ports', { ports: 'x' }],
  ])('reports what is wrong with %s once: %j', (field, spec) => {
    const decoded = decodeService(service(spec));
    const fields = decoded.kind === 'bad' && decoded.problems.map((problem) => problem.field);
    expect(fields).toEqual([field]);
  });

  test('gets no name through that could break a rule, a comment or a log line', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.constantFrom('web', 'a;b', 'a\n', '-a'),
    );
    fc.assert(
      fc.property(text, text, text, (namespace, name, portName) => {
        const raw = service({ ports: [{ port: 80, name: portName }] }, { namespace, name });
        const decoded = decodeService(raw);
        if (decoded.kind !== 'object' || decoded.object.kind !== 'Service') return;
        const { key, ports } = decoded.object.value;
        expect(key).toMatch(/^[a-z0-9-]{1,63}\/[a-z0-9-]{1,63}$/);
        expect(ports[0]?.name).toMatch(/^[a-z0-9-]{0,63}$/);
      }),
    );
  });
});

/** `a.b[1].c` as a path. */
function pathOf(field: string): (string | number)[] {
  return [...field.matchAll(/\[(\d+)\]|(\w+)/g)].map(([, index, key]) =>
    index === undefined ? (key ?? '') : Number(index),
  );
}

// Random small clusters and what happens in them, for property tests. Few names, addresses and ports, so
// that things collide: the same Service edited, one address claimed twice, one endpoint shared. All of it
// is as decoding could yield it.
import fc from 'fast-check';
import type { Cidr, Ip } from '../../src/model/ip.ts';
import type {
  ClusterChange,
  ClusterObject,
  Protocol,
  ServicePort,
  EndpointState,
  TrafficPolicy,
} from '../../src/model/kubernetes.ts';
import { serviceKey } from '../../src/model/kubernetes.ts';

const name = fc.constantFrom('a', 'b', 'c', 'd', 'e');
const number = fc.integer({ min: 1, max: 4 });
const policy = fc.constantFrom<TrafficPolicy>('Cluster', 'Local');
const protocol = fc.constantFrom<Protocol>('tcp', 'udp', 'sctp');

/** Up to three of a few values, in any order; now and then one of them twice. */
const some = <T>(...pool: readonly T[]): fc.Arbitrary<readonly T[]> =>
  fc.oneof(
    { weight: 2, arbitrary: fc.constant([]) },
    { weight: 3, arbitrary: fc.array(fc.constantFrom(...pool), { minLength: 1, maxLength: 3 }) },
  );

// Mostly of few kinds, so that the ports of Services and of slices match.
const portIdentity: fc.Arbitrary<{ name: string; protocol: Protocol }> = fc.oneof(
  {
    weight: 5,
    arbitrary: fc.constantFrom(
      { name: '', protocol: 'tcp' as const },
      { name: 'http', protocol: 'tcp' as const },
      { name: 'dns', protocol: 'udp' as const },
      { name: 'diameter', protocol: 'sctp' as const },
    ),
  },
  { weight: 1, arbitrary: fc.record({ name: fc.constantFrom('', 'http', 'dns'), protocol }) },
);

const servicePorts: fc.Arbitrary<ServicePort[]> = fc.uniqueArray(
  fc
    .record({
      identity: portIdentity,
      port: number,
      nodePort: fc.constantFrom(0, 30001, 30002, 30003),
    })
    .map(({ identity, ...numbers }) => ({ ...identity, ...numbers })),
  { minLength: 1, maxLength: 3, comparator: areTwins },
);

function areTwins(a: ServicePort, b: ServicePort): boolean {
  if (a.name === b.name) return true;
  if (a.protocol !== b.protocol) return false;
  return a.port === b.port || (a.nodePort !== 0 && a.nodePort === b.nodePort);
}

// Of both families; some within another, some of the node, some of everyone.
const sources = [
  '0.0.0.0/0',
  '192.0.2.0/24',
  '192.0.2.128/25',
  '192.168.0.2/32',
  '::/0',
  '2001:db8::/32',
  '2001:db8:9::/64',
  'fd00:192::/64',
] as Cidr[];

const service: fc.Arbitrary<ClusterObject> = fc
  .record({
    name,
    createdAt: fc.constantFrom('', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
    type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
    clusterIps: fc.constantFrom<readonly Ip[]>(
      ['10.96.0.1' as Ip],
      ['10.96.0.2' as Ip],
      ['10.96.0.3' as Ip, 'fd00:96::3' as Ip],
      ['fd00:96::1' as Ip, '10.96.0.1' as Ip],
      ['fd00:96::4' as Ip],
    ),
    ports: servicePorts,
    // One address is in both pools: it may be external to one Service and the load balancer of another.
    externalIps: some('203.0.113.1' as Ip, '203.0.113.2' as Ip, '2001:db8:1::1' as Ip),
    loadBalancerIps: some('198.51.100.1' as Ip, '203.0.113.1' as Ip, '2001:db8:2::1' as Ip),
    sourceRanges: some(...sources),
    internalTrafficPolicy: policy,
    externalTrafficPolicy: policy,
    affinitySeconds: fc.constantFrom(0, 0, 60, 10_800),
    healthCheckNodePort: fc.constantFrom(0, 32001, 32002),
  })
  .map(({ name: own, type, ports, ...rest }) => {
    const key = serviceKey('ns', own);
    const isInside = type === 'ClusterIP' && rest.externalIps.length === 0;
    const externalTrafficPolicy = isInside ? 'Cluster' : rest.externalTrafficPolicy;
    const isAskedForHealth = type === 'LoadBalancer' && externalTrafficPolicy === 'Local';
    const value = {
      ...rest,
      key,
      namespace: 'ns',
      name: own,
      type,
      ports: ports.map((port) => (type === 'ClusterIP' ? { ...port, nodePort: 0 } : port)),
      loadBalancerIps: type === 'LoadBalancer' ? rest.loadBalancerIps : [],
      externalTrafficPolicy,
      healthCheckNodePort: isAskedForHealth ? rest.healthCheckNodePort : 0,
    };
    return { kind: 'Service', id: key, value };
  });

const endpoint: fc.Arbitrary<EndpointState & { readonly host: number }> = fc.record({
  host: number,
  nodeName: fc.constantFrom('node-1', 'node-2', undefined),
  ready: fc.boolean(),
  serving: fc.boolean(),
  terminating: fc.boolean(),
  zoneHints: fc.constantFrom([], ['zone-a'], ['zone-b'], ['zone-a', 'zone-b']),
  nodeHints: fc.constantFrom([], ['node-1'], ['node-2']),
});

const slice: fc.Arbitrary<ClusterObject> = fc
  .record({
    name: fc.constantFrom('s1', 's2', 's3', 's4', 's5', 's6'),
    service: name,
    family: fc.constantFrom('IPv4' as const, 'IPv6' as const),
    ports: fc.array(
      fc
        .record({ identity: portIdentity, port: number })
        .map(({ identity, port }) => ({ ...identity, port })),
      { maxLength: 3 },
    ),
    endpoints: fc.array(endpoint, { maxLength: 4 }),
    // Most slices have hints of one kind or of none: one endpoint without any switches them off.
    hasZoneHints: fc.boolean(),
    hasNodeHints: fc.boolean(),
  })
  .map(({ name: own, service: of, family, ports, endpoints, hasZoneHints, hasNodeHints }) => ({
    kind: 'EndpointSlice',
    id: `ns/${own}`,
    value: {
      namespace: 'ns',
      name: own,
      service: serviceKey('ns', of),
      family,
      ports,
      endpoints: endpoints.map(({ host, zoneHints, nodeHints, ...rest }) => ({
        ip: (family === 'IPv4' ? `10.244.1.${host}` : `fd00:244:1::${host}`) as Ip,
        state: {
          ...rest,
          zoneHints: hasZoneHints ? zoneHints : [],
          nodeHints: hasNodeHints ? nodeHints : [],
        },
      })),
    },
  }));

const node: fc.Arbitrary<ClusterObject> = fc
  .record({
    name: fc.constantFrom('node-1', 'node-1', 'node-2'),
    podCidrs: fc.constantFrom<readonly Cidr[]>(
      [],
      ['10.244.1.0/24' as Cidr],
      ['10.244.1.0/24' as Cidr, 'fd00:244:1::/64' as Cidr],
    ),
    ips: fc.constantFrom<readonly Ip[]>(
      [],
      ['192.168.0.2' as Ip],
      ['192.168.0.2' as Ip, 'fd00:192::2' as Ip],
      ['fd00:192::2' as Ip, '192.168.0.3' as Ip],
      ['127.0.0.1' as Ip],
    ),
    zone: fc.constantFrom('', 'zone-a', 'zone-b'),
    isEligible: fc.boolean(),
  })
  .map((value) => ({ kind: 'Node', id: value.name, value }));

const serviceCidr: fc.Arbitrary<ClusterObject> = fc
  .record({
    name: fc.constantFrom('kubernetes', 'more'),
    // One range is within another, as the API allows for those of two objects.
    cidrs: fc.constantFrom<readonly Cidr[]>(
      ['10.96.0.0/16' as Cidr],
      ['10.96.0.0/24' as Cidr, 'fd00:96::/112' as Cidr],
      ['10.97.0.0/16' as Cidr],
      [],
    ),
  })
  .map((value) => ({ kind: 'ServiceCIDR', id: value.name, value }));

const object = fc.oneof(
  { weight: 6, arbitrary: service },
  { weight: 6, arbitrary: slice },
  { weight: 1, arbitrary: node },
  { weight: 1, arbitrary: serviceCidr },
);

/** One change: an object set, or one that may be there deleted. */
export const change: fc.Arbitrary<ClusterChange> = fc.oneof(
  { weight: 4, arbitrary: object.map((value) => ({ op: 'set' as const, object: value })) },
  {
    weight: 1,
    arbitrary: object.map(({ kind, id }) => ({ op: 'delete' as const, kind, id })),
  },
);

/** Changes in batches, as a source delivers them. */
export const batches = fc.array(fc.array(change, { minLength: 1, maxLength: 6 }), { maxLength: 8 });

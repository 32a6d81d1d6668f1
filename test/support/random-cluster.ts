// Random small clusters and what happens in them, for property tests. Few names and addresses, so
// that things collide: the same Service edited, one address claimed twice, one endpoint shared.
import fc from 'fast-check';
import type { Ip } from '../../src/model/ip.ts';
import type {
  ClusterChange,
  ClusterObject,
  Protocol,
  SliceEndpoint,
} from '../../src/model/kubernetes.ts';
import { serviceKey } from '../../src/model/kubernetes.ts';

const names = ['a', 'b', 'c', 'd', 'e'];
const name = fc.constantFrom(...names);
const protocol = fc.constantFrom<Protocol>('tcp', 'udp', 'sctp');
const portName = fc.constantFrom('', 'http', 'dns');
const number = fc.integer({ min: 1, max: 4 });

const service: fc.Arbitrary<ClusterObject> = fc
  .record({
    name,
    createdAt: fc.constantFrom('', '2026-01-01T00:00:00Z', '2026-02-01T00:00:00Z'),
    ips: fc.constantFrom<readonly Ip[]>(
      ['10.96.0.1' as Ip],
      ['10.96.0.2' as Ip],
      ['10.96.0.3' as Ip, 'fd00:96::3' as Ip],
      ['fd00:96::4' as Ip],
    ),
    ports: fc.uniqueArray(fc.record({ name: portName, protocol, port: number }), {
      minLength: 1,
      maxLength: 3,
      selector: ({ protocol: transport, port }) => `${transport} ${port}`,
    }),
  })
  .map(({ name: own, createdAt, ips, ports }) => {
    const key = serviceKey('ns', own);
    const identity = { key, namespace: 'ns', name: own, createdAt };
    const value = { ...identity, type: 'ClusterIP' as const, clusterIps: ips, ports };
    return { kind: 'Service', id: key, value };
  });

const endpoint: fc.Arbitrary<Omit<SliceEndpoint, 'ip'> & { readonly host: number }> = fc.record({
  host: number,
  nodeName: fc.constantFrom('node-1', 'node-2', undefined),
  ready: fc.boolean(),
  serving: fc.boolean(),
  terminating: fc.boolean(),
});

const slice: fc.Arbitrary<ClusterObject> = fc
  .record({
    name: fc.constantFrom('s1', 's2', 's3', 's4', 's5', 's6'),
    service: name,
    family: fc.constantFrom('IPv4' as const, 'IPv6' as const),
    ports: fc.array(fc.record({ name: portName, protocol, port: number }), { maxLength: 3 }),
    endpoints: fc.array(endpoint, { maxLength: 4 }),
  })
  .map(({ name: own, service: of, family, ports, endpoints }) => ({
    kind: 'EndpointSlice',
    id: `ns/${own}`,
    value: {
      namespace: 'ns',
      name: own,
      service: serviceKey('ns', of),
      family,
      ports,
      endpoints: endpoints.map(({ host, ...rest }) => {
        const ip = (family === 'IPv4' ? `10.244.1.${host}` : `fd00:244:1::${host}`) as Ip;
        return { ip, ...rest };
      }),
    },
  }));

const object = fc.oneof(service, slice);

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

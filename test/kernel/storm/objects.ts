// Objects of the storm as an API server has them: Services and slices of every kind at random, which
// keep what an API server vouches for (no cluster address or node port is given out twice).
import fc from 'fast-check';
import type { RawObject } from '../../cluster/stand-in/kinds.ts';
import type { Store } from '../../cluster/stand-in/store.ts';

/** A Service to be, but for the addresses and node ports that are free at that time. */
export type ServiceDraft = {
  readonly name: string;
  readonly type: string;
  readonly address: number;
  readonly families: readonly ('IPv4' | 'IPv6')[];
  readonly ports: readonly (typeof portKinds)[number][];
  readonly port: number;
  readonly nodePort: number;
  readonly externalIPs: readonly string[];
  readonly ingress: readonly string[];
  readonly sourceRanges: readonly string[];
  readonly internalTrafficPolicy: string;
  readonly externalTrafficPolicy: string;
  readonly affinitySeconds: number;
  readonly isOthers: boolean;
};

const portKinds = [
  { name: 'http', protocol: 'TCP' },
  { name: 'dns', protocol: 'UDP' },
  { name: 'diameter', protocol: 'SCTP' },
] as const;

const count = 12;
/** Services that share no endpoint and no external address with any other. */
const alone = Array.from({ length: count }, (_, n) => `alone-${n}`);
/** Services that do. */
const crowd = Array.from({ length: count }, (_, n) => `crowd-${n}`);
const name = fc.constantFrom(...alone, ...crowd);
const policy = fc.constantFrom('Cluster', 'Local');

const some = (...pool: readonly string[]): fc.Arbitrary<readonly string[]> =>
  fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, fc.shuffledSubarray([...pool]));

/** Any Service. */
export const service: fc.Arbitrary<ServiceDraft> = fc.record({
  name,
  type: fc.constantFrom('ClusterIP', 'NodePort', 'LoadBalancer'),
  address: fc.integer({ min: 1, max: 40 }),
  families: fc.constantFrom<ServiceDraft['families']>(
    ['IPv4'],
    ['IPv6'],
    ['IPv4', 'IPv6'],
    ['IPv6', 'IPv4'],
  ),
  ports: fc.shuffledSubarray([...portKinds], { minLength: 1 }),
  port: fc.integer({ min: 80, max: 82 }),
  nodePort: fc.integer({ min: 30_001, max: 30_120 }),
  externalIPs: some('203.0.113.1', '203.0.113.2', '2001:db8:1::1'),
  ingress: some('198.51.100.1', '203.0.113.1', '2001:db8:2::1'),
  sourceRanges: some('192.0.2.0/24', '192.168.0.2/32', '::/0', '2001:db8::/32'),
  internalTrafficPolicy: policy,
  externalTrafficPolicy: policy,
  affinitySeconds: fc.constantFrom(0, 0, 60, 10_800),
  isOthers: fc.constantFrom(...Array.from({ length: 9 }, () => false), true),
});

/** The Service that comes of a draft; it keeps its cluster addresses as long as it lives. */
export function serviceFrom(draft: ServiceDraft, store: Store): RawObject {
  const { type, ports, isOthers } = draft;
  const id = `storm/${draft.name}`;
  const others = store.list('Service', ({ metadata }) => metadata.name !== draft.name);
  const clusterIPs =
    (store.get('Service', id)?.['spec'] as { clusterIPs: string[] } | undefined)?.clusterIPs ??
    freeAddresses(draft, others);
  const isExternal = type !== 'ClusterIP';
  const nodePorts = isExternal ? freeNodePorts(draft, others) : [];
  const [clusterIP] = clusterIPs;
  const label = { 'service.kubernetes.io/service-proxy-name': 'other' };
  const seconds = draft.affinitySeconds;
  return {
    metadata: {
      name: draft.name,
      namespace: 'storm',
      creationTimestamp: `2026-01-01T00:00:${10 + alone.concat(crowd).indexOf(draft.name)}Z`,
      ...(isOthers ? { labels: label } : {}),
    },
    spec: {
      type,
      clusterIP,
      clusterIPs,
      ipFamilies: clusterIPs.map((ip) => (ip.includes(':') ? 'IPv6' : 'IPv4')),
      ports: ports.map((port, index) => ({
        ...port,
        port: draft.port + index,
        ...(isExternal ? { nodePort: nodePorts[index] } : {}),
      })),
      externalIPs: ownOnly(draft, draft.externalIPs),
      internalTrafficPolicy: draft.internalTrafficPolicy,
      ...(isExternal ? { externalTrafficPolicy: draft.externalTrafficPolicy } : {}),
      sessionAffinity: seconds === 0 ? 'None' : 'ClientIP',
      ...(seconds === 0
        ? {}
        : { sessionAffinityConfig: { clientIP: { timeoutSeconds: seconds } } }),
      ...(type === 'LoadBalancer' ? { loadBalancerSourceRanges: draft.sourceRanges } : {}),
    },
    status: {
      loadBalancer:
        type === 'LoadBalancer'
          ? { ingress: ownOnly(draft, draft.ingress).map((ip) => ({ ip })) }
          : {},
    },
  };
}

// What stands alone has external addresses of its own.
function ownOnly(draft: ServiceDraft, ips: readonly string[]): readonly string[] {
  const index = alone.indexOf(draft.name);
  return index === -1
    ? ips
    : ips.map((ip) => ip.replace(/1$/, `1${index}`).replace(/2$/, `2${index}`));
}

function freeAddresses(
  { families, address }: ServiceDraft,
  others: readonly RawObject[],
): readonly string[] {
  const taken = new Set(
    others.flatMap(({ spec }) => (spec as { clusterIPs: string[] }).clusterIPs),
  );
  const of = (n: number): readonly string[] =>
    families.map((family) => (family === 'IPv4' ? `10.96.1.${n}` : `fd00:96::1:${n}`));
  let n = address;
  while (of(n).some((ip) => taken.has(ip))) n += 1;
  return of(n);
}

function freeNodePorts({ ports, nodePort }: ServiceDraft, others: readonly RawObject[]) {
  const taken = new Set(
    others.flatMap(({ spec }) =>
      (spec as { ports: { nodePort?: number }[] }).ports.map((port) => port.nodePort),
    ),
  );
  const free = Array.from({ length: 200 }, (_, n) => nodePort + n).filter((n) => !taken.has(n));
  return free.slice(0, ports.length);
}

const slices = Array.from({ length: 2 * count + 8 }, (_, n) => `slice-${n}`);

/** Any slice; from time to time it is another Service's than before. */
export const slice: fc.Arbitrary<RawObject> = fc
  .record({
    name: fc.constantFrom(...slices),
    of: name,
    family: fc.constantFrom('IPv4', 'IPv6'),
    ports: fc.shuffledSubarray([...portKinds], { minLength: 1 }),
    port: fc.integer({ min: 8080, max: 8082 }),
    endpoints: fc.array(
      fc.record({
        host: fc.integer({ min: 1, max: 5 }),
        node: fc.constantFrom('node-1', 'node-2'),
        conditions: fc.record({
          ready: fc.boolean(),
          serving: fc.boolean(),
          terminating: fc.boolean(),
        }),
        zone: fc.constantFrom('zone-a', 'zone-b'),
      }),
      { maxLength: 5 },
    ),
    hasHints: fc.boolean(),
  })
  .map(({ name: own, of, family, ports, port, endpoints, hasHints }) => ({
    metadata: {
      name: own,
      namespace: 'storm',
      labels: { 'kubernetes.io/service-name': of },
    },
    addressType: family,
    ports: ports.map((each) => ({ ...each, port })),
    endpoints: endpoints.map(({ host, node, conditions, zone }) => ({
      addresses: [endpointAddress(of, { family, node, host })],
      nodeName: node,
      conditions,
      ...(hasHints ? { hints: { forZones: [{ name: zone }] } } : {}),
    })),
  }));

function endpointAddress(
  service: string,
  { family, node, host }: { family: string; node: string; host: number },
): string {
  const last = (alone.indexOf(service) + 1) * 10 + host;
  return family === 'IPv4' ? `10.244.${node.at(-1)}.${last}` : `fd00:244:${node.at(-1)}::${last}`;
}

/** This node, with another zone or another first address, and always with a new heartbeat. */
export const node: fc.Arbitrary<RawObject> = fc
  .record({
    zone: fc.constantFrom('zone-a', 'zone-b'),
    last: fc.constantFrom(2, 2, 3),
    beat: fc.integer({ min: 10, max: 59 }),
  })
  .map(({ zone, last, beat }) => ({
    metadata: { name: 'node-1', labels: { 'topology.kubernetes.io/zone': zone } },
    spec: { podCIDRs: ['10.244.1.0/24', 'fd00:244:1::/64'] },
    status: {
      addresses: [`192.168.0.${last}`, `fd00:192::${last}`].map((address) => ({
        type: 'InternalIP',
        address,
      })),
      conditions: [{ type: 'Ready', lastHeartbeatTime: `2026-01-01T00:00:${beat}Z` }],
    },
  }));

/** Ranges of Service addresses, which come and go. */
export const serviceCidr: fc.Arbitrary<RawObject> = fc
  .constantFrom(['10.97.0.0/16'], ['10.97.0.0/16', 'fd00:97::/112'], ['10.98.0.0/16'])
  .map((cidrs) => ({ metadata: { name: 'more' }, spec: { cidrs } }));

/** Whether nothing but a Service's own objects may change its rules. */
export function standsAlone(service: string): boolean {
  return !service.startsWith('storm/crowd-');
}

// Services of every kind that differs in its rules, in one family, with endpoints here and elsewhere, as
// decoding could yield them.
import type { Cidr, Family, Ip } from '../../src/model/ip.ts';
import type { ClusterObject, Protocol, Service } from '../../src/model/kubernetes.ts';
import { serviceKey } from '../../src/model/kubernetes.ts';

/** What of a Service differs from one with nothing but a ClusterIP. */
export type Kind = Partial<
  Pick<
    Service,
    | 'type'
    | 'internalTrafficPolicy'
    | 'externalTrafficPolicy'
    | 'affinitySeconds'
    | 'sourceRanges'
    | 'externalIps'
    | 'loadBalancerIps'
  >
> & {
  readonly protocol?: Protocol;
  readonly nodePort?: number;
  /** The number of endpoints on this node, and of those on another. */
  readonly local: number;
  readonly remote: number;
};

type Words = { readonly service: string; readonly outside: string; readonly pod: string };

const words: Readonly<Record<Family, Words & { readonly ranges: readonly Cidr[] }>> = {
  IPv4: {
    service: '10.96.0.',
    outside: '203.0.113.',
    pod: '10.244.',
    ranges: ['192.0.2.0/24', '192.168.0.2/32', '198.51.100.128/25', '10.0.0.0/12'] as Cidr[],
  },
  IPv6: {
    service: 'fd00:96::',
    outside: '2001:db8:1::',
    pod: 'fd00:244:',
    ranges: ['2001:db8:2::/64', 'fd00:192::2/128', '2001:db8:3:8000::/49', 'fc00::/7'] as Cidr[],
  },
};

/** One Service of each kind. */
export function everyKind(family: Family): readonly ClusterObject[] {
  const { outside, ranges } = words[family];
  let last = 0;
  const address = (): Ip[] => [`${outside}${(last += 1)}` as Ip];
  const loadBalancer = { type: 'LoadBalancer' } as const;
  const local = { externalTrafficPolicy: 'Local' } as const;
  const kinds = (['tcp', 'udp', 'sctp'] as const).flatMap((protocol, row): Kind[] => {
    const port = (column: number): number => 30_000 + row * 10 + column;
    const some = { protocol, local: 1, remote: 2 };
    return [
      { ...some, local: 0, remote: 0 },
      { ...some, local: 0, remote: 1 },
      some,
      { ...some, internalTrafficPolicy: 'Local' },
      { ...some, internalTrafficPolicy: 'Local', local: 0 },
      { ...some, nodePort: port(0), externalIps: address() },
      { ...some, nodePort: port(1), externalIps: address(), ...local },
      { ...some, nodePort: port(2), externalIps: address(), ...local, local: 0 },
      { ...some, nodePort: port(3), externalIps: address(), local: 0, remote: 0 },
      { ...some, nodePort: port(4), externalIps: address(), affinitySeconds: 60 },
      { ...some, nodePort: port(5), externalIps: address(), affinitySeconds: 10_800, ...local },
      { ...some, ...loadBalancer, loadBalancerIps: address(), sourceRanges: ranges },
      {
        ...some,
        ...loadBalancer,
        ...local,
        loadBalancerIps: address(),
        externalIps: address(),
        sourceRanges: ranges,
        affinitySeconds: 5,
        internalTrafficPolicy: 'Local',
        nodePort: port(6),
      },
    ];
  });
  return kinds.flatMap((kind, index) => objectsOf(family, kind, index + 1));
}

/** The Service with this number, and its slice; at most nine endpoints on each side. */
export function objectsOf(
  family: Family,
  { protocol = 'tcp', nodePort = 0, local, remote, ...kind }: Kind,
  number: number,
): readonly ClusterObject[] {
  const { service, pod } = words[family];
  const separator = family === 'IPv4' ? '.' : '::';
  const name = `service-${number}`;
  const key = serviceKey('ns', name);
  const value: Service = {
    key,
    namespace: 'ns',
    name,
    createdAt: '2026-01-01T00:00:00Z',
    type: nodePort === 0 ? 'ClusterIP' : 'NodePort',
    clusterIps: [`${service}${number}` as Ip],
    ports: [{ name: 'http', protocol, port: 80, nodePort }],
    externalIps: [],
    loadBalancerIps: [],
    sourceRanges: [],
    internalTrafficPolicy: 'Cluster',
    externalTrafficPolicy: 'Cluster',
    affinitySeconds: 0,
    healthCheckNodePort: 0,
    ...kind,
  };
  const endpoint = (node: number, index: number) => ({
    ip: `${pod}${node}${separator}${(number % 9) * 10 + index + 1}` as Ip,
    state: {
      nodeName: `node-${node}`,
      ready: true,
      serving: true,
      terminating: false,
      zoneHints: [],
      nodeHints: [],
    },
  });
  const slice = {
    namespace: 'ns',
    name,
    service: key,
    family,
    ports: [{ name: 'http', protocol, port: 8080 }],
    endpoints: [
      ...Array.from({ length: local }, (_, index) => endpoint(1, index)),
      ...Array.from({ length: remote }, (_, index) => endpoint(2, index)),
    ],
  };
  return [
    { kind: 'Service', id: key, value },
    { kind: 'EndpointSlice', id: key, value: slice },
  ];
}

// The Services of a cluster as clusters are, as numbers: who has which address, port, endpoint and policy.
// What the API server, the floors and the packets are told follows from these. Pure, and the same each time.

/** What a Service listens on. */
export type ServicePort = {
  readonly name: string;
  readonly port: number;
  readonly targetPort: number;
  readonly protocol: 'TCP' | 'UDP';
  readonly nodePort?: number;
};

/** One Service. */
export type BenchService = {
  readonly index: number;
  readonly name: string;
  readonly namespace: string;
  readonly type: 'ClusterIP' | 'NodePort' | 'LoadBalancer';
  /** IPv4, and IPv6 where it is dual-stack. */
  readonly clusterIps: readonly [string, ...string[]];
  readonly loadBalancerIp?: string;
  /** externalTrafficPolicy Local. */
  readonly isLocal: boolean;
  /** By ClientIP, three hours. */
  readonly hasAffinity: boolean;
  readonly ports: readonly ServicePort[];
  /** Endpoints are numbered through all Services: its own are `first` and the `size - 1` after it. */
  readonly first: number;
  readonly size: number;
};

/** How the Services of a cluster are shaped. */
export type Shape =
  /** Sizes by a power law, all sorts of ports, types and policies. */
  | { readonly kind: 'yardstick' }
  /** One TCP port each, and so many endpoints. */
  | { readonly kind: 'alike'; readonly endpointsEach: number };

/** The node that is measured; endpoints on it are its own. */
export const nodeName = 'node-1';
/** Its address. */
export const nodeIp = '192.0.2.1';
/** What counts as pods' own addresses. */
export const podRange = '10.128.0.0/9';
export const serviceRange = '10.96.0.0/12';
/** Where the first port of every Service is answered. */
export const endpointPort = 8080;
/** How long a client stays with its endpoint, where it does. */
export const affinitySeconds = 10_800;

const nodeCount = 50;
const firstNodePort = 30_000;
const lastNodePort = 32_700;

/** The Services of a cluster, in order. */
export function servicesOf(shape: Shape, count: number): readonly BenchService[] {
  return shape.kind === 'yardstick' ? yardstick(count) : alike(count, shape.endpointsEach);
}

function yardstick(count: number): readonly BenchService[] {
  const nextSize = powerLaw();
  const services: BenchService[] = [];
  let [first, nodePort] = [0, firstNodePort];
  for (let index = 0; index < count; index += 1) {
    const size = nextSize();
    const type = typeOf(index);
    let ports = portsOf(index);
    if (type !== 'ClusterIP' && nodePort <= lastNodePort) {
      ports = ports.map((port) => Object.assign(port, { nodePort: nodePort++ }));
    }
    services.push({
      index,
      name: `svc-${index}`,
      namespace: `team-${index % 40}`,
      type,
      clusterIps: index % 10 === 3 ? [clusterIp(index), clusterIpV6(index)] : [clusterIp(index)],
      ...(type === 'LoadBalancer' ? { loadBalancerIp: numbered([203, 113], index) } : {}),
      isLocal: type === 'LoadBalancer' && index % 40 === 5,
      hasAffinity: index % 20 === 7,
      ports,
      first,
      size,
    });
    first += size;
  }
  return services;
}

function alike(count: number, endpointsEach: number): readonly BenchService[] {
  return Array.from({ length: count }, (_, index) => ({
    index,
    name: `svc-${index}`,
    namespace: 'bench',
    type: 'ClusterIP',
    clusterIps: [clusterIp(index)],
    isLocal: false,
    hasAffinity: false,
    ports: [{ name: 'http', port: 80, targetPort: endpointPort, protocol: 'TCP' }],
    first: index * endpointsEach,
    size: endpointsEach,
  }));
}

function typeOf(index: number): BenchService['type'] {
  if (index % 20 === 5) return 'LoadBalancer';
  return index % 10 === 1 ? 'NodePort' : 'ClusterIP';
}

function portsOf(index: number): readonly ServicePort[] {
  return Array.from({ length: 1 + (index % 7 === 0 ? index % 5 : 0) }, (_, n) => ({
    name: `p${n}`,
    port: 80 + n,
    targetPort: endpointPort + n,
    protocol: (index + n) % 9 === 0 ? 'UDP' : 'TCP',
  }));
}

// The number of endpoints n has a probability proportional to n^-1.5, from 1 to 500.
function powerLaw(): () => number {
  const weights = Array.from({ length: 500 }, (_, n) => (n + 1) ** -1.5);
  const sum = weights.reduce((total, weight) => total + weight);
  const random = numbersFrom(42);
  return () => {
    let left = random() * sum;
    const found = weights.findIndex((weight) => (left -= weight) <= 0);
    return found === -1 ? 1 : found + 1;
  };
}

/** Numbers from 0 to 1 that look as if drawn, and are the same for the same seed. */
export function numbersFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state * 1_103_515_245 + 12_345) & 0x7f_ff_ff_ff;
    return state / 0x7f_ff_ff_ff;
  };
}

/** The IPv4 address of the Service with this number. */
export function clusterIp(index: number): string {
  return numbered([10, 96], index + 256);
}

function clusterIpV6(index: number): string {
  return numberedV6('fd00:96::', index + 256);
}

/** The address of an endpoint. */
export function endpointIp(number: number): string {
  return numbered([10, 128], number);
}

/** Its address where the Service has IPv6 too. */
export function endpointIpV6(number: number): string {
  return numberedV6('fd00:244::', number);
}

/** The node on which the n-th endpoint of a Service is. */
export function endpointNode({ index }: BenchService, n: number): string {
  return `node-${1 + ((index + n) % nodeCount)}`;
}

/** The numbers of its endpoints on the measured node. */
export function localEndpoints(service: BenchService): readonly number[] {
  return endpointsOf(service).filter((_, n) => endpointNode(service, n) === nodeName);
}

/** The numbers of all its endpoints. */
export function endpointsOf({ first, size }: BenchService): readonly number[] {
  return Array.from({ length: size }, (_, n) => first + n);
}

function numbered([high, second]: readonly [number, number], place: number): string {
  return [high, second + (place >> 16), (place >> 8) & 255, place & 255].join('.');
}

function numberedV6(network: string, place: number): string {
  return `${network}${(place >>> 16).toString(16)}:${(place & 65_535).toString(16)}`;
}

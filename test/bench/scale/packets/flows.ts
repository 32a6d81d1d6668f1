// Which new flows are sent: past all Services, and to Services of each kind, drawn once and for all. Pure.
import {
  endpointIp,
  localEndpoints,
  nodeIp,
  numbersFrom,
  type BenchService,
  type ServicePort,
} from '../cluster/services.ts';
import { affinityServices } from '../kube-proxy-nft.ts';
import type { Flow } from './frames.ts';

/** What flows have in common. */
export type FlowKind = keyof typeof kinds;

type Kind = {
  /** Which Services; how often one is drawn follows from `weigh`. */
  readonly among: (services: readonly BenchService[]) => readonly BenchService[];
  readonly weigh: (service: BenchService) => number;
  /** Where the packet is sent to. */
  readonly to: (
    service: BenchService,
    port: ServicePort,
    chance: number,
  ) => Pick<Flow, 'to' | 'toPort'>;
  /** Whether the client is a pod of the node; else it is outside of the cluster. */
  readonly isPod: boolean;
};

const all: Kind['among'] = (services) => services;
const those =
  (of: (service: BenchService) => boolean): Kind['among'] =>
  (services) =>
    services.filter(of);
const byEndpoints = ({ size }: BenchService): number => size;
const toCluster: Kind['to'] = ({ clusterIps: [to] }, { port }) => ({ to, toPort: port });
const toBalancer: Kind['to'] = ({ loadBalancerIp = '' }, { port }) => ({
  to: loadBalancerIp,
  toPort: port,
});
const toPod: Kind['to'] = (service, { targetPort }, chance) => ({
  to: endpointIp(service.first + Math.floor(chance * service.size)),
  toPort: targetPort,
});
const hasNodePort = ({ ports: [port] }: BenchService): boolean => port?.nodePort !== undefined;

const kinds = {
  'past all Services': { among: all, weigh: byEndpoints, to: toPod, isPod: true },
  'to a Service, by endpoints': { among: all, weigh: byEndpoints, to: toCluster, isPod: true },
  'to a Service, each alike': { among: all, weigh: () => 1, to: toCluster, isPod: true },
  'to a cluster IP': {
    among: those(({ hasAffinity }) => !hasAffinity),
    weigh: byEndpoints,
    to: toCluster,
    isPod: true,
  },
  'to a node port': {
    among: those((service) => hasNodePort(service) && !service.isLocal && !service.hasAffinity),
    weigh: byEndpoints,
    to: (_, { nodePort = 0 }) => ({ to: nodeIp, toPort: nodePort }),
    isPod: false,
  },
  'to a load balancer': {
    among: those(({ type, isLocal }) => type === 'LoadBalancer' && !isLocal),
    weigh: byEndpoints,
    to: toBalancer,
    isPod: false,
  },
  'to a load balancer, Local': {
    among: those(({ isLocal }) => isLocal),
    weigh: (service) => localEndpoints(service).length,
    to: toBalancer,
    isPod: false,
  },
  'to a Service with affinity': {
    among: affinityServices,
    weigh: byEndpoints,
    to: toCluster,
    isPod: true,
  },
} as const satisfies Readonly<Record<string, Kind>>;

/** All kinds that there are. */
export const flowKinds = Object.keys(kinds) as readonly FlowKind[];

// As many as make a difference where something is kept for each client.
const clients = 250;
const firstPort = 10_000;

/** So many different flows of a kind; none where no Service is of it. */
export function flowsOf(
  name: FlowKind,
  services: readonly BenchService[],
  count: number,
): readonly Flow[] {
  const kind: Kind = kinds[name];
  const random = numbersFrom(7 + flowKinds.indexOf(name));
  const draw = drawer(kind.among(services), kind.weigh);
  const flows: Flow[] = [];
  for (let n = 0; n < count; n += 1) {
    const service = draw(random());
    const port = service?.ports[Math.floor(random() * service.ports.length * 0.999)];
    if (service === undefined || port === undefined) return [];
    const client = n % clients;
    flows.push({
      from: kind.isPod ? `10.255.0.${client + 1}` : `192.0.2.${client + 2}`,
      fromPort: firstPort + Math.floor(n / clients),
      protocol: port.protocol,
      ...kind.to(service, port, random() * 0.999),
    });
  }
  return flows;
}

function drawer(
  services: readonly BenchService[],
  weigh: Kind['weigh'],
): (chance: number) => BenchService | undefined {
  let sum = 0;
  const ends = services.map((service) => (sum += weigh(service)));
  return (chance) => {
    const wanted = chance * sum;
    let [low, high] = [0, services.length - 1];
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((ends[middle] ?? 0) > wanted) high = middle;
      else low = middle + 1;
    }
    return sum === 0 ? undefined : services[low];
  };
}

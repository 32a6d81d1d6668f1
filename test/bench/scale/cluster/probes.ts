// The Services of a cluster of which one endpoint comes and goes. That shows at once, however many other
// endpoints there are: the coming endpoint alone has a second port of the Service. Pure.
import { endpointsInSlice, serviceObject, sliceObject, slicesOf } from './objects.ts';
import type { StoredObject } from './objects.ts';
import { clusterIp, endpointPort, endpointsOf, type BenchService } from './services.ts';

/** One of them. */
export type Probe = {
  readonly service: BenchService;
  /** The address at which the coming endpoint is alone. */
  readonly ip: string;
  readonly port: number;
};

/** All of them, by what they are for. */
export type Probes = {
  /** By how many endpoints they have with the coming one. */
  readonly sized: ReadonlyMap<number, Probe>;
  /** Many, of sizes as they are common. */
  readonly common: readonly Probe[];
  /** Without the second port: the transaction for its endpoint is that of any Service. */
  readonly plain: Probe;
};

/** How many endpoints those have that are measured one by one. */
export const probeSizes = [5, 50, 1000] as const;
const commonSizes = [1, 1, 1, 1, 2, 2, 3, 5, 12, 60];
const commonCount = 50;
const plainSize = 1000;
const http = { name: 'http', port: 80, targetPort: endpointPort, protocol: 'TCP' } as const;
const alone = { ...http, name: 'alone', port: 81 } as const;

/** The probes of a cluster: Services beside its own. */
export function probesFor(services: readonly BenchService[]): Probes {
  const last = services.at(-1);
  let [index, first] = [services.length, last === undefined ? 0 : last.first + last.size];
  const next = (size: number, ports: BenchService['ports']): Probe => {
    const standing = size - 1;
    const service: BenchService = {
      index,
      name: `probe-${index}`,
      namespace: 'probes',
      type: 'ClusterIP',
      clusterIps: [clusterIp(index)],
      isLocal: false,
      hasAffinity: false,
      ports,
      first,
      size: standing,
    };
    index += 1;
    first += standing;
    return { service, ip: service.clusterIps[0], port: alone.port };
  };
  const common = Array.from({ length: commonCount }, (_, n) =>
    next(commonSizes[n % commonSizes.length] ?? 1, [http, alone]),
  );
  const sized = new Map(probeSizes.map((size) => [size, next(size, [http, alone])]));
  return { common, sized, plain: next(plainSize, [http]) };
}

/** A probe's objects, before its endpoint comes. */
export function* probeObjects({ sized, common, plain }: Probes): Generator<StoredObject> {
  for (const probe of [...common, ...sized.values(), plain]) {
    yield* serviceOf(probe);
    yield comingEndpoint(probe, undefined);
  }
}

function* serviceOf({ service }: Probe): Generator<StoredObject> {
  const standing = { ...service, ports: [http] };
  yield serviceObject(service);
  yield* slicesOf(standing, endpointsOf(service));
}

/** A Service of very many ports and endpoints: all its objects, and the slice that has one endpoint less. */
export type Wide = { readonly all: readonly StoredObject[]; readonly fewer: StoredObject };

const widePorts = 100;
const wideSize = 1000;
// No probe has one of these.
const [wideIndex, wideFirst] = [500, 10_000];

/** One that comes to a cluster of these Services. */
export function wideService(services: readonly BenchService[]): Wide {
  const last = services.at(-1);
  const index = services.length + wideIndex;
  const service: BenchService = {
    index,
    name: 'wide',
    namespace: 'probes',
    type: 'ClusterIP',
    clusterIps: [clusterIp(index)],
    isLocal: false,
    hasAffinity: false,
    ports: Array.from({ length: widePorts }, (_, n) => ({
      name: `port-${n}`,
      port: 1000 + n,
      targetPort: endpointPort + n,
      protocol: 'TCP',
    })),
    first: wideFirst + (last === undefined ? 0 : last.first + last.size),
    size: wideSize,
  };
  const endpoints = endpointsOf(service);
  const some = endpoints.slice(1, endpointsInSlice);
  return {
    all: [serviceObject(service), ...slicesOf(service, endpoints)],
    fewer: sliceObject({ service, family: 'IPv4', at: 0, some }),
  };
}

// After the slices that stand.
const comingAt = 2000;
// Where the endpoints are that come: no other Service has any there.
const comingPods = 127 << 16;

/** The slice of the coming endpoint: with the n-th one, or empty. Each is another address than those before. */
export function comingEndpoint({ service }: Probe, n: number | undefined): StoredObject {
  const some =
    n === undefined ? [] : [comingPods + (((service.index + 7 * n) & 255) << 8) + (n % 250) + 1];
  return sliceObject({ service, family: 'IPv4', at: comingAt, some });
}

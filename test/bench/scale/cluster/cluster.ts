// A cluster of a given shape and size, and its objects. Pure.
import { objectsOf, type StoredObject } from './objects.ts';
import { probeObjects, probesFor, type Probes } from './probes.ts';
import { servicesOf, type BenchService, type Shape } from './services.ts';

/** What a cluster follows from. */
export type ClusterSpec = {
  readonly shape: Shape;
  readonly services: number;
  /** Whether there are Services beside whose endpoints come and go. */
  readonly hasProbes: boolean;
};

export type Cluster = {
  readonly spec: ClusterSpec;
  readonly services: readonly BenchService[];
  /** Whether or not they are in it. */
  readonly probes: Probes;
};

/** The cluster. */
export function clusterOf(spec: ClusterSpec): Cluster {
  const services = servicesOf(spec.shape, spec.services);
  return { spec, services, probes: probesFor(services) };
}

/** All objects of it. */
export function* clusterObjects({ spec, services, probes }: Cluster): Generator<StoredObject> {
  yield* objectsOf(services);
  if (spec.hasProbes) yield* probeObjects(probes);
}

/** The last Service that a client's connection is answered by: with it, all are. */
export function lastAnswered({ services }: Cluster): {
  readonly ip: string;
  readonly port: number;
} {
  const last = services.findLast(
    ({ ports, hasAffinity }) => ports[0]?.protocol === 'TCP' && !hasAffinity,
  );
  const port = last?.ports[0];
  if (last === undefined || port === undefined) throw new Error('too few Services');
  return { ip: last.clusterIps[0], port: port.port };
}

/** What a row is called. */
export function shapeName({ shape, services }: ClusterSpec): string {
  if (shape.kind === 'yardstick') return 'yardstick';
  return `${services.toLocaleString('en')} x ${shape.endpointsEach}`;
}

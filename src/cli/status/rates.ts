// What changed between two readings of a daemon's counters: rates, who gets nothing, and how evenly
// endpoints are used. Pure.
import type { Connections, EndpointConnections, PortConnections } from '../../model/connections.ts';

/** An endpoint in one interval; what is not counted is undefined. */
export type EndpointRate = {
  readonly endpoint: string;
  readonly isLocal: boolean;
  readonly total: number | undefined;
  readonly perSecond: number | undefined;
};

/** A Service port in one interval. */
export type PortRate = Pick<PortConnections, 'family' | 'service' | 'portName' | 'protocol'> & {
  readonly total: number | undefined;
  readonly perSecond: number | undefined;
  readonly endpoints: readonly EndpointRate[];
  readonly skipped: number;
  /** Endpoints that got nothing at all since they are counted, although others of the port did. */
  readonly idle: number;
  /** How many times the fair share the busiest endpoint has had; undefined where it says nothing yet. */
  readonly imbalance: number | undefined;
};

/** What comes first. */
export type SortBy = 'rate' | 'total' | 'idle' | 'imbalance' | 'name';

/** The rates of all ports, sorted. */
export function ratesBetween(
  before: Connections,
  after: Connections,
  sort: SortBy,
): readonly PortRate[] {
  const seconds = Math.max((after.atMs - before.atMs) / 1000, 0.001);
  const was = new Map(before.ports.map((port) => [idOf(port), port]));
  const rates = after.ports.map((port) => portRate(was.get(idOf(port)), port, seconds));
  const value = sorters[sort];
  // By name where all else is the same: that is how they come.
  return rates.toSorted((a, b) => value(b) - value(a));
}

const sorters: Readonly<Record<SortBy, (port: PortRate) => number>> = {
  rate: ({ perSecond = -1 }) => perSecond,
  total: ({ total = -1 }) => total,
  idle: ({ idle }) => idle,
  imbalance: ({ imbalance = 0 }) => imbalance,
  name: () => 0,
};

function portRate(
  was: PortConnections | undefined,
  { family, service, portName, protocol, ...port }: PortConnections,
  seconds: number,
): PortRate {
  const before = new Map(was?.endpoints.map((one) => [one.endpoint, one]));
  const endpoints = port.endpoints.map((one): EndpointRate => {
    const { endpoint, isLocal, connections: total } = one;
    const perSecond = rate(before.get(endpoint)?.connections, total, seconds);
    return { endpoint, isLocal, total, perSecond };
  });
  return {
    family,
    service,
    portName,
    protocol,
    total: port.connections,
    perSecond: rate(was?.connections, port.connections, seconds),
    endpoints,
    skipped: port.skipped,
    idle: idleOf(port.endpoints),
    imbalance: imbalanceOf(port.endpoints),
  };
}

// A counter that shrank began anew.
function rate(
  was: number | undefined,
  is: number | undefined,
  seconds: number,
): number | undefined {
  if (is === undefined) return undefined;
  // What was not there before may have counted for longer than this interval.
  if (was === undefined) return 0;
  return (is >= was ? is - was : is) / seconds;
}

function idleOf(endpoints: readonly EndpointConnections[]): number {
  if (!endpoints.some(({ connections = 0 }) => connections > 0)) return 0;
  return endpoints.filter(({ connections }) => connections === 0).length;
}

// Of a handful of connections chance makes any share.
const fewest = 20;

function imbalanceOf(endpoints: readonly EndpointConnections[]): number | undefined {
  const counts = endpoints.flatMap(({ connections }) => connections ?? []);
  const sum = counts.reduce((a, b) => a + b, 0);
  if (counts.length < 2 || sum < fewest * counts.length) return undefined;
  return (Math.max(...counts) * counts.length) / sum;
}

function idOf({ family, service, portName, protocol }: PortConnections): string {
  return [family, service, portName, protocol].join(' ');
}

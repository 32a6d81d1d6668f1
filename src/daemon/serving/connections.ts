// What the kernel counted, Service port by Service port: counters and what was decided in, connections
// out. A counter that began anew, as its element or rule was written again, goes on where it was.
import type { EndpointConnections, PortConnections } from '../../model/connections.ts';
import type { Frontend, Pool, ServiceForwarding } from '../../model/forwarding.ts';
import { frontendId, hostPort } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { Protocol, ServiceKey } from '../../model/kubernetes.ts';
import type { Counted } from '../../netfilter/counted.ts';

/** Invariant: for each counter of the last reading, #seen has what it said and what it adds up to. */
export class RunningTotals {
  #seen = new Map<string, { readonly said: number; readonly total: number }>();

  /** The same counters with what they came to in all readings; those that are gone are forgotten. */
  add(counted: readonly Counted[]): readonly Counted[] {
    const seen = new Map<string, { readonly said: number; readonly total: number }>();
    const times = new Map<string, number>();
    const totals = counted.map((one) => {
      const said = one.connections;
      const name = JSON.stringify([one.of, one.endpoint]);
      // Several rules may lead to one endpoint of a Service port: the first, the second, and so on.
      const nth = times.get(name) ?? 0;
      times.set(name, nth + 1);
      const id = `${name} ${nth}`;
      const before = this.#seen.get(id) ?? { said: 0, total: 0 };
      const total = before.total + (said >= before.said ? said - before.said : said);
      seen.set(id, { said, total });
      return { ...one, connections: total };
    });
    this.#seen = seen;
    return totals;
  }
}

type Port = {
  readonly service: ServiceKey;
  readonly portName: string;
  readonly protocol: Protocol;
  readonly frontends: readonly Frontend[];
};

/** The Service ports of one family, by name. */
export function portConnections(
  family: Family,
  services: Iterable<ServiceForwarding>,
  counted: readonly Counted[],
): readonly PortConnections[] {
  const byPlace = Map.groupBy(counted, ({ of }) =>
    of.kind === 'address' ? of.id : `${of.service}:${of.portName}`,
  );
  const ports = [...services].flatMap(portsOf);
  return ports.toSorted(byName).map((port) => {
    const ids = new Set(port.frontends.map(({ address }) => frontendId(address)));
    const places = [...ids, `${port.service}:${port.portName}`];
    const counters = places.flatMap((place) => byPlace.get(place) ?? []);
    return portOf(family, port, counters);
  });
}

function portOf(family: Family, port: Port, counters: readonly Counted[]): PortConnections {
  const { service, portName, protocol, frontends } = port;
  const ofAddresses = counters.filter(({ endpoint }) => endpoint === undefined);
  // Where each endpoint is counted, all of them together are those of the Service.
  const connections = sumOf(ofAddresses.length > 0 ? ofAddresses : counters);
  const pools = frontends.flatMap(poolsOf);
  const skipped = new Set(
    pools.flatMap(({ skipped }) => skipped.map(({ endpoint }) => id(endpoint))),
  );
  const members = new Map(
    pools.flatMap((pool) => pool.members.map((endpoint) => [id(endpoint), endpoint] as const)),
  );
  const endpoints = [...members].map(([endpoint, { isLocal }]): EndpointConnections => {
    const sum = sumOf(counters.filter((one) => one.endpoint === endpoint));
    return { endpoint, isLocal, ...(sum === undefined ? {} : { connections: sum }) };
  });
  return {
    family,
    service,
    portName,
    protocol,
    ...(connections === undefined ? {} : { connections }),
    endpoints,
    skipped: [...skipped].filter((endpoint) => !members.has(endpoint)).length,
  };
}

function portsOf({ service, frontends }: ServiceForwarding): readonly Port[] {
  const ports = Map.groupBy(frontends, ({ portName, address: { protocol } }) => {
    return `${portName} ${protocol}`;
  });
  return [...ports.values()].flatMap((all): readonly Port[] => {
    const [first] = all;
    if (first === undefined) return [];
    const { portName, address } = first;
    return [{ service, portName, protocol: address.protocol, frontends: all }];
  });
}

function poolsOf({ route }: Frontend): readonly Pool[] {
  return route.kind === 'forward-local' ? [route.pool, route.cluster] : [route.pool];
}

function id({ ip, port }: Pool['members'][number]): string {
  return hostPort(ip, port);
}

function sumOf(counters: readonly Counted[]): number | undefined {
  if (counters.length === 0) return undefined;
  return counters.reduce((sum, { connections }) => sum + connections, 0);
}

function byName(a: Port, b: Port): number {
  const [one, other] = [a, b].map(({ service, portName }) => `${service}:${portName}`);
  return (one ?? '') < (other ?? '') ? -1 : 1;
}

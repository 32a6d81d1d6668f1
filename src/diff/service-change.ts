// What a change of rules means for Services, as facts: in what every Service address did and what it is
// to do, out who is added, changed and removed, and how. Pure; words for it are the caller's.
import type { FrontendAddress } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Family } from '../model/ip.ts';
import type { Protocol, ServiceKey } from '../model/kubernetes.ts';
import type { Served } from '../netfilter/served.ts';
import type { Fact } from './facts.ts';
import { addressFacts } from './facts.ts';

/** The facts that addresses of one Service port have in common. */
export type PortChange = {
  readonly family: Family;
  /** '' where the port has no name. */
  readonly portName: string;
  readonly protocol: Protocol;
  readonly addresses: readonly FrontendAddress[];
  /** These are all addresses that the port has in this family, before and after. */
  readonly isWholePort: boolean;
  readonly facts: readonly Fact[];
};

/** What happens to one Service. */
export type ServiceChange = {
  readonly service: ServiceKey;
  readonly change: 'added' | 'changed' | 'removed';
  /** Every address it had, or gets where it had none. */
  readonly addresses: readonly Pick<Served, 'family' | 'address' | 'portName'>[];
  readonly ports: readonly PortChange[];
  /** Distinct endpoints, of all its ports and both families. */
  readonly endpoints: {
    readonly before: number;
    readonly after: number;
    readonly added: number;
    readonly removed: number;
  };
};

/** The Services that differ, by name. */
export function serviceChanges(
  before: readonly Served[],
  after: readonly Served[],
): readonly ServiceChange[] {
  const was = Map.groupBy(before, ({ service }) => service);
  const is = Map.groupBy(after, ({ service }) => service);
  const services = [...new Set([...was.keys(), ...is.keys()])].toSorted();
  return services.flatMap((service) => {
    const change = changeOf(service, was.get(service) ?? [], is.get(service) ?? []);
    return change.ports.length === 0 ? [] : [change];
  });
}

function changeOf(
  service: ServiceKey,
  before: readonly Served[],
  after: readonly Served[],
): ServiceChange {
  const [was, is] = [endpointsOf(before), endpointsOf(after)];
  const one = before.length === 0 ? 'added' : 'changed';
  const addresses = before.length === 0 ? after : before;
  return {
    service,
    change: after.length === 0 ? 'removed' : one,
    addresses: addresses.map(({ family, address, portName }) => ({ family, address, portName })),
    ports: portChanges(before, after),
    endpoints: {
      before: was.size,
      after: is.size,
      added: [...is].filter((endpoint) => !was.has(endpoint)).length,
      removed: [...was].filter((endpoint) => !is.has(endpoint)).length,
    },
  };
}

/** Distinct endpoints, whichever of the Service's ports and addresses lead to them. */
function endpointsOf(all: readonly Served[]): ReadonlySet<string> {
  return new Set(all.flatMap(({ endpoints, outside = [] }) => [...endpoints, ...outside]));
}

type Pair = { readonly was: Served | undefined; readonly is: Served | undefined };

function portChanges(before: readonly Served[], after: readonly Served[]): readonly PortChange[] {
  const was = new Map(before.map((one) => [idOf(one), one]));
  const is = new Map(after.map((one) => [idOf(one), one]));
  const ids = [...new Set([...was.keys(), ...is.keys()])];
  const pairs = ids.map((id): Pair => ({ was: was.get(id), is: is.get(id) }));
  const ports = Map.groupBy(pairs, portOf);
  return [...ports.keys()].toSorted().flatMap((port) => changesOfPort(ports.get(port) ?? []));
}

function idOf({ family, address }: Served): string {
  return `${family} ${frontendId(address)}`;
}

function someOf({ was, is }: Pair): Served {
  return (is ?? was) as Served;
}

function portOf(pair: Pair): string {
  const { family, portName, address } = someOf(pair);
  return `${family} ${portName} ${address.protocol}`;
}

/** Addresses to which the same happens are reported together. */
function changesOfPort(pairs: readonly Pair[]): readonly PortChange[] {
  const changes = pairs.map((pair) => ({ pair, facts: addressFacts(pair.was, pair.is) }));
  const alike = Map.groupBy(changes, ({ facts }) => JSON.stringify(facts));
  return [...alike.values()].flatMap((group): readonly PortChange[] => {
    const [first] = group;
    if (first === undefined || first.facts.length === 0) return [];
    const { family, portName, address } = someOf(first.pair);
    return [
      {
        family,
        portName,
        protocol: address.protocol,
        addresses: group.map(({ pair }) => someOf(pair).address),
        isWholePort: group.length === pairs.length,
        facts: first.facts,
      },
    ];
  });
}

// What a transaction does with remembered clients: those of an endpoint that is removed are deleted, and a new map
// gets those of the map that it replaces. Only the kernel knows them, so they are listed, where a plan needs it.
// Pure, but for the listing that is given.
import type { Family, Ip } from '../../model/ip.ts';
import type { Protocol, ServiceKey } from '../../model/kubernetes.ts';
import type { Plan } from '../../netfilter/plan.ts';
import { keys } from './keys.ts';
import { portNames } from './names.ts';
import type { Listed } from './read/observe.ts';
import { isOurs } from './read/observe.ts';
import type { ContainerUnit, ElementUnit, NftUnit } from './unit.ts';
import { elementUnit } from './unit.ts';

/** The elements of clients that a transaction takes away or adds. */
export type ClientChanges = {
  readonly forgotten: readonly ElementUnit[];
  readonly carried: readonly ElementUnit[];
};

/** Lists our table, or one map of it, as `nft -j` does. */
export type ListClients = (map?: string) => Promise<string>;

/** Which endpoints' clients a plan forgets, by the map that they are in. */
export function forgottenBy(plan: Plan<NftUnit>): ReadonlyMap<string, ReadonlySet<string>> {
  const forgotten = new Map<string, ReadonlySet<string>>();
  for (const step of plan) {
    if (step.op !== 'replace' || !holdsClients(step.unit) || !holdsClients(step.was)) continue;
    const left = new Set(step.unit.endpoints);
    const gone = step.was.endpoints.filter((endpoint) => !left.has(endpoint));
    if (gone.length > 0) forgotten.set(step.unit.container.name, new Set(gone));
  }
  return forgotten;
}

/** The elements of clients of these endpoints, as they are now. */
export async function clientsToForget(
  family: Family,
  forgotten: ReadonlyMap<string, ReadonlySet<string>>,
  list: ListClients,
): Promise<readonly ElementUnit[]> {
  const found: ElementUnit[] = [];
  for (const [map, endpoints] of forgotten) {
    for (const { client, endpoint } of clientsIn(family, await list(map))) {
      if (endpoints.has(endpoint)) {
        found.push(clientUnit(map, { client, endpoint }));
      }
    }
  }
  return found;
}

/**
 * The elements of clients that belong into maps which the plan makes: whoever is remembered for the same Service
 * port in a map that goes, or in a table of another shape, and was sent to an endpoint that stays.
 */
export async function clientsToCarry(
  family: Family,
  plan: Plan<NftUnit>,
  list: ListClients,
): Promise<readonly ElementUnit[]> {
  const made = plan.flatMap((step) =>
    step.op === 'create' && holdsClients(step.unit) ? [step.unit] : [],
  );
  const isNewTable = plan.some((step) => step.op === 'replace' && step.unit.kind === 'table');
  const leaving = plan.flatMap((step) =>
    step.op === 'delete' && holdsClients(step.was) ? [step.was.container.name] : [],
  );
  if (made.length === 0 || (!isNewTable && leaving.length === 0)) return [];
  const clients: Client[] = [];
  for (const map of isNewTable ? [undefined] : leaving) {
    clients.push(...clientsIn(family, await list(map)));
  }
  return made.flatMap((unit) => carriedTo(unit, clients));
}

function carriedTo(
  { container, endpoints }: ClientsUnit,
  clients: readonly Client[],
): readonly ElementUnit[] {
  const port = portNames.read(container.name);
  const known = new Set(endpoints);
  const carried = new Map<string, ElementUnit>();
  for (const { of, client, endpoint, expiresSeconds } of clients) {
    const isSame =
      of.service === port?.service &&
      of.portName === port.portName &&
      of.protocol === port.protocol &&
      (of.use ?? port.use) === port.use;
    if (!isSame || !known.has(endpoint) || carried.has(client)) continue;
    const seconds = Math.max(1, Math.min(expiresSeconds, container.timeoutSeconds ?? 1));
    carried.set(client, clientUnit(container.name, { client, endpoint, expiresSeconds: seconds }));
  }
  return [...carried.values()];
}

type Remembered = {
  readonly client: string;
  readonly endpoint: string;
  readonly expiresSeconds?: number;
};

/** The element of a client in a map, which has the endpoint's port in its name. */
function clientUnit(
  container: string,
  { client: key, endpoint, ...more }: Remembered,
): ElementUnit {
  return elementUnit({
    container,
    key,
    value: keys.target.read(endpoint)?.ip ?? endpoint,
    ...more,
  });
}

type ClientsUnit = ContainerUnit & { readonly endpoints: readonly string[] };

function holdsClients(unit: NftUnit): unit is ClientsUnit {
  return (unit.kind === 'map' || unit.kind === 'set') && unit.endpoints !== undefined;
}

type Client = {
  readonly of: {
    readonly service: ServiceKey;
    readonly portName: string;
    readonly protocol: Protocol;
    /** Undefined: for endpoints of the cluster and of this node alike. */
    readonly use: string | undefined;
  };
  readonly client: string;
  readonly endpoint: string;
  readonly expiresSeconds: number;
};

type ListedClient = { readonly elem: { readonly val: string; readonly expires?: number } };

/** All clients in a listing, also as Sluice 0.1 kept them: in a set for each endpoint, which is in its name. */
function clientsIn(family: Family, listing: string): readonly Client[] {
  const { nftables } = JSON.parse(listing) as { nftables: readonly Listed[] };
  return nftables
    .filter((item) => isOurs(family, item))
    .flatMap(({ set, map }) => [...setClients(set), ...mapClients(map)]);
}

function mapClients(map: Listed['map']): readonly Client[] {
  const of = portNames.read(map?.name ?? '');
  if (of?.clients === undefined) return [];
  const { port } = of.clients;
  return (map?.elem ?? []).map((listed) => {
    const [key, ip] = listed as [ListedClient, Ip];
    return { of, endpoint: keys.target.write({ ip, port }), ...clientOf(key) };
  });
}

const setName =
  /^affinity-\d+s-[A-Z2-7]{8}-([^/]+\/[^/]+)\/(tcp|udp|sctp)\/(.*)__([0-9a-f.]+)\/(\d+)$/;

function setClients(set: Listed['set']): readonly Client[] {
  const [, service, protocol, portName = '', ip = '', port] = setName.exec(set?.name ?? '') ?? [];
  if (service === undefined) return [];
  const of = {
    service: service as ServiceKey,
    portName,
    protocol: protocol as Protocol,
    use: undefined,
  };
  // nft takes no colon in a name: an IPv6 address has dots there.
  const isIpv4 = /^\d+\.\d+\.\d+\.\d+$/.test(ip);
  const endpoint = `${isIpv4 ? ip : ip.replaceAll('.', ':')} . ${port}`;
  if (keys.target.read(endpoint) === undefined) return [];
  return (set?.elem ?? []).map((key) => ({ of, endpoint, ...clientOf(key as ListedClient) }));
}

function clientOf({ elem: { val, expires = 1 } }: ListedClient) {
  return { client: val, expiresSeconds: expires };
}

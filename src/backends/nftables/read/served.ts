// What the units of an nftables Program do for the clients of each Service address. Pure; reads what
// compile/ writes, and passes over what has another shape.
import { frontendId, hostPort } from '../../../model/forwarding.ts';
import type { FrontendAddress } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { ServiceKey } from '../../../model/kubernetes.ts';
import { servicePortNamed } from '../../../model/kubernetes.ts';
import type { Program } from '../../../netfilter/program.ts';
import type { Served } from '../../../netfilter/served.ts';
import { expressionText } from '../expression.ts';
import { keys, slotOf } from '../keys.ts';
import { portNames, sharedChainNames } from '../names.ts';
import { containers } from '../schema.ts';
import type { ChainUnit, ElementUnit, NftUnit } from '../unit.ts';
import { ruleText } from '../unit.ts';
import { clientsOf } from './clients.ts';

/** Every Service address that these units know. */
export function servedBy(family: Family, units: Program<NftUnit>): readonly Served[] {
  const listing = { family, ...indexOf(units) };
  const forwarded = entriesOf(listing, 'serviceIps', 'serviceNodePorts').map((entry) =>
    forwardedBy(listing, entry),
  );
  const known = new Set(forwarded.map(({ address }) => frontendId(address)));
  const stopped = entriesOf(listing, 'noEndpointServices', 'noEndpointNodePorts').map((entry) =>
    stoppedBy(listing, entry),
  );
  // What is dropped from outside alone has a way for others.
  return [...forwarded, ...stopped.filter(({ address }) => !known.has(frontendId(address)))];
}

/** An element that a frontend is looked up by. */
type Entry = { readonly element: ElementUnit; readonly address: FrontendAddress };

type Listing = {
  readonly family: Family;
  /** By the set or map that they are in. */
  readonly elements: ReadonlyMap<string, readonly Entry[]>;
  readonly chains: ReadonlyMap<string, ChainUnit>;
  /** The checks of who may connect, by the key of the address. */
  readonly checks: ReadonlyMap<string, ElementUnit>;
  /** Endpoints by frontend, as slotsId has it. */
  readonly slots: ReadonlyMap<string, readonly string[]>;
};

function indexOf(units: Program<NftUnit>): Omit<Listing, 'family'> {
  const elements = new Map<string, Entry[]>();
  const chains = new Map<string, ChainUnit>();
  const slots = new Map<string, string[]>();
  for (const unit of units.values()) {
    if (unit.kind === 'chain') chains.set(unit.name, unit);
    if (unit.kind !== 'element') continue;
    const slot = slotOf(unit);
    const address = keys.frontend.read(unit.key);
    if (address !== undefined) add(elements, unit.container, { element: unit, address });
    if (slot !== undefined) {
      const { endpoint, frontend, map } = slot;
      add(slots, slotsId(frontend, map.isLocal), hostPort(endpoint.ip, endpoint.port));
    }
  }
  const checks = new Map(
    (elements.get(containers.firewallIps.name) ?? []).map(({ element }) => [element.key, element]),
  );
  return { elements, chains, checks, slots };
}

function add<T>(to: Map<string, T[]>, key: string, one: T): void {
  const known = to.get(key);
  if (known === undefined) to.set(key, [one]);
  else known.push(one);
}

function slotsId(frontend: FrontendAddress, isLocal: boolean): string {
  return `${frontendId(frontend)} ${isLocal}`;
}

function entriesOf(
  { elements }: Listing,
  ...names: readonly (keyof typeof containers)[]
): readonly Entry[] {
  return names.flatMap((name) => elements.get(containers[name].name) ?? []);
}

/** The way of a frontend that a chain serves. */
function forwardedBy(listing: Listing, entry: Entry): Served {
  const name = gotoOf(entry.element);
  const chain = listing.chains.get(name);
  const common = commonOf(listing, entry);
  const slots = (isLocal: boolean): readonly string[] =>
    sorted(listing.slots.get(slotsId(common.address, isLocal)) ?? []);
  return {
    ...common,
    fate: 'forward',
    endpoints: slots(false),
    outside: isSplit(name, chain) ? slots(true) : undefined,
    affinitySeconds: affinityIn(chain),
    masquerade: masqueradeIn(chain),
  };
}

// Where all get the same endpoints, the draw has no condition and no other is before it.
function isSplit(name: string, chain: ChainUnit | undefined): boolean {
  const shared = sharedChainNames.read(name);
  if (shared !== undefined) return shared.localCapacity !== undefined;
  return (chain?.rules ?? []).some(
    ({ expr }) => expr.length > 1 && expr.some((one) => 'goto' in one),
  );
}

function affinityIn(chain: ChainUnit | undefined): number {
  const [map] = (chain?.rules ?? []).flatMap((rule) => clientsOf(rule) ?? []);
  return portNames.read(map ?? '')?.clients?.seconds ?? 0;
}

function stoppedBy(listing: Listing, entry: Entry): Served {
  return {
    ...commonOf(listing, entry),
    fate: entry.element.value === 'drop' ? 'drop' : 'reject',
    endpoints: [],
    outside: undefined,
    affinitySeconds: 0,
    masquerade: [],
  };
}

function commonOf(listing: Listing, { element, address }: Entry) {
  const { comment = '', key, owner } = element;
  const unknown = { service: `unknown/${key.replaceAll(' . ', '-')}` as ServiceKey, portName: '' };
  const { service, portName } = servicePortNamed(comment) ?? unknown;
  const allowFrom = address.ip === undefined ? undefined : allowedAt(listing, key);
  return { family: listing.family, address, portName, allowFrom, service: owner ?? service };
}

/** The sources that the check in front of an address lets pass. */
function allowedAt(listing: Listing, key: string): readonly string[] | undefined {
  const check = listing.checks.get(key);
  if (check === undefined) return undefined;
  const rules = listing.chains.get(gotoOf(check))?.rules ?? [];
  return rules
    .filter(({ expr }) => expr.some((statement) => 'return' in statement))
    .flatMap(({ expr }) =>
      expr.flatMap((each) => ('match' in each ? [expressionText(each.match.right)] : [])),
    );
}

/** Who is masqueraded on the way through a chain. */
function masqueradeIn(chain: ChainUnit | undefined): readonly string[] {
  const marking = (chain?.rules ?? []).filter(({ expr }) => expr.some((one) => 'mangle' in one));
  const conditions = marking.map(({ expr }) => expr.filter((one) => 'match' in one));
  return conditions.map((expr) => ruleText({ expr }) || 'always');
}

function gotoOf({ value = '' }: ElementUnit): string {
  return keys.chain.read(value) ?? '';
}

function sorted(endpoints: readonly string[]): readonly string[] {
  return [...new Set(endpoints)].toSorted();
}

// What Services share: a chain for each kind of frontend and number of slots, and those that draw a slot.
// Pure. However many Services there are, there are as many chains as kinds and capacities.
import type { FrontendAddress, Pool } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import { servicePortName } from '../../../model/kubernetes.ts';
import type { ServiceChain, ServiceRule } from '../../../model/ruleset.ts';
import { compileServiceRule } from './rule.ts';
import type { Statement } from '../expression.ts';
import type { LookUp, SharedChain } from '../names.ts';
import { sharedChainNames, sharedKind } from '../names.ts';
import type { SlotMap } from '../schema.ts';
import { slotMap, slotsName } from '../schema.ts';
import type { SlotRow, Standing } from './slots.ts';
import { arranged, capacityOf, drawChain, drawChainName, rowId } from './slots.ts';
import type { NftRule, NftUnit } from '../unit.ts';
import { chainUnit } from '../unit.ts';

/** What a chain balances over, each pool once. */
export function poolsOf({ rules }: ServiceChain): readonly Pool[] {
  const pools: Pool[] = [];
  for (const { then } of rules) {
    if (then.kind !== 'balance' || pools.some(({ policy }) => policy === then.pool.policy))
      continue;
    pools.push(then.pool);
  }
  return pools;
}

/** How a frontend is looked up. */
export function lookUpOf({ ip }: FrontendAddress): LookUp {
  return ip === undefined ? 'node-port' : 'address';
}

/** The name of the shared chain for this one. */
export function sharedNameOf(chain: ServiceChain, by: LookUp): string {
  const isSplit = splits(chain);
  const pools = poolsOf(chain);
  const capacity = (of: readonly Pool[]): number => capacityOf(of[0]?.members.length ?? 0);
  const local = pools.filter(({ policy }) => policy === 'Local');
  const chainOf: SharedChain = {
    kind: sharedKind(chain, by, isSplit),
    protocol: chain.protocol,
    capacity: capacity(isSplit ? pools.filter(({ policy }) => policy !== 'Local') : pools),
    localCapacity: isSplit ? capacity(local) : undefined,
  };
  return sharedChainNames.write(chainOf);
}

/** Units that Services share and that were compiled before, by id, under the same settings of the node. */
export type SharedUnits = Map<string, NftUnit>;

/** The chains that this chain's frontend shares with others: they follow from their names and the settings. */
export function sharedChains(
  family: Family,
  chain: ServiceChain,
  { by, known }: { readonly by: LookUp; readonly known: SharedUnits },
): readonly NftUnit[] {
  const name = sharedNameOf(chain, by);
  return [
    shared(known, name, () => chainUnit(name, sharedRules(family, chain, by))),
    ...drawChains(family, chain, { by, known }),
  ];
}

/** The chains that draw a slot for this chain's frontend. */
export function drawChains(
  family: Family,
  chain: ServiceChain,
  { by, known }: { readonly by: LookUp; readonly known: SharedUnits },
): readonly NftUnit[] {
  return slotsOf(chain, by).map(({ map, capacity }) =>
    shared(known, drawChainName(map, capacity), () => drawChain(family, map, capacity)),
  );
}

/** The endpoints of one frontend in slots: each pool's, as far as possible where they stand. */
export function slotRows(
  chain: ServiceChain,
  address: FrontendAddress,
  standing: Standing,
): SlotRow[] {
  return slotsOf(chain, lookUpOf(address)).map(({ pool, map }) => ({
    map,
    address,
    endpoints: arranged(pool.members, standing.get(rowId(map, address))),
  }));
}

/** Leads to the chain that draws a slot of this pool for the chain's frontend. */
export function toDrawn(chain: ServiceChain, by: LookUp, pool: Pool): readonly Statement[] {
  if (pool.members.length === 0) return [{ return: null }];
  const isLocal = splits(chain) && pool.policy === 'Local';
  const map = slotMap(slotsName(by, isLocal), chain.protocol);
  return [{ goto: { target: drawChainName(map, capacityOf(pool.members.length)) } }];
}

/** The unit of this name among those that are known; made and kept where it is not. */
export function shared(known: SharedUnits, name: string, make: () => NftUnit): NftUnit {
  let unit = known.get(name);
  if (unit === undefined) {
    unit = make();
    known.set(name, unit);
  }
  return unit;
}

// Where some clients get the endpoints of the whole cluster, all others get those of this node.
function splits({ rules }: ServiceChain): boolean {
  return rules.some(({ when, then }) => then.kind === 'balance' && when.length > 0);
}

function sharedRules(family: Family, chain: ServiceChain, by: LookUp): readonly NftRule[] {
  return chain.rules.flatMap((rule) =>
    compileServiceRule(family, anonymous(rule, chain), (pool) => [toDrawn(chain, by, pool)]),
  );
}

type Slots = { readonly pool: Pool; readonly map: SlotMap; readonly capacity: number };

function slotsOf(chain: ServiceChain, by: LookUp): readonly Slots[] {
  const isSplit = splits(chain);
  return poolsOf(chain).flatMap((pool) => {
    if (pool.members.length === 0) return [];
    const map = slotMap(slotsName(by, isSplit && pool.policy === 'Local'), chain.protocol);
    return [{ pool, map, capacity: capacityOf(pool.members.length) }];
  });
}

// What stands here serves many Services: the name of one is no part of it.
function anonymous(rule: ServiceRule, { service, portName }: ServiceChain): ServiceRule {
  const name = servicePortName(service, portName);
  return { ...rule, why: rule.why === name ? '' : rule.why.replace(name, "a Service's") };
}

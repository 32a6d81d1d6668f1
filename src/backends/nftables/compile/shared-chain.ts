// What Services share: a chain for each kind of frontend, and a chain and a map for each number of
// endpoints. A frontend has a slot in such a map for each of its endpoints: picking one at random is
// picking a slot. Pure. However many Services there are, there are as many chains as kinds and numbers.
import type { FrontendAddress, Pool } from '../../../model/forwarding.ts';
import type { ServiceCounters } from '../../../model/config.ts';
import type { Family } from '../../../model/ip.ts';
import type { TrafficPolicy } from '../../../model/kubernetes.ts';
import { servicePortName } from '../../../model/kubernetes.ts';
import type { ServiceChain, ServiceRule } from '../../../model/ruleset.ts';
import { compileServiceRule } from './rule.ts';
import type { Expression, Statement } from '../expression.ts';
import { keys } from '../keys.ts';
import type { LookUp, SharedChain } from '../names.ts';
import { sharedChainName } from '../names.ts';
import type { EndpointsMap } from '../schema.ts';
import { balanceChain, counting, endpointsMap, familyWords, fieldExpressions } from '../schema.ts';
import type { ElementUnit, NftRule, NftUnit } from '../unit.ts';
import { chainUnit, containerUnit, elementUnit } from '../unit.ts';

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

/** The name of the shared chain for this one. */
export function sharedNameOf(chain: ServiceChain, by: LookUp): SharedChain {
  return sharedChainName(chain, by, isSplit(chain));
}

/** Units that Services share and that were compiled before, by id, under the same settings of the node. */
export type SharedUnits = Map<string, NftUnit>;

/** How a chain is shared: who looks it up, what is there already, and what is to count. */
export type SharedBy = {
  readonly by: LookUp;
  readonly known: SharedUnits;
  readonly counters: ServiceCounters;
};

/** The units that this chain's frontend shares with others: they follow from their names and the settings. */
export function sharedUnits(
  family: Family,
  chain: ServiceChain,
  { by, known, counters }: SharedBy,
): readonly NftUnit[] {
  const name = sharedNameOf(chain, by);
  return [
    remembered(known, `chain ${name}`, () => chainUnit(name, sharedRules(family, chain, by))),
    ...slotsOf(chain, by).flatMap(({ map }) => [
      remembered(known, `map ${map.name}`, () => containerUnit(family, counting(map, counters))),
      remembered(known, `chain ${map.name}`, () => chainUnit(map.name, [slotRule(family, map)])),
    ]),
  ];
}

/** The elements of one frontend: each endpoint of each pool in a slot. */
export function slotElements(chain: ServiceChain, address: FrontendAddress): ElementUnit[] {
  const { service: owner } = chain;
  const by = address.ip === undefined ? 'node-port' : 'address';
  return slotsOf(chain, by).flatMap(({ pool, map }) =>
    pool.members.map((endpoint, slot) => {
      const key = keys.slot.write({ ip: address.ip, port: address.port, slot });
      return elementUnit({ container: map.name, key, value: keys.target.write(endpoint), owner });
    }),
  );
}

function remembered(known: SharedUnits, id: string, make: () => NftUnit): NftUnit {
  let unit = known.get(id);
  if (unit === undefined) {
    unit = make();
    known.set(id, unit);
  }
  return unit;
}

// Where some clients get the endpoints of the whole cluster, all others get those of this node.
function isSplit({ rules }: ServiceChain): boolean {
  return rules.some(({ when, then }) => then.kind === 'balance' && when.length > 0);
}

function sharedRules(family: Family, chain: ServiceChain, by: LookUp): readonly NftRule[] {
  const split = isSplit(chain);
  const goto = (policy: TrafficPolicy): readonly Statement[] => [
    { goto: { target: balanceChain(by, split && policy === 'Local') } },
  ];
  const rules = chain.rules.map((rule) =>
    compileServiceRule(family, anonymous(rule, chain), ({ policy }) => goto(policy)),
  );
  // A Service without an endpoint on this node has no rule for it: it has no slots there either.
  const isLast = chain.rules.some(({ when, then }) => then.kind === 'balance' && when.length === 0);
  return split && !isLast ? [...rules, { expr: goto('Local') }] : rules;
}

type Slots = { readonly pool: Pool; readonly map: EndpointsMap };

function slotsOf(chain: ServiceChain, by: LookUp): readonly Slots[] {
  const split = isSplit(chain);
  const { protocol } = chain;
  return poolsOf(chain).flatMap((pool) => {
    const size = pool.members.length;
    if (size === 0) return [];
    const isLocal = split && pool.policy === 'Local';
    return [{ pool, map: endpointsMap(balanceChain(by, isLocal), { protocol, size }) }];
  });
}

/** The rules that ask each number of endpoints in turn whether it is the frontend's: just one's is. */
export function balanceRules(maps: readonly EndpointsMap[]): readonly NftRule[] {
  return maps.map(({ name, protocol }) => ({
    expr: [
      { match: { op: '==', left: { meta: { key: 'l4proto' } }, right: protocol } },
      { jump: { target: name } },
    ],
  }));
}

// What stands here serves many Services: the name of one is no part of it.
function anonymous(rule: ServiceRule, { service, portName }: ServiceChain): ServiceRule {
  const name = servicePortName(service, portName);
  return { ...rule, why: rule.why === name ? '' : rule.why.replace(name, "a Service's") };
}

function slotRule(family: Family, { name, protocol, key, size }: EndpointsMap): NftRule {
  const slot: Expression = { numgen: { mode: 'random', mod: size, offset: 0 } };
  const fields = key.filter((field) => field !== 'slot');
  const concat = { concat: [...fieldExpressions(family, fields, protocol), slot] };
  const addr = { map: { key: concat, data: `@${name}` } };
  return { expr: [{ dnat: { family: familyWords[family].table, addr } }] };
}

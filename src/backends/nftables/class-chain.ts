// The chains that Services of the same shape share, and the slots by which each of their frontends has
// endpoints of its own: picking one at random is picking a slot of the frontend that the packet is for.
// Pure. However many Services there are, there are as many of these chains as shapes.
import type { FrontendAddress, Pool } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { Protocol, TrafficPolicy } from '../../model/kubernetes.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import type { Rule, ServiceChain } from '../../model/ruleset.ts';
import { compileRule } from './compile-rule.ts';
import type { Expression, Statement } from './expression.ts';
import { classChainName } from './names.ts';
import type { LookUp } from './schema.ts';
import { endpointsName, familyWords, fieldExpressions } from './schema.ts';
import type { ChainUnit, ElementUnit, NftRule } from './unit.ts';
import { chainUnit, elementUnit } from './unit.ts';

/** What a chain balances over, each pool once. */
export function poolsOf({ rules }: ServiceChain): readonly Pool[] {
  const pools = new Map<TrafficPolicy, Pool>();
  for (const { then } of rules) if (then.kind === 'balance') pools.set(then.pool.policy, then.pool);
  return [...pools.values()];
}

/** The name of the shared chain for this one. */
export function classNameOf(chain: ServiceChain, by: LookUp): string {
  const balances = chain.rules.filter(({ then }) => then.kind === 'balance');
  const isSplit = balances.some(({ when }) => when.length > 0);
  const [first, second] = poolsOf(chain).map(({ members }) => members.length);
  return classChainName(chain, by, { all: first ?? 0, local: isSplit ? (second ?? 0) : undefined });
}

/** The shared chains that were compiled before, by name, under the same settings of the node. */
export type ClassChains = Map<string, ChainUnit>;

/** The shared chain itself: what it holds follows from its name and the settings of the node. */
export function classChain(
  family: Family,
  chain: ServiceChain,
  { by, known }: { readonly by: LookUp; readonly known: ClassChains },
): ChainUnit {
  const name = classNameOf(chain, by);
  let unit = known.get(name);
  if (unit === undefined) {
    unit = chainUnit(name, classRules(family, chain, by));
    known.set(name, unit);
  }
  return { ...unit, owner: chain.service };
}

function classRules(family: Family, chain: ServiceChain, by: LookUp): readonly NftRule[] {
  const slots = slotsOf(chain);
  const { protocol } = chain;
  return chain.rules.map((rule) =>
    compileRule(family, anonymous(rule, chain), ({ policy, members: { length } }) => {
      const offset = slots.find(({ pool }) => pool.policy === policy)?.offset ?? 0;
      return [dnatToSlot({ family, protocol, by }, { mod: length, offset })];
    }),
  );
}

/** The elements of one frontend: its endpoints by slot, those of the second pool behind the first's. */
export function slotElements(chain: ServiceChain, address: FrontendAddress): ElementUnit[] {
  const { protocol, service: owner } = chain;
  const by = address.ip === undefined ? 'node-port' : 'address';
  const container = endpointsName(by, protocol);
  const frontend = by === 'address' ? `${address.ip} . ${address.port}` : String(address.port);
  return slotsOf(chain).flatMap(({ pool, offset }) =>
    pool.members.map(({ ip, port }, index) => {
      // Joined, as text in one piece takes less memory than what a template is put together from.
      const key = [frontend, offset + index].join(' . ');
      return elementUnit({ container, key, value: [ip, port].join(' . '), owner });
    }),
  );
}

type Slots = { readonly pool: Pool; readonly offset: number };

function slotsOf(chain: ServiceChain): readonly Slots[] {
  const slots: Slots[] = [];
  let offset = 0;
  for (const pool of poolsOf(chain)) {
    slots.push({ pool, offset });
    offset += pool.members.length;
  }
  return slots;
}

// What stands here serves many Services: the name of one is no part of it.
function anonymous(rule: Rule, { service, portName }: ServiceChain): Rule {
  const name = servicePortName(service, portName);
  return { ...rule, why: rule.why === name ? '' : rule.why.replace(name, "a Service's") };
}

type Traffic = { readonly family: Family; readonly protocol: Protocol; readonly by: LookUp };

function dnatToSlot(
  { family, protocol, by }: Traffic,
  range: { readonly mod: number; readonly offset: number },
): Statement {
  const slot: Expression = { numgen: { mode: 'random', ...range } };
  const fields = by === 'address' ? (['daddr', 'dport'] as const) : (['dport'] as const);
  const key = { concat: [...fieldExpressions(family, fields, protocol), slot] };
  const data = `@${endpointsName(by, protocol)}`;
  return { dnat: { family: familyWords[family].table, addr: { map: { key, data } } } };
}

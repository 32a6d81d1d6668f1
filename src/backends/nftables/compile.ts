// The rule book as nftables units: a constant frame of chains, sets and maps, and for each Service
// nothing but elements in them. Pure.
import type { FrontendAddress, Pool } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import type { DispatchEntry, Hook, Part, ServiceChain, ServiceRules } from '../../model/ruleset.ts';
import {
  compileJump,
  compileRule,
  partChains,
  rejectChain,
  serviceChainName,
} from './compile-rule.ts';
import { baseChains, containers, endpointsName } from './schema.ts';
import type { ChainUnit, ElementUnit, NftUnit } from './unit.ts';
import { chainUnit, commentOf, containerUnit, elementUnit, tableUnit } from './unit.ts';

/** What one Service needs: its own elements, and units that it may share with other Services. */
export type Piece = {
  readonly own: readonly ElementUnit[];
  readonly shared: readonly (ElementUnit | ChainUnit)[];
};

/** Everything that does not depend on Services. */
export function compileFrame(family: Family, parts: readonly Part[]): readonly NftUnit[] {
  const chains = parts.map(({ name, rules }) =>
    chainUnit(
      partChains[name],
      rules.map((rule) => compileRule(family, rule)),
    ),
  );
  const reject = chainUnit(rejectChain, [{ expr: [{ reject: null }] }]);
  const bases = (Object.keys(baseChains) as Hook[]).flatMap((hook) => baseChain(hook, parts));
  const sets = Object.values(containers).map((container) => containerUnit(family, container));
  return [tableUnit(family), ...sets, ...chains, reject, ...bases];
}

/** The elements of one Service. */
export function compileService(rules: ServiceRules): Piece {
  const own: ElementUnit[] = [];
  const shared: (ElementUnit | ChainUnit)[] = rules.clusterIps.map((key) =>
    elementUnit({ container: containers.clusterIps.name, key, owner: rules.service }),
  );
  for (const entry of rules.entries) {
    own.push(dispatchElement(rules, entry));
    if ('verdict' in entry.to) continue;
    const pool = poolOf(entry.to);
    own.push(...slotElements(rules, entry.address, pool));
    shared.push(...hairpinElements(rules, entry.address, pool));
    shared.push({ ...balancingChain(rules.family, entry.to, pool), owner: rules.service });
  }
  return { own, shared };
}

function baseChain(hook: Hook, parts: readonly Part[]): readonly ChainUnit[] {
  const entered = parts.filter(({ hooks }) => hooks.includes(hook));
  if (entered.length === 0) return [];
  const jumps = entered.map((part) => compileJump(partChains[part.name], part.newConnectionsOnly));
  return [chainUnit(hook, jumps, baseChains[hook])];
}

function dispatchElement(rules: ServiceRules, entry: DispatchEntry): ElementUnit {
  const { serviceIps, noEndpointServices } = containers;
  const container = entry.dispatch === 'services' ? serviceIps.name : noEndpointServices.name;
  const comment = commentOf(servicePortName(rules.service, entry.portName));
  const value = dispatchVerdict(entry.to);
  return elementUnit({
    container,
    key: keyOf(entry.address),
    value,
    comment,
    owner: rules.service,
  });
}

function dispatchVerdict(to: DispatchEntry['to']): string {
  if (!('verdict' in to)) return `goto ${serviceChainName(to.protocol, poolOf(to).members.length)}`;
  return to.verdict === 'reject' ? `goto ${rejectChain}` : 'drop';
}

function slotElements(rules: ServiceRules, address: FrontendAddress, pool: Pool): ElementUnit[] {
  const container = endpointsName(address.protocol);
  return pool.members.map(({ ip, port }, slot) => {
    const key = `${address.ip} . ${address.port} . ${slot}`;
    return elementUnit({ container, key, value: `${ip} . ${port}`, owner: rules.service });
  });
}

// Only an endpoint on this node can be the client of a connection that this node translates.
function hairpinElements(rules: ServiceRules, address: FrontendAddress, pool: Pool): ElementUnit[] {
  const container = containers.hairpinConnections.name;
  return pool.members
    .filter(({ isLocal }) => isLocal)
    .map(({ ip, port }) => {
      const key = `${ip} . ${ip} . ${address.protocol} . ${port}`;
      return elementUnit({ container, key, owner: rules.service });
    });
}

function balancingChain(family: Family, chain: ServiceChain, pool: Pool): ChainUnit {
  // What stands here serves every Service with as many endpoints: a Service's name is no part of it.
  const rules = chain.rules.map((rule) => {
    const anonymous = rule.then.kind === 'balance' ? { ...rule, why: '' } : rule;
    return compileRule(family, anonymous, chain.protocol);
  });
  return chainUnit(serviceChainName(chain.protocol, pool.members.length), rules);
}

function poolOf({ rules }: ServiceChain): Pool {
  for (const { then } of rules) if (then.kind === 'balance') return then.pool;
  throw new Error('a Service chain without a balance rule');
}

function keyOf({ ip, protocol, port }: FrontendAddress): string {
  return `${ip} . ${protocol} . ${port}`;
}

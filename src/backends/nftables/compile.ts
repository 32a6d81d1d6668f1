// The rule book as nftables units: a constant frame of chains, sets and maps, and for each Service
// little but elements in them. Pure.
import type { FrontendAddress, Pool } from '../../model/forwarding.ts';
import type { Family, Ip } from '../../model/ip.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import type { DispatchEntry, Hook, Part, ServiceRules } from '../../model/ruleset.ts';
import type { ClassChains } from './class-chain.ts';
import { classChain, classNameOf, poolsOf, slotElements } from './class-chain.ts';
import { compileJump, compileRule, mapOf } from './compile-rule.ts';
import { entryChainName, partChains, rejectChain } from './names.ts';
import { needsOwnChains, ownChains } from './own-chains.ts';
import type { LookUp } from './schema.ts';
import { baseChains, containers } from './schema.ts';
import type { ChainUnit, ElementUnit, NftUnit } from './unit.ts';
import { chainUnit, commentOf, containerUnit, elementUnit, tableUnit } from './unit.ts';

/** What one Service needs: units of its own, and units that it may share with other Services. */
export type Piece = {
  readonly own: readonly NftUnit[];
  readonly shared: readonly NftUnit[];
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
  const nodePortIps = [...new Set(parts.flatMap(nodePortIpsOf))].map((key) =>
    elementUnit({ container: containers.nodePortIps.name, key }),
  );
  return [tableUnit(family), ...sets, ...nodePortIps, ...chains, reject, ...bases];
}

/** The units of one Service; chains of a shape that is `known` are not compiled again. */
export function compileService(rules: ServiceRules, known: ClassChains): Piece {
  const own: NftUnit[] = [];
  const shared: NftUnit[] = rules.clusterIps.map((key) =>
    elementUnit({ container: containers.clusterIps.name, key, owner: rules.service }),
  );
  for (const entry of rules.entries) {
    const { address, to } = entry;
    own.push(dispatchElement(entry, rules));
    if ('verdict' in to) continue;
    if (needsOwnChains(to)) own.push(...ownChains(rules.family, to));
    else {
      own.push(...slotElements(to, address));
      shared.push(classChain(rules.family, to, { by: lookUpOf(address), known }));
    }
    for (const pool of poolsOf(to)) shared.push(...hairpinElements(rules, address, pool));
  }
  // Copies have no room to grow, which counts where there are very many of them.
  return { own: own.slice(), shared: shared.slice() };
}

function baseChain(hook: Hook, parts: readonly Part[]): readonly ChainUnit[] {
  const entered = parts.filter(({ hooks }) => hooks.includes(hook));
  if (entered.length === 0) return [];
  const jumps = entered.map((part) => compileJump(partChains[part.name], part.newConnectionsOnly));
  return [chainUnit(hook, jumps, baseChains[hook])];
}

function nodePortIpsOf({ rules }: Part): readonly Ip[] {
  return rules
    .flatMap(({ when }) => when)
    .flatMap((match) =>
      match.kind === 'to-node-port-address' && match.addresses.kind === 'addresses'
        ? match.addresses.ips
        : [],
    );
}

function dispatchElement(
  { dispatch, address, portName, to }: DispatchEntry,
  { service }: ServiceRules,
): ElementUnit {
  const by = lookUpOf(address);
  return elementUnit({
    container: mapOf(dispatch, by).name,
    key: keyOf(address),
    value: dispatchVerdict(to, by),
    comment: commentOf(servicePortName(service, portName)),
    owner: service,
  });
}

function dispatchVerdict(to: DispatchEntry['to'], by: LookUp): string {
  if (!('verdict' in to)) {
    return `goto ${needsOwnChains(to) ? entryChainName(to) : classNameOf(to, by)}`;
  }
  return to.verdict === 'reject' ? `goto ${rejectChain}` : to.verdict;
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

function lookUpOf({ ip }: FrontendAddress): LookUp {
  return ip === undefined ? 'node-port' : 'address';
}

function keyOf({ ip, protocol, port }: FrontendAddress): string {
  return (ip === undefined ? [protocol, port] : [ip, protocol, port]).join(' . ');
}

// The rule book as nftables units: a frame of chains, sets and maps, and for each Service little but
// elements in them. Pure.
import type { FrontendAddress, Pool } from '../../../model/forwarding.ts';
import type { ServiceCounters } from '../../../model/config.ts';
import type { Family, Ip } from '../../../model/ip.ts';
import { servicePortName } from '../../../model/kubernetes.ts';
import type { DispatchEntry, Hook, Match, ServiceRules } from '../../../model/ruleset.ts';
import { isDispatch } from '../../../model/ruleset.ts';
import { compileJump, compileRule } from './rule.ts';
import { dispatchRules, placeOf } from './dispatch.ts';
import { hairpinKey, keys } from '../keys.ts';
import type { NftPart } from '../names.ts';
import { partChains } from '../names.ts';
import { needsOwnChains, ownChains } from './own-chains.ts';
import type { LookUp } from '../names.ts';
import type { Container } from '../schema.ts';
import { balanceChains, baseChains, containers, counting, endpointsMapNamed } from '../schema.ts';
import type { SharedUnits } from './shared-chain.ts';
import { balanceRules, poolsOf, sharedUnits, slotElements } from './shared-chain.ts';
import type { ChainUnit, ElementUnit, NftUnit } from '../unit.ts';
import { chainUnit, commentOf, containerUnit, elementUnit, tableUnit } from '../unit.ts';

/** What one Service needs: units of its own, and units that it may share with other Services. */
export type ServiceUnits = {
  readonly own: readonly NftUnit[];
  readonly shared: readonly NftUnit[];
};

/** Everything that does not depend on Services. */
export function compileFrame(
  family: Family,
  parts: readonly NftPart[],
  counters: ServiceCounters,
): readonly NftUnit[] {
  const chains = parts.filter((part) => !isEntry(part)).map((part) => partChain(family, part));
  const bases = (Object.keys(baseChains) as Hook[]).flatMap((hook) => baseChain(hook, parts));
  const sets = Object.values<Container>(containers).map((container) =>
    containerUnit(family, counting(container, counters)),
  );
  const nodePortIps = [...new Set(parts.flatMap(nodePortIpsOf))].map((key) =>
    elementUnit({ container: containers.nodePortIps.name, key }),
  );
  return [tableUnit(family), ...sets, ...nodePortIps, ...chains, ...bases];
}

/** The chains from which those that Services share are entered; `shared` names the ones there are. */
export function compileEntries(
  family: Family,
  parts: readonly NftPart[],
  shared: ReadonlySet<string>,
): readonly ChainUnit[] {
  const maps = [...shared].flatMap((name) => endpointsMapNamed(name) ?? []);
  maps.sort((a, b) => order(a.protocol, b.protocol) || a.size - b.size);
  const byChain = Map.groupBy(maps, ({ chain }) => chain);
  return [
    ...parts.filter(isEntry).map((part) => partChain(family, part, shared)),
    ...balanceChains.map((name) => chainUnit(name, balanceRules(byChain.get(name) ?? []))),
  ];
}

/** The units of one Service; shared ones that are `known` are not compiled again. */
export function compileService(
  rules: ServiceRules,
  known: SharedUnits,
  counters: ServiceCounters,
): ServiceUnits {
  const own: NftUnit[] = [];
  // Several addresses of a Service port lead to the same ones.
  const chains = new Map<string, NftUnit>();
  const shared: NftUnit[] = rules.clusterIps.map((key) =>
    elementUnit({ container: containers.clusterIps.name, key, owner: rules.service }),
  );
  for (const entry of rules.entries) {
    const { address, to } = entry;
    own.push(dispatchElement(entry, rules));
    if ('verdict' in to) continue;
    if (needsOwnChains(to))
      for (const unit of ownChains(rules.family, to)) chains.set(unit.id, unit);
    else {
      own.push(...slotElements(to, address));
      shared.push(...sharedUnits(rules.family, to, { by: lookUpOf(address), known, counters }));
    }
    for (const pool of poolsOf(to)) shared.push(...hairpinElements(rules, address, pool));
  }
  // Copies have no room to grow, which counts where there are very many of them.
  return { own: [...own, ...chains.values()], shared: shared.slice() };
}

function baseChain(hook: Hook, parts: readonly NftPart[]): readonly ChainUnit[] {
  const entered = parts.filter(({ hooks }) => hooks.includes(hook));
  if (entered.length === 0) return [];
  const jumps = entered.map((part) => compileJump(partChains[part.name], part.newConnectionsOnly));
  return [chainUnit(hook, jumps, baseChains[hook])];
}

function nodePortIpsOf({ rules }: NftPart): readonly Ip[] {
  return rules
    .flatMap<Match>(({ when }) => when)
    .flatMap((match) =>
      match.kind === 'to-node-port-address' && match.addresses.kind === 'addresses'
        ? match.addresses.ips
        : [],
    );
}

function isEntry({ name }: NftPart): boolean {
  return name === 'services';
}

function partChain(
  family: Family,
  { name, rules }: NftPart,
  present: ReadonlySet<string> = new Set(),
): ChainUnit {
  const compiled = rules.flatMap((rule) =>
    isDispatch(rule) ? dispatchRules(family, rule, present) : [compileRule(family, rule)],
  );
  return chainUnit(partChains[name], compiled);
}

function order(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function dispatchElement(entry: DispatchEntry, { service }: ServiceRules): ElementUnit {
  const { address, portName } = entry;
  const { container, ...verdict } = placeOf(entry, lookUpOf(address));
  return elementUnit({
    container: container.name,
    key: keys.frontend.write(address),
    comment: commentOf(servicePortName(service, portName)),
    owner: service,
    ...verdict,
  });
}

// Only an endpoint on this node can be the client of a connection that this node translates.
function hairpinElements(rules: ServiceRules, address: FrontendAddress, pool: Pool): ElementUnit[] {
  const container = containers.hairpinConnections.name;
  return pool.members
    .filter(({ isLocal }) => isLocal)
    .map(({ ip, port }) => {
      const key = hairpinKey(address.protocol, { ip, port });
      return elementUnit({ container, key, owner: rules.service });
    });
}

function lookUpOf({ ip }: FrontendAddress): LookUp {
  return ip === undefined ? 'node-port' : 'address';
}

// The rule book as nftables units: a frame of chains, sets and maps, and for each Service little but
// elements in them. Pure.
import { compact } from '../../../compact.ts';
import type { Endpoint, FrontendAddress, Pool } from '../../../model/forwarding.ts';
import type { ServiceCounters } from '../../../model/config.ts';
import type { Family, Ip } from '../../../model/ip.ts';
import type { ServiceKey } from '../../../model/kubernetes.ts';
import { servicePortName } from '../../../model/kubernetes.ts';
import type { DispatchEntry, Match, ServiceRules } from '../../../model/ruleset.ts';
import { isDispatch } from '../../../model/ruleset.ts';
import { compileJump, compileRule } from './rule.ts';
import { dispatchRule, placeOf, rejectingChain } from './dispatch.ts';
import { hairpinKey, keys } from '../keys.ts';
import type { NftPart } from '../names.ts';
import { partChains } from '../names.ts';
import { needsOwnChain, ownChain } from './own-chains.ts';
import { affinityEndpoints, clientUnits, rememberChain, toRememberChain } from './remember.ts';
import type { BaseChain, Container } from '../schema.ts';
import { affinityMaps, baseChains, containers, counting, slotMaps } from '../schema.ts';
import type { SharedUnits } from './shared-chain.ts';
import { drawChains, lookUpOf, poolsOf, sharedChains, slotRows } from './shared-chain.ts';
import type { SlotRow, Standing } from './slots.ts';
import { rowElements, rowId } from './slots.ts';
import type { ChainUnit, ElementUnit, NftUnit } from '../unit.ts';
import { chainUnit, commentOf, containerUnit, elementUnit, tableUnit } from '../unit.ts';

/** What one Service needs: units of its own, its endpoints in slots, and units that it may share with others. */
export type ServiceUnits = {
  readonly service: ServiceKey;
  readonly own: readonly NftUnit[];
  /** Kept as rows, and spelled when asked for: most endpoints of a large cluster never change. */
  readonly rows: readonly SlotRow[];
  readonly shared: readonly NftUnit[];
};

/** All units that are the Service's own; of its slots those alone in which `other` has something else. */
export function ownUnits(
  { service, own, rows }: ServiceUnits,
  other?: ServiceUnits,
): readonly NftUnit[] {
  const others = standingOf(other);
  return [
    ...own,
    ...rows.flatMap((row) => rowElements(row, service, others.get(rowId(row.map, row.address)))),
  ];
}

/** The endpoints of a Service by slot. */
export function standingOf(
  units: ServiceUnits | undefined,
): ReadonlyMap<string, readonly Endpoint[]> {
  return new Map(
    (units?.rows ?? []).map(({ map, address, endpoints }) => [rowId(map, address), endpoints]),
  );
}

/** Everything that does not depend on Services. */
export function compileFrame(
  family: Family,
  parts: readonly NftPart[],
  counters: ServiceCounters,
): readonly NftUnit[] {
  const chains = parts.map((part) => partChain(family, part));
  const bases = (Object.keys(baseChains) as BaseChain[]).flatMap((hook) =>
    baseChain(family, hook, parts),
  );
  const all: readonly Container[] = [
    ...Object.values<Container>(containers),
    ...affinityMaps,
    ...slotMaps,
  ];
  const sets = all.map((container) => containerUnit(family, counting(container, counters)));
  const nodePortIps = [...new Set(parts.flatMap(nodePortIpsOf))].map((key) =>
    elementUnit({ container: containers.nodePortIps.name, key }),
  );
  const entered = [rejectingChain(), ...chains, rememberChain(family)];
  return [tableUnit(family), ...sets, ...nodePortIps, ...entered, ...bases];
}

/**
 * The units of one Service, its endpoints as far as possible in the slots where they stand; shared chains that
 * are `known` are not compiled again.
 */
export function compileService(
  rules: ServiceRules,
  known: SharedUnits,
  standing: Standing,
): ServiceUnits {
  const { family, service, entries } = rules;
  // Several addresses of a Service port lead to the same ones.
  const own = new Map<string, NftUnit>();
  const rows: SlotRow[] = [];
  const shared: NftUnit[] = rules.clusterIps.map((key) =>
    elementUnit({ container: containers.clusterIps.name, key, owner: service }),
  );
  const keep = (unit: NftUnit): void => void own.set(unit.id, unit);
  for (const entry of entries) {
    const { address, to } = entry;
    keep(dispatchElement(entry, rules));
    if ('verdict' in to) continue;
    const at = { by: lookUpOf(address), known };
    if (needsOwnChain(to)) keep(ownChain(family, to, address));
    shared.push(...(needsOwnChain(to) ? drawChains : sharedChains)(family, to, at));
    shared.push(...affinityEndpoints(to));
    rows.push(...slotRows(to, address, standing));
    for (const pool of poolsOf(to)) shared.push(...hairpinElements(rules, address, pool));
  }
  for (const unit of clientUnits(family, entries)) keep(unit);
  return {
    service,
    own: compact([...own.values()]),
    rows: compact(rows),
    shared: compact(shared),
  };
}

// Clients are remembered first, as a masquerade ends the chain.
const remembersClients: ReadonlySet<BaseChain> = new Set(['nat-postrouting', 'nat-input']);

function baseChain(
  family: Family,
  name: BaseChain,
  parts: readonly NftPart[],
): readonly ChainUnit[] {
  const entered = parts.filter(({ hooks }) => hooks.some((hook) => hook === name));
  const jumps = entered.map((part) => compileJump(partChains[part.name], part.newConnectionsOnly));
  const first = remembersClients.has(name) ? [toRememberChain(family)] : [];
  const rules = [...first, ...jumps];
  return rules.length === 0 ? [] : [chainUnit(name, rules, baseChains[name])];
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

function partChain(family: Family, { name, rules }: NftPart): ChainUnit {
  const compiled = rules.map((rule) =>
    isDispatch(rule) ? dispatchRule(family, rule) : compileRule(family, rule),
  );
  return chainUnit(partChains[name], compiled);
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

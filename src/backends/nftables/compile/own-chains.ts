// The chains of Services that need some of their own: those with session affinity, as every endpoint
// remembers its clients, and those that not all may use. Pure.
import type { Endpoint, Pool } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { ServiceChain } from '../../../model/ruleset.ts';
import { poolsOf } from './shared-chain.ts';
import { compileServiceRule, matches } from './rule.ts';
import type { Expression, Statement } from '../expression.ts';
import type { ServicePortId } from '../names.ts';
import { affinitySetName, endpointChainName, entryChainName, policyChainName } from '../names.ts';
import { affinitySet, familyWords } from '../schema.ts';
import type { ChainUnit, ContainerUnit, NftRule } from '../unit.ts';
import { chainUnit, containerUnit } from '../unit.ts';

/** Whether no other Service can share what this chain does. */
export function needsOwnChains(chain: ServiceChain): boolean {
  return (
    chain.kind === 'source-ranges' ||
    poolsOf(chain).some(({ affinitySeconds }) => affinitySeconds > 0)
  );
}

/**
 * The chains of a Service port, entered by entryChainName's. Those of several addresses of one Service
 * port are the same, and so are those of an endpoint that is in both of its pools.
 */
export function ownChains(
  family: Family,
  chain: ServiceChain,
): readonly (ChainUnit | ContainerUnit)[] {
  const rules = chain.rules.map((rule) =>
    compileServiceRule(family, rule, (pool) => [goto(policyChainName(pool, chain))]),
  );
  const units = new Map<string, ChainUnit | ContainerUnit>();
  const keep = (unit: ChainUnit | ContainerUnit): void =>
    void units.set(unit.id, { ...unit, owner: chain.service });
  for (const pool of poolsOf(chain)) {
    for (const endpoint of pool.members) {
      keep(containerUnit(family, clientsOf(chain, endpoint, pool)));
      keep(endpointChain(family, chain, { endpoint, pool }));
    }
    keep(policyChain(family, chain, pool));
  }
  keep(chainUnit(entryChainName(chain), rules));
  return [...units.values()];
}

// First whoever has been here; of all others each rule takes its share of what those before it left. A
// single rule with a verdict map would do, but nft 1.0.6 crashes when it lists one that 1.1.3 made.
function policyChain(family: Family, port: ServicePortId, pool: Pool): ChainUnit {
  const { members } = pool;
  const returning = members.map((endpoint): NftRule => {
    const clients = `@${clientsOf(port, endpoint, pool).name}`;
    return {
      expr: [matches(source(family), clients), goto(endpointChainName(port, endpoint))],
    };
  });
  const shares = members.map((endpoint, index): NftRule => {
    const left = members.length - index;
    const share = matches({ numgen: { mode: 'random', mod: left, offset: 0 } }, 0);
    const to = goto(endpointChainName(port, endpoint));
    return { expr: left === 1 ? [to] : [share, to] };
  });
  return chainUnit(policyChainName(pool, port), [...returning, ...shares]);
}

// Two rules, so that a set that is full costs affinity and not the connection.
function endpointChain(
  family: Family,
  port: ServicePortId,
  { endpoint, pool }: { readonly endpoint: Endpoint; readonly pool: Pool },
): ChainUnit {
  const set = `@${clientsOf(port, endpoint, pool).name}`;
  const remember: Statement = { set: { op: 'update', elem: source(family), set } };
  const isProtocol = matches({ meta: { key: 'l4proto' } }, port.protocol);
  const dnat: Statement = { dnat: { addr: endpoint.ip, port: endpoint.port } };
  return chainUnit(endpointChainName(port, endpoint), [
    { expr: [remember] },
    { expr: [isProtocol, dnat] },
  ]);
}

function clientsOf(
  port: ServicePortId,
  endpoint: Endpoint,
  { affinitySeconds }: Pool,
): ReturnType<typeof affinitySet> {
  return affinitySet(affinitySetName(port, endpoint, affinitySeconds), affinitySeconds);
}

function source(family: Family): Expression {
  return { payload: { protocol: familyWords[family].table, field: 'saddr' } };
}

function goto(target: string): Statement {
  return { goto: { target } };
}

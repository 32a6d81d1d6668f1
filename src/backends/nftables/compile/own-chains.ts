// The chains of Services that need some of their own: those with session affinity, and those that not all
// may use. Pure.
import type { FrontendAddress } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { ServiceChain } from '../../../model/ruleset.ts';
import { lookUpOf, toDrawn } from './shared-chain.ts';
import { compileServiceRule, matches } from './rule.ts';
import type { Statement } from '../expression.ts';
import { entryChainName } from '../names.ts';
import { familyWords } from '../schema.ts';
import type { ChainUnit } from '../unit.ts';
import { chainUnit } from '../unit.ts';
import type { ClientMap } from './remember.ts';
import { clientMaps, hasAffinity } from './remember.ts';

/** Whether no other Service can share what this chain does. */
export function needsOwnChain(chain: ServiceChain): boolean {
  return chain.kind === 'source-ranges' || hasAffinity(chain);
}

/**
 * The chain of a Service port, named by entryChainName, that frontends looked up so go to: a client that is
 * remembered goes where it was before, and all others draw.
 */
export function ownChain(family: Family, chain: ServiceChain, address: FrontendAddress): ChainUnit {
  const by = lookUpOf(address);
  const rules = chain.rules.flatMap((rule) =>
    compileServiceRule(family, rule, (pool) => [
      ...clientMaps(chain, pool).map((map) => toRemembered(family, chain, map)),
      toDrawn(chain, by, pool),
    ]),
  );
  return { ...chainUnit(entryChainName(chain, by), rules), owner: chain.service };
}

function toRemembered(
  family: Family,
  { protocol }: ServiceChain,
  { container, port }: ClientMap,
): readonly Statement[] {
  const addr = { map: { key: source(family), data: `@${container.name}` } };
  return [matches({ meta: { key: 'l4proto' } }, protocol), { dnat: { addr, port } }];
}

function source(family: Family) {
  return { payload: { protocol: familyWords[family].table, field: 'saddr' } };
}

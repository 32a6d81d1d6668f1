// A dispatch of the rule book: where frontends are looked up, as a map to the chains that serve or refuse them.
// Pure.
import type { Family } from '../../../model/ip.ts';
import type { DispatchEntry, DispatchName, DispatchRule } from '../../../model/ruleset.ts';
import { compileMatch } from './rule.ts';
import { keys } from '../keys.ts';
import { entryChainName, rejectChain } from '../names.ts';
import { needsOwnChain } from './own-chains.ts';
import type { LookUp } from '../names.ts';
import type { Container } from '../schema.ts';
import { containers, fieldExpressions } from '../schema.ts';
import { sharedNameOf } from './shared-chain.ts';
import type { ChainUnit, NftRule } from '../unit.ts';
import { chainUnit, commentOf } from '../unit.ts';

/** The rule of a dispatch. */
export function dispatchRule(
  family: Family,
  { when, then: { dispatch, by }, why }: DispatchRule,
): NftRule {
  const conditions = when.flatMap((match) => compileMatch(family, match));
  const map = mapOf(dispatch, by);
  const vmap = { key: { concat: fieldExpressions(family, map.key) }, data: `@${map.name}` };
  return { expr: [...conditions, { vmap }], comment: commentOf(why) };
}

/** Where an entry's element is, and the verdict that it has there. */
export function placeOf(
  { dispatch, to }: DispatchEntry,
  by: LookUp,
): { readonly container: Container; readonly value: string } {
  const container = mapOf(dispatch, by);
  if ('verdict' in to) return { container, value: verdicts[to.verdict] };
  const chain = needsOwnChain(to) ? entryChainName(to, by) : sharedNameOf(to, by);
  return { container, value: keys.chain.write(chain) };
}

/** The chain that rejects, as a map has no verdict for it. */
export function rejectingChain(): ChainUnit {
  return chainUnit(rejectChain, [{ expr: [{ reject: null }] }]);
}

const verdicts = {
  accept: 'accept',
  drop: 'drop',
  reject: keys.chain.write(rejectChain),
} as const;

// One map serves all that is refused by address: an address is a ClusterIP or an external one, never both.
const maps: Readonly<Record<LookUp, Partial<Record<DispatchName, Container>>>> = {
  address: {
    services: containers.serviceIps,
    'source-ranges': containers.firewallIps,
    'no-endpoints': containers.noEndpointServices,
    'no-external-endpoints': containers.noEndpointServices,
  },
  'node-port': {
    services: containers.serviceNodePorts,
    'no-external-endpoints': containers.noEndpointNodePorts,
  },
};

function mapOf(dispatch: DispatchName, by: LookUp): Container {
  const container = maps[by][dispatch];
  if (container === undefined) throw new RangeError(`nftables mode has no ${dispatch} by ${by}`);
  return container;
}

// A dispatch of the rule book: where frontends are looked up, as a map to the chains that serve them, or as
// sets of those that are refused. Pure.
import type { Family } from '../../../model/ip.ts';
import type { DispatchEntry, DispatchName, DispatchRule } from '../../../model/ruleset.ts';
import { compileMatch, matches } from './rule.ts';
import type { Expression, Statement } from '../expression.ts';
import { keys } from '../keys.ts';
import { entryChainName } from '../names.ts';
import { needsOwnChain } from './own-chains.ts';
import type { LookUp } from '../names.ts';
import type { Container } from '../schema.ts';
import { containers, fieldExpressions } from '../schema.ts';
import { sharedNameOf } from './shared-chain.ts';
import type { NftRule } from '../unit.ts';
import { commentOf } from '../unit.ts';

/** The rules of a dispatch. */
export function dispatchRules(
  family: Family,
  { when, then: { dispatch, by }, why }: DispatchRule,
): readonly NftRule[] {
  const conditions = when.flatMap((match) => compileMatch(family, match));
  const comment = commentOf(why);
  // What few packets fit comes first: the set, then whether the address is one of this node's.
  const isIn = (set: Container, verdict: Statement): NftRule => ({
    expr: [matches(key(family, set), `@${set.name}`), ...conditions, verdict],
    comment,
  });
  const map = maps[by][dispatch];
  if (map !== undefined) return [{ expr: [...conditions, vmap(family, map)], comment }];
  const [rejected, dropped] = refusals[by];
  return [isIn(rejected, { reject: null }), isIn(dropped, { drop: null })];
}

/** Where an entry's element is, and the verdict that it has there; a set's elements have none. */
export function placeOf(
  { dispatch, to }: DispatchEntry,
  by: LookUp,
): { readonly container: Container; readonly value?: string } {
  if ('verdict' in to) {
    const [rejected, dropped] = refusals[by];
    return { container: to.verdict === 'reject' ? rejected : dropped };
  }
  const container = maps[by][dispatch];
  if (container === undefined) throw new RangeError(`nftables mode has no ${dispatch} by ${by}`);
  const chain = needsOwnChain(to) ? entryChainName(to, by) : sharedNameOf(to, by);
  return { container, value: keys.chain.write(chain) };
}

const maps: Readonly<Record<LookUp, Partial<Record<DispatchName, Container>>>> = {
  address: { services: containers.serviceIps, 'source-ranges': containers.firewallIps },
  'node-port': { services: containers.serviceNodePorts },
};

// One pair serves both refusals by address: an address is a ClusterIP or an external one, never both.
const refusals: Readonly<Record<LookUp, readonly [rejected: Container, dropped: Container]>> = {
  address: [containers.rejectedServices, containers.droppedServices],
  'node-port': [containers.rejectedNodePorts, containers.droppedNodePorts],
};

function key(
  family: Family,
  { key: fields }: Container,
): { readonly concat: readonly Expression[] } {
  return { concat: fieldExpressions(family, fields) };
}

function vmap(family: Family, map: Container): Statement {
  return { vmap: { key: key(family, map), data: `@${map.name}` } };
}

// A dispatch of the rule book: where frontends are looked up, as sets that lead to one chain or verdict
// and maps to chains of their own. Pure.
import type { Family } from '../../../model/ip.ts';
import type { DispatchEntry, DispatchName, DispatchRule } from '../../../model/ruleset.ts';
import { compileMatch, matches } from './rule.ts';
import type { Expression, Statement } from '../expression.ts';
import { keys } from '../keys.ts';
import { entryChainName, sharedChains } from '../names.ts';
import { needsOwnChains } from './own-chains.ts';
import type { LookUp } from '../names.ts';
import type { Container } from '../schema.ts';
import { containers, fieldExpressions, servicesOf } from '../schema.ts';
import { sharedNameOf } from './shared-chain.ts';
import type { NftRule } from '../unit.ts';
import { commentOf } from '../unit.ts';

/** The rules of a dispatch, of shared chains for just those that are `present`. */
export function dispatchRules(
  family: Family,
  { when, then: { dispatch, by }, why }: DispatchRule,
  present: ReadonlySet<string>,
): readonly NftRule[] {
  const conditions = when.flatMap((match) => compileMatch(family, match));
  const comment = commentOf(why);
  // What few packets fit comes first: the set, then whether the address is one of this node's.
  const isIn = (set: Container, verdict: Statement): NftRule => ({
    expr: [matches(key(family, set), `@${set.name}`), ...conditions, verdict],
    comment,
  });
  const own = ownMaps[by][dispatch];
  const [rejected, dropped] = refusals[by];
  const isRefusal = dispatch === 'no-endpoints' || dispatch === 'no-external-endpoints';
  const shared = sharedChains.filter(
    (name) => dispatch === 'services' && lookUpBy[servicesOf[name].key.length] === by,
  );
  return [
    ...shared
      .filter((name) => present.has(name))
      .map((name) => isIn(servicesOf[name], { goto: { target: name } })),
    ...(own === undefined ? [] : [{ expr: [...conditions, vmap(family, own)], comment }]),
    ...(isRefusal ? [isIn(rejected, { reject: null }), isIn(dropped, { drop: null })] : []),
  ];
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
  if (!needsOwnChains(to)) return { container: servicesOf[sharedNameOf(to, by)] };
  const container = ownMaps[by][dispatch];
  if (container === undefined) throw new Error(`nftables mode has no ${dispatch} by ${by}`);
  return { container, value: keys.chain.write(entryChainName(to)) };
}

const ownMaps: Readonly<Record<LookUp, Partial<Record<DispatchName, Container>>>> = {
  address: { services: containers.serviceIps, 'source-ranges': containers.firewallIps },
  'node-port': { services: containers.serviceNodePorts },
};

// One pair serves both refusals by address: an address is a ClusterIP or an external one, never both.
const refusals: Readonly<Record<LookUp, readonly [rejected: Container, dropped: Container]>> = {
  address: [containers.rejectedServices, containers.droppedServices],
  'node-port': [containers.rejectedNodePorts, containers.droppedNodePorts],
};

const lookUpBy: Readonly<Record<number, LookUp>> = { 3: 'address', 2: 'node-port' };

function key(
  family: Family,
  { key: fields }: Container,
): { readonly concat: readonly Expression[] } {
  return { concat: fieldExpressions(family, fields) };
}

function vmap(family: Family, map: Container): Statement {
  return { vmap: { key: key(family, map), data: `@${map.name}` } };
}

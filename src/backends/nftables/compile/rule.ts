// One rule of the rule book as an nft rule. Pure; the spelling of every Match and Action stands here.
import type { Pool } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { Action, Match, RuleOf, ServiceRule } from '../../../model/ruleset.ts';
import { balances } from '../../../model/ruleset.ts';
import type { NodePortAddresses, PodSource } from '../../../model/settings.ts';
import type { Expression, Statement } from '../expression.ts';
import { containers, familyWords, fieldExpressions } from '../schema.ts';
import type { NftRule } from '../unit.ts';
import { commentOf } from '../unit.ts';

/** How a chain sends a connection to a member of a pool: the ends of one rule or of several. */
export type Balance = (pool: Pool) => readonly (readonly Statement[])[];

// What nftables mode has; it has no part that asks for anything else.
type NftMatch = Exclude<Match['kind'], 'unsolicited'>;
type PlainRule = RuleOf<NftMatch, Exclude<Action['kind'], 'dispatch' | 'balance'>>;

/** The nft rule for `rule`; its why becomes the comment, so that a listing explains itself. */
export function compileRule(family: Family, rule: PlainRule): NftRule {
  return nftRule(family, rule, compileAction(rule));
}

/** The nft rules for one of a Service's chain. */
export function compileServiceRule(
  family: Family,
  rule: ServiceRule,
  balance: Balance,
): readonly NftRule[] {
  return balances(rule)
    ? balance(rule.then.pool).map((statements) => nftRule(family, rule, statements))
    : [compileRule(family, rule)];
}

function nftRule(
  family: Family,
  { when, why }: Pick<RuleOf<NftMatch, never>, 'when' | 'why'>,
  statements: readonly Statement[],
): NftRule {
  const expr = [...when.flatMap((match) => compileMatch(family, match)), ...statements];
  return why === '' ? { expr } : { expr, comment: commentOf(why) };
}

/** Enters the chain `name`, for new connections alone where asked. */
export function compileJump(name: string, newConnectionsOnly: boolean): NftRule {
  const jump = { jump: { target: name } } as const;
  return { expr: newConnectionsOnly ? [isConnectionState('new'), jump] : [jump] };
}

/** A condition, and what it compares. */
export function matches(left: Expression, right: Expression, op = '=='): Statement {
  return { match: { op, left, right } };
}

/** A condition of the rule book, in nft's statements. */
export function compileMatch(
  family: Family,
  match: Extract<Match, { kind: NftMatch }>,
): readonly Statement[] {
  const word = familyWords[family].table;
  const [source, destination] = [payload(word, 'saddr'), payload(word, 'daddr')];
  switch (match.kind) {
    case 'to-frontend':
      // A chain is entered by the dispatch of just these frontends.
      return [];
    case 'from-pod':
      return [matches(...podSource(source, match.podSource), match.is ? '==' : '!=')];
    case 'to-cluster-ip':
      return [matches(destination, `@${containers.clusterIps.name}`)];
    case 'to-cidr':
      return [matches(destination, prefix(match.cidr))];
    case 'from-cidr':
      return [matches(source, prefix(match.cidr), match.is ? '==' : '!=')];
    case 'from-node':
      return [matches(fib('saddr'), 'local')];
    case 'to-node-port-address':
      return nodePortAddress(destination, match.addresses);
    case 'marked':
      return [matches({ '&': [meta('mark'), match.mark] }, 0, '!=')];
    case 'hairpin': {
      const { key, name } = containers.hairpinConnections;
      return [
        matches({ ct: { key: 'status' } }, 'dnat', 'in'),
        matches({ concat: fieldExpressions(family, key) }, `@${name}`),
      ];
    }
    case 'connection':
      return [isConnectionState(match.state)];
  }
}

function compileAction({ when, then }: PlainRule): readonly Statement[] {
  switch (then.kind) {
    case 'mark':
      return [setMark('|', then.mark)];
    case 'masquerade': {
      const isMarked = when.some(({ kind }) => kind === 'marked');
      const masquerade = { masquerade: { flags: 'fully-random' } };
      return isMarked ? [setMark('^', then.mark), masquerade] : [masquerade];
    }
    case 'return':
    case 'accept':
    case 'reject':
    case 'drop':
      return [verdicts[then.kind]];
  }
}

const verdicts: Readonly<
  Record<Extract<Action['kind'], 'return' | 'accept' | 'reject' | 'drop'>, Statement>
> = {
  return: { return: null },
  accept: { accept: null },
  reject: { reject: null },
  drop: { drop: null },
};

function nodePortAddress(destination: Expression, addresses: NodePortAddresses): Statement[] {
  if (addresses.kind === 'addresses') {
    return [matches(destination, `@${containers.nodePortIps.name}`)];
  }
  const isLocal = matches(fib('daddr'), 'local');
  if (addresses.except === undefined) return [isLocal];
  return [isLocal, matches(destination, prefix(addresses.except), '!=')];
}

function podSource(address: Expression, source: PodSource): [Expression, Expression] {
  switch (source.kind) {
    case 'cidr':
      return [address, prefix(source.cidr)];
    case 'interface':
      return [meta('iifname'), source.name];
    case 'interface-prefix':
      return [meta('iifname'), `${source.prefix}*`];
  }
}

function setMark(operator: '|' | '^', mark: number): Statement {
  const value =
    operator === '|'
      ? ({ '|': [meta('mark'), mark] } as const)
      : ({ '^': [meta('mark'), mark] } as const);
  return { mangle: { key: meta('mark'), value } };
}

function isConnectionState(state: string): Statement {
  return matches({ ct: { key: 'state' } }, state, 'in');
}

// A prefix of one address alone is listed as that address.
function prefix(cidr: string): Expression {
  const [addr, length] = cidr.split('/') as [string, string];
  const isHost = length === (addr.includes(':') ? '128' : '32');
  return isHost ? addr : { prefix: { addr, len: Number(length) } };
}

function payload(protocol: string, field: string): Expression {
  return { payload: { protocol, field } };
}

function meta(key: string): Expression {
  return { meta: { key } };
}

function fib(of: 'saddr' | 'daddr'): Expression {
  return { fib: { result: 'type', flags: [of] } };
}

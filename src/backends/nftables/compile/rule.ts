// One rule of the rule book as an nft rule. Pure; the spelling of every Match and Action stands here.
import type { Pool } from '../../../model/forwarding.ts';
import type { Family } from '../../../model/ip.ts';
import type { Action, Match, Rule } from '../../../model/ruleset.ts';
import type { NodePortAddresses, PodSource } from '../../../model/settings.ts';
import type { Expression, Statement } from '../expression.ts';
import { containers, familyWords, fieldExpressions } from '../schema.ts';
import type { NftRule } from '../unit.ts';
import { commentOf } from '../unit.ts';

/** How a chain sends a connection to a member of a pool. */
export type Balance = (pool: Pool) => readonly Statement[];

/** The nft rule for `rule`; its why becomes the comment, so that a listing explains itself. */
export function compileRule(family: Family, rule: Rule, balance: Balance = noBalance): NftRule {
  const expr = [
    ...rule.when.flatMap((match) => compileMatch(family, match)),
    ...compileAction(rule, balance),
  ];
  return rule.why === '' ? { expr } : { expr, comment: commentOf(rule.why) };
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

function noBalance(): readonly Statement[] {
  throw new Error('only the chain of a Service balances');
}

/** A condition of the rule book, in nft's statements. */
export function compileMatch(family: Family, match: Match): readonly Statement[] {
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
      if (match.state === 'unsolicited') throw new Error('nftables mode has no unsolicited state');
      return [isConnectionState(match.state)];
  }
}

function compileAction({ when, then }: Rule, balance: Balance): readonly Statement[] {
  switch (then.kind) {
    case 'dispatch':
      throw new Error('a dispatch is several rules: dispatch.ts');
    case 'balance':
      return balance(then.pool);
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

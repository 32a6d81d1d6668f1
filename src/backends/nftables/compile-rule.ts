// One rule of the rule book as an nft rule. Pure; the spelling of every Match and Action stands here.
import type { Family } from '../../model/ip.ts';
import type { Protocol } from '../../model/kubernetes.ts';
import type { Action, Match, PartName, Rule } from '../../model/ruleset.ts';
import type { PodSource } from '../../model/settings.ts';
import type { Expression, Statement } from './expression.ts';
import { containers, endpointsName, familyWords, frontendFields } from './schema.ts';
import type { NftRule } from './unit.ts';
import { commentOf } from './unit.ts';

/** The chain of each part of the rule book, named as kube-proxy's nftables mode names it. */
export const partChains: Readonly<Record<PartName, string>> = {
  services: 'services',
  'no-endpoints': 'service-endpoints-check',
  'cluster-ips': 'cluster-ips-check',
  forward: 'forward-check',
  masquerading: 'masquerading',
};

/** The chain that elements of no-endpoint-services go to; a map cannot hold `reject` itself. */
export const rejectChain = 'reject-chain';

/**
 * The nft rule for `rule`; its why becomes the comment, so that a listing explains itself. A rule
 * that balances is for the connections of one protocol.
 */
export function compileRule(family: Family, rule: Rule, protocol: Protocol = 'tcp'): NftRule {
  const expr = [
    ...rule.when.flatMap((match) => compileMatch(family, match)),
    ...compileAction(family, rule, protocol),
  ];
  return rule.why === '' ? { expr } : { expr, comment: commentOf(rule.why) };
}

/** The chain for every frontend of a protocol with `size` endpoints: picks a slot of the one that entered. */
export function serviceChainName(protocol: Protocol, size: number): string {
  return `KUBE-SVC-${protocol.toUpperCase()}-${size}`;
}

/** Enters the chain `name`, for new connections alone where asked. */
export function compileJump(name: string, newConnectionsOnly: boolean): NftRule {
  const jump = { jump: { target: name } } as const;
  return { expr: newConnectionsOnly ? [isConnectionState('new'), jump] : [jump] };
}

function compileMatch(family: Family, match: Match): readonly Statement[] {
  const word = familyWords[family].table;
  const destination = payload(word, 'daddr');
  switch (match.kind) {
    case 'to-frontend':
      // A chain is entered by the dispatch of just these frontends.
      return [];
    case 'from-pod':
      return [matches(...podSource(word, match.podSource), match.is ? '==' : '!=')];
    case 'to-cluster-ip':
      return [matches(destination, `@${containers.clusterIps.name}`)];
    case 'to-cidr':
      return [matches(destination, prefix(match.cidr))];
    case 'marked':
      return [matches({ '&': [meta('mark'), match.mark] }, 0, '!=')];
    case 'hairpin': {
      const [, protocol, port] = frontendFields(family) as [Expression, Expression, Expression];
      const key = { concat: [payload(word, 'saddr'), destination, protocol, port] };
      return [
        matches({ ct: { key: 'status' } }, 'dnat', 'in'),
        matches(key, `@${containers.hairpinConnections.name}`),
      ];
    }
    case 'connection':
      return [isConnectionState(match.state)];
  }
}

function compileAction(
  family: Family,
  { when, then }: Rule,
  protocol: Protocol,
): readonly Statement[] {
  switch (then.kind) {
    case 'dispatch':
      return [vmap(family, then.dispatch)];
    case 'balance':
      return [balance(family, protocol, then.pool.members.length)];
    case 'mark':
      return [setMark('|', then.mark)];
    case 'masquerade': {
      const isMarked = when.some(({ kind }) => kind === 'marked');
      const masquerade = { masquerade: { flags: 'fully-random' } };
      return isMarked ? [setMark('^', then.mark), masquerade] : [masquerade];
    }
    case 'accept':
    case 'reject':
    case 'drop':
      return [verdict(then)];
  }
}

function vmap(family: Family, dispatch: 'services' | 'no-endpoints'): Statement {
  const { serviceIps, noEndpointServices } = containers;
  const { name } = dispatch === 'services' ? serviceIps : noEndpointServices;
  return { vmap: { key: { concat: frontendFields(family) }, data: `@${name}` } };
}

function balance(family: Family, protocol: Protocol, size: number): Statement {
  const { table } = familyWords[family];
  const slot: Expression = { numgen: { mode: 'random', mod: size, offset: 0 } };
  const key = { concat: [payload(table, 'daddr'), payload(protocol, 'dport'), slot] };
  return { dnat: { family: table, addr: { map: { key, data: `@${endpointsName(protocol)}` } } } };
}

function verdict({ kind }: Extract<Action, { kind: 'accept' | 'reject' | 'drop' }>): Statement {
  const verdicts = { accept: { accept: null }, reject: { reject: null }, drop: { drop: null } };
  return verdicts[kind];
}

function podSource(word: string, source: PodSource): [Expression, Expression] {
  switch (source.kind) {
    case 'cidr':
      return [payload(word, 'saddr'), prefix(source.cidr)];
    case 'interface':
      return [meta('iifname'), source.name];
    case 'interface-prefix':
      return [meta('iifname'), `${source.prefix}*`];
  }
}

function matches(left: Expression, right: Expression, op = '=='): Statement {
  return { match: { op, left, right } };
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

function prefix(cidr: string): Expression {
  const [addr, length] = cidr.split('/') as [string, string];
  return { prefix: { addr, len: Number(length) } };
}

function payload(protocol: string, field: string): Expression {
  return { payload: { protocol, field } };
}

function meta(key: string): Expression {
  return { meta: { key } };
}

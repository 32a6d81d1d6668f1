// One rule of the rule book as the text of one iptables rule. Pure; what needs chains of its own
// (balance, dispatch, masquerade) is frame.ts's and service-chains.ts's.
import type { Family } from '../../../model/ip.ts';
import { hostCidr } from '../../../model/ip.ts';
import type { Action, ConnectionState, Match, RuleOf } from '../../../model/ruleset.ts';
import type { NodePortAddresses, PodSource } from '../../../model/settings.ts';
import { fixedChains } from '../names.ts';
import type { RuleParts, Test } from '../rule-text.ts';
import {
  commentMatch,
  localMatch,
  markMatch,
  portMatch,
  ruleText,
  stateMatch,
} from '../rule-text.ts';

// What one iptables rule can say; the rest is said by chains of their own (frame.ts, service-chains.ts).
type IptablesMatch = Exclude<Match['kind'], 'hairpin' | 'to-cluster-ip' | 'to-node-port-address'>;
type PlainAction = Exclude<Action['kind'], 'dispatch' | 'balance' | 'masquerade'>;
type PlainRule = RuleOf<IptablesMatch, PlainAction>;

/** The rule's text, with `comment` (rather than its why) for people. */
export function compileRule(family: Family, rule: PlainRule, comment = rule.why): string {
  return jumpRule(rule, compileTarget(family, rule.then), comment);
}

/** The text of a rule with the matches of `rule`, but a target of the caller's; undefined: none. */
export function jumpRule(
  { when, why }: Pick<RuleOf<IptablesMatch, never>, 'when' | 'why'>,
  jump: string | undefined,
  comment = why,
): string {
  const parts = when.map(compileMatch);
  return ruleText({
    ...Object.assign({}, ...parts),
    matches: [commentMatch(comment), ...parts.flatMap(({ matches = [] }) => matches)],
    ...(jump === undefined ? {} : { jump }),
  });
}

/** The rules that lead what is for a node port to `chain`: one, or one an address. */
export function nodePortRules(
  addresses: NodePortAddresses,
  comment: string,
  chain: string,
): readonly string[] {
  if (addresses.kind === 'addresses') {
    return addresses.ips.map((ip) =>
      ruleText({
        destination: { value: hostCidr(ip), is: true },
        matches: [commentMatch(comment)],
        jump: chain,
      }),
    );
  }
  const { except } = addresses;
  return [
    ruleText({
      ...(except === undefined ? {} : { destination: { value: except, is: false } }),
      matches: [commentMatch(comment), localMatch('dst')],
      jump: chain,
    }),
  ];
}

function compileMatch(match: Extract<Match, { kind: IptablesMatch }>): RuleParts {
  switch (match.kind) {
    case 'from-pod':
      return sourceParts(match.podSource, match.is);
    case 'to-frontend': {
      const { ip, protocol, port } = match.address;
      return {
        ...(ip === undefined ? {} : { destination: { value: hostCidr(ip), is: true } }),
        protocol,
        matches: [portMatch(protocol, port)],
      };
    }
    case 'to-cidr':
      return { destination: { value: match.cidr, is: true } };
    case 'from-cidr':
      return { source: { value: match.cidr, is: match.is } };
    case 'from-node':
      return { matches: [localMatch('src')] };
    case 'marked':
      return { matches: [markMatch(match.mark, true)] };
    case 'connection':
      return { matches: [connectionMatch(match.state)] };
    case 'unsolicited':
      return { matches: [stateMatch('RELATED,ESTABLISHED,DNAT', false)] };
    default:
      return match satisfies never;
  }
}

function connectionMatch(state: ConnectionState): string {
  switch (state) {
    case 'new':
      return stateMatch('NEW');
    case 'invalid':
      return stateMatch('INVALID');
    case 'established':
      // What is related (ICMP errors, say) belongs to an established connection.
      return stateMatch('RELATED,ESTABLISHED');
    default:
      return state satisfies never;
  }
}

function sourceParts(podSource: PodSource, is: boolean): RuleParts {
  const test = (value: string): Test => ({ value, is });
  switch (podSource.kind) {
    case 'cidr':
      return { source: test(podSource.cidr) };
    case 'interface':
      return { inInterface: test(podSource.name) };
    case 'interface-prefix':
      return { inInterface: test(`${podSource.prefix}+`) };
    default:
      return podSource satisfies never;
  }
}

function compileTarget(family: Family, action: PlainRule['then']): string {
  switch (action.kind) {
    case 'mark':
      return fixedChains.markMasquerade;
    case 'return':
      return 'RETURN';
    case 'accept':
    case 'drop':
    case 'reject':
      return verdictTarget(family, action.kind);
    default:
      return action satisfies never;
  }
}

/** The target that ends a packet's way in a table; a reject informs the client at once, by an ICMP error. */
export function verdictTarget(family: Family, verdict: 'accept' | 'drop' | 'reject'): string {
  switch (verdict) {
    case 'accept':
      return 'ACCEPT';
    case 'drop':
      return 'DROP';
    case 'reject':
      return `REJECT --reject-with ${family === 'IPv4' ? 'icmp' : 'icmp6'}-port-unreachable`;
    default:
      return verdict satisfies never;
  }
}

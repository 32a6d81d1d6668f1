// One rule of the rule book as the text of one iptables rule. Pure; what needs chains of its own
// (balance, dispatch, masquerade) is compile.ts's.
import type { Family } from '../../model/ip.ts';
import type { Action, Match, Rule } from '../../model/ruleset.ts';
import type { PodSource } from '../../model/settings.ts';
import { fixedChains } from './names.ts';
import type { RuleParts, Test } from './rule-text.ts';
import { commentMatch, hostCidr, markMatch, portMatch, ruleText, stateMatch } from './rule-text.ts';

/** The rule's text, with `comment` (rather than its why) for people. */
export function compileRule(family: Family, rule: Rule, comment = rule.why): string {
  const parts = rule.when.map(compileMatch);
  return ruleText({
    ...Object.assign({}, ...parts),
    matches: [commentMatch(comment), ...parts.flatMap(({ matches = [] }) => matches)],
    jump: compileTarget(family, rule.then),
  });
}

type MatchParts = Omit<RuleParts, 'jump'>;

function compileMatch(match: Match): MatchParts {
  switch (match.kind) {
    case 'from-pod':
      return sourceParts(match.podSource, match.is);
    case 'to-frontend': {
      const { ip, protocol, port } = match.address;
      const destination = { value: hostCidr(ip), is: true };
      return { destination, protocol, matches: [portMatch(protocol, port)] };
    }
    case 'to-cidr':
      return { destination: { value: match.cidr, is: true } };
    case 'marked':
      return { matches: [markMatch(match.mark, true)] };
    case 'connection':
      return { matches: [stateMatch(conntrackStates[match.state])] };
    case 'hairpin':
    case 'to-cluster-ip':
      throw new Error(`iptables has no match of its own for ${match.kind}`);
    default:
      return match satisfies never;
  }
}

const conntrackStates = {
  new: 'NEW',
  invalid: 'INVALID',
  // What is related (ICMP errors, say) belongs to an established connection.
  established: 'RELATED,ESTABLISHED',
} as const;

function sourceParts(podSource: PodSource, is: boolean): MatchParts {
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

function compileTarget(family: Family, action: Action): string {
  switch (action.kind) {
    case 'mark':
      return fixedChains.markMasquerade;
    case 'accept':
      return 'ACCEPT';
    case 'drop':
      return 'DROP';
    case 'reject':
      return rejectTarget(family);
    case 'dispatch':
    case 'balance':
    case 'masquerade':
      throw new Error(`iptables has no single target for ${action.kind}`);
    default:
      return action satisfies never;
  }
}

/** The target that answers with an ICMP error, so that the client knows at once. */
export function rejectTarget(family: Family): string {
  return `REJECT --reject-with ${family === 'IPv4' ? 'icmp' : 'icmp6'}-port-unreachable`;
}

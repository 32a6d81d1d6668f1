// What doctor looks at for every backend, whichever is in use.
import type { Check } from '../host/finding.ts';
import type { NodeFacts } from '../host/node-facts.ts';
import type { ProxyMode } from '../model/config.ts';
import {
  forwardCheck,
  hasIptablesRules,
  iptablesCheck,
  iptablesRulesCheck,
} from './iptables/checks.ts';
import { hasNftablesRules, kernelCheck, nftCheck, ownTableCheck } from './nftables/checks.ts';

/** What a start asks too: whether kernel and tools take the rules of its mode. */
const rulesCheck: Check = ({ rulesRefusal }, { proxyMode }) => {
  if (rulesRefusal === undefined) {
    return [{ check: 'rules', status: 'ok', finding: `taken in ${proxyMode} mode` }];
  }
  const other = proxyMode === 'nftables' ? 'iptables' : 'nftables';
  const fix = `sluice run --proxy-mode ${other}`;
  return [{ check: 'rules', status: 'fail', finding: rulesRefusal, fix }];
};

/** The checks by what they look at. */
export const backendChecks = {
  kernel: kernelCheck,
  tools: [nftCheck, iptablesCheck],
  rules: rulesCheck,
  forward: forwardCheck,
  leftovers: [iptablesRulesCheck, ownTableCheck],
} as const;

/** The mode whose rules of ours are here; undefined where there are none. */
export function modeFound(facts: NodeFacts): ProxyMode | undefined {
  if (hasNftablesRules(facts)) return 'nftables';
  return hasIptablesRules(facts) ? 'iptables' : undefined;
}

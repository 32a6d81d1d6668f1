// Which lines of `nft monitor` are about our chains, as iptables-nft has them in the tables of nftables. Pure.
import type { TouchOf } from '../../../netfilter/monitor.ts';
import { familyCalled } from '../../../netfilter/monitor.ts';
import type { TableName } from '../names.ts';
import { builtInChains, isOurChain, kubeletFirewall } from '../names.ts';

// `add rule ip nat KUBE-SEP-… …`, `delete rule ip nat OUTPUT handle 2`, `delete table ip nat`.
const ofOurTables = /^(\w+) (\w+) (ip6?) (nat|filter|mangle)(?: (\S+))?/;

/**
 * Of a rule that is deleted only its number is given: where it was in one of the kernel's own chains, it may
 * have been the jump to ours.
 */
export const touchesOurChains: TouchOf = (line) => {
  const [, verb, object, familyWord, table, chain] = ofOurTables.exec(line) ?? [];
  const family = familyCalled(familyWord);
  if (family === undefined) return undefined;
  if (object === 'table') return verb === 'delete' ? { family, certainty: 'sure' } : undefined;
  if (chain === undefined) return undefined;
  if (isOurChain(table as TableName, chain)) return { family, certainty: 'sure' };
  const mayHoldOurs = builtInChains.has(chain) || chain === kubeletFirewall;
  return mayHoldOurs && verb === 'delete' ? { family, certainty: 'maybe' } : undefined;
};

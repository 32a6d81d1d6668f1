// Which changes are of our chains, as iptables-nft has them in the tables of nftables. Pure.
import type { TouchOf } from '../../../netfilter/table-changes.ts';
import type { TableName } from '../names.ts';
import { builtInChains, isOurChain, kubeletFirewall } from '../names.ts';

const ourTables: ReadonlySet<string> = new Set<TableName>(['nat', 'filter', 'mangle']);

/** A rule that is deleted where the kernel's own chains or the kubelet's have it may have been the jump to ours. */
export const touchesOurChains: TouchOf = ({ family, table, object, chain, isDeleted }) => {
  if (!ourTables.has(table)) return undefined;
  if (object === 'table') return isDeleted ? { family, certainty: 'sure' } : undefined;
  if (chain === undefined) return undefined;
  if (isOurChain(table as TableName, chain)) return { family, certainty: 'sure' };
  const mayHoldOurs = builtInChains.has(chain) || chain === kubeletFirewall;
  return mayHoldOurs && isDeleted ? { family, certainty: 'maybe' } : undefined;
};

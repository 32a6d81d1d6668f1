// Which of the two programs that are called iptables serves: the one that this node's own kubelet uses,
// as iptables-wrappers finds out. Pure. Must not let us write where nobody else writes: rules of both
// variants act, one after the other.
import type { Family } from '../../model/ip.ts';
import { kubeletChains } from './names.ts';

/** The two programs: one writes to nftables, one to the kernel's older tables. */
export type Variant = 'nf_tables' | 'legacy';

/** The tool of each family; `-save` and `-restore` belong to it. */
export type Tools = Readonly<Record<Family, string>>;

/** A variant, and by which names it is called. */
export type Installation = { readonly variant: Variant; readonly tools: Tools };

/** The names under which one of the variants is installed, whichever it is. */
export const tools: Tools = { IPv4: 'iptables', IPv6: 'ip6tables' };

/** The names that distinguish the variants. */
export const places: Readonly<Record<Variant, Installation>> = {
  nf_tables: { variant: 'nf_tables', tools: { IPv4: 'iptables-nft', IPv6: 'ip6tables-nft' } },
  legacy: { variant: 'legacy', tools: { IPv4: 'iptables-legacy', IPv6: 'ip6tables-legacy' } },
};

/** The variant that is not this one. */
export const otherVariant: Readonly<Record<Variant, Variant>> = {
  nf_tables: 'legacy',
  legacy: 'nf_tables',
};

/** What iptables-save prints of each family; '' where it prints nothing. */
export type Saved = Readonly<Record<Family, string>>;

/** A choice, and the reason for people. */
export type Choice = { readonly variant: Variant; readonly why: string };

// The kubelet makes the first of these for this very purpose, and the second since 1.17.
const kubeletChain = new RegExp(`^:(${kubeletChains.join('|')}) `, 'm');

/** Chooses by the kubelet's chains, else by the number of rules; where both are equal, nf_tables. */
export function chooseVariant(saved: Readonly<Record<Variant, Saved>>): Choice {
  for (const variant of ['nf_tables', 'legacy'] as const) {
    const chain = kubeletChain.exec(textOf(saved[variant]))?.[1];
    if (chain !== undefined) return { variant, why: `the kubelet has ${chain} there` };
  }
  const counts = { nf_tables: countRules(saved.nf_tables), legacy: countRules(saved.legacy) };
  if (counts.legacy > counts.nf_tables) {
    return {
      variant: 'legacy',
      why: `${counts.legacy} rules are there, ${counts.nf_tables} in nft`,
    };
  }
  if (counts.nf_tables === 0) return { variant: 'nf_tables', why: 'neither variant had rules' };
  const why = `${counts.nf_tables} rules are there, ${counts.legacy} in legacy`;
  return { variant: 'nf_tables', why };
}

function textOf({ IPv4, IPv6 }: Saved): string {
  return `${IPv4}\n${IPv6}`;
}

function countRules(saved: Saved): number {
  return textOf(saved).match(/^-/gm)?.length ?? 0;
}

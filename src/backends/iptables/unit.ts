// The units of an iptables Program: chains of ours with their rules, and the jumps by which the
// kernel's own chains reach them. Text is always what iptables-save prints, so that what is read back
// compares as it stands.
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { TableName } from './names.ts';

type Common = {
  readonly id: string;
  readonly owner: ServiceKey | undefined;
  /** `-A` lines, joined by newlines; '' for a chain without rules. */
  readonly text: string;
  readonly table: TableName;
};

/** A chain of ours with all its rules. */
export type ChainUnit = Common & { readonly kind: 'chain'; readonly chain: string };

/** The rule by which a built-in chain enters one of ours; several lines where it was found twice. */
export type JumpUnit = Common & {
  readonly kind: 'jump';
  /** The built-in chain that the rule stands in. */
  readonly chain: string;
};

export type IptablesUnit = ChainUnit | JumpUnit;

/** The unit of a chain whose rules, without their `-A CHAIN`, are `rules`. */
export function chainUnit(
  table: TableName,
  chain: string,
  { rules, owner }: { readonly rules: readonly string[]; readonly owner?: ServiceKey | undefined },
): ChainUnit {
  const text = rules.map((rule) => `-A ${chain} ${rule}`).join('\n');
  return { kind: 'chain', id: `${table} ${chain}`, owner, text, table, chain };
}

/** The unit of the jump from a built-in chain to `target`; `rules` as for a chain. */
export function jumpUnit(
  table: TableName,
  chain: string,
  { target, rules }: { readonly target: string; readonly rules: readonly string[] },
): JumpUnit {
  const text = rules.map((rule) => `-A ${chain} ${rule}`).join('\n');
  return { kind: 'jump', id: `${table} ${chain} ${target}`, owner: undefined, text, table, chain };
}

// The units of an iptables Program: chains of ours with their rules, the jumps by which the kernel's own
// chains reach them, and what we share with the kubelet. Text is always what iptables-save prints, so
// that what is read back compares as it stands.
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { TableName } from './names.ts';

type Common = {
  readonly id: string;
  readonly owner: ServiceKey | undefined;
  /** `-A` lines, joined by newlines; '' for a chain without rules. */
  readonly text: string;
  readonly table: TableName;
  /** Not ours alone: made where it is missing, and never changed or deleted. */
  readonly stays: boolean;
  /** Chains of others with rules that lead here: a chain that must be left where it is. */
  readonly heldBy?: readonly string[];
};

/** A chain of ours with all its rules; of one that stays, just that it is there. */
export type ChainUnit = Common & { readonly kind: 'chain'; readonly chain: string };

/** The rule by which a built-in chain enters one of ours; several lines where it was found twice. */
export type JumpUnit = Common & {
  readonly kind: 'jump';
  /** The built-in chain that the rule stands in. */
  readonly chain: string;
};

/** One rule of a chain in which others put rules as well. */
export type RuleUnit = Common & { readonly kind: 'rule'; readonly chain: string };

export type IptablesUnit = ChainUnit | JumpUnit | RuleUnit;

/** The unit of a chain whose rules, without their `-A CHAIN`, are `rules`. */
export function chainUnit(
  table: TableName,
  chain: string,
  { rules, owner }: { readonly rules: readonly string[]; readonly owner?: ServiceKey | undefined },
): ChainUnit {
  const text = rules.map((rule) => `-A ${chain} ${rule}`).join('\n');
  return { kind: 'chain', id: `${table} ${chain}`, owner, text, table, chain, stays: false };
}

/** A chain that others' rules lead to: it can be emptied, but stays. */
export function heldChainUnit(unit: ChainUnit, heldBy: readonly string[]): ChainUnit {
  return { ...unit, heldBy, stays: unit.text === '' };
}

/** The unit of a chain that is not ours alone. */
export function sharedChainUnit(table: TableName, chain: string): ChainUnit {
  return { ...chainUnit(table, chain, { rules: [] }), stays: true };
}

/** The unit of a rule that is not ours alone; another text is another unit. */
export function sharedRuleUnit(table: TableName, chain: string, rule: string): RuleUnit {
  const text = `-A ${chain} ${rule}`;
  return {
    kind: 'rule',
    id: `${table} ${text}`,
    owner: undefined,
    text,
    table,
    chain,
    stays: true,
  };
}

/** The unit of the jump from a built-in chain to `target`; `rules` as for a chain. */
export function jumpUnit(
  table: TableName,
  chain: string,
  { target, rules }: { readonly target: string; readonly rules: readonly string[] },
): JumpUnit {
  const text = rules.map((rule) => `-A ${chain} ${rule}`).join('\n');
  const id = `${table} ${chain} ${target}`;
  return { kind: 'jump', id, owner: undefined, text, table, chain, stays: false };
}

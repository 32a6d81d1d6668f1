// What others did to our rules, as it is told: data, and who hears of it.
import type { Family } from '../../model/ip.ts';
import type { Author } from '../../netfilter/table-changes.ts';
import { unitOf, type Op, type Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';

/** A foreign change that was repaired. */
export type Drift = {
  readonly family: Family;
  /** Who told: the kernel at once, the canary, or the audit. */
  readonly source: 'kernel' | 'canary' | 'audit';
  /** Who made it, as far as the kernel tells; several where there were some before the repair. */
  readonly authors: readonly Author[];
  /** What was missing, changed and foreign, and how much of it. */
  readonly repaired: Readonly<Record<Op['op'], number>>;
  /** Milliseconds from when it was noticed until it was repaired. */
  readonly tookMs: number;
};

/** What becomes of a foreign change, or of what looked like one. */
export const driftOutcomes = ['repaired', 'unchanged', 'failed', 'delayed'] as const;
export type DriftOutcome = (typeof driftOutcomes)[number];

/** Hears of drift; must return at once. */
export type DriftListener = {
  readonly repaired: (drift: Drift) => void;
  /** Every outcome is told here, those that are nothing to talk about too. */
  readonly outcome: (family: Family, outcome: DriftOutcome) => void;
  /** Somebody undoes each repair: the next ones wait longer and longer. */
  readonly looping: (family: Family, authors: readonly Author[]) => void;
  /** Nobody does any more. */
  readonly calm: (family: Family) => void;
  /** Changes are told of by nobody now, and found by the audit alone; why, where that is known. */
  readonly deaf: (why: Error | undefined) => void;
  /** They are told of again. */
  readonly listening: () => void;
};

/** The steps of a pass that no change in the cluster or on this host accounts for. */
export function driftIn({ plan, update, isFull, error }: FamilyPass<Unit>): Plan {
  if (!isFull || error !== undefined || plan.length === 0) return [];
  const { before, after } = update.change;
  return plan.filter((step) => {
    const { id } = unitOf(step);
    return !before.has(id) && !after.has(id);
  });
}

// Everything that there is to say of a difference: plans and what Services notice of them in, one
// report out, which print-report.ts turns into words.
import type { Backend } from '../../backends/backend.ts';
import type { Gates, Refusal } from '../../diff/gates.ts';
import { refusals } from '../../diff/gates.ts';
import type { ServiceChange } from '../../diff/service-change.ts';
import { serviceChanges } from '../../diff/service-change.ts';
import { frontendId } from '../../model/forwarding.ts';
import type { Family } from '../../model/ip.ts';
import type { Plan } from '../../netfilter/plan.ts';
import { undoPlan } from '../../netfilter/plan.ts';
import type { Program, Unit } from '../../netfilter/program.ts';
import type { Served } from '../../netfilter/served.ts';
import { isNothing, type NodeChanges } from '../../takeover/node-changes.ts';
import type { CountFlows } from './change-words.ts';

/** A plan, and what the kernel is to hold when it is carried out. */
export type WantedPlan<U extends Unit> = {
  readonly family: Family;
  readonly plan: Plan<U>;
  readonly wanted: Program<U>;
};

/** One difference. */
export type Report = {
  readonly plans: readonly { readonly family: Family; readonly plan: Plan }[];
  readonly changes: readonly ServiceChange[];
  /** The same without regard to the rules of others: run looks for stale connections at all that its own rules gain. */
  readonly touched: readonly ServiceChange[];
  /** How many Services the rules knew before; 0 where nothing changes. */
  readonly services: number;
  /** By `family frontend`, as frontendId has it; undefined where nobody looked. */
  readonly flows: ReadonlyMap<string, number> | undefined;
  readonly refused: readonly Refusal[];
  /** What else changes on the node; undefined where nobody looked. */
  readonly node: NodeChanges | undefined;
};

/** What the plans mean, and what else changes on the node, for no gate and without a look at conntrack. */
export function reportOf<U extends Unit>(
  backend: Backend<U>,
  plans: readonly WantedPlan<U>[],
  node?: NodeChanges,
): Report {
  // What is in step is not read at all: that takes a second in a large cluster.
  const isInStep = plans.every(({ plan }) => plan.length === 0);
  const read = isInStep ? [] : plans;
  const own = read.flatMap(({ family, plan, wanted }) =>
    backend.served(family, undoPlan(wanted, plan)),
  );
  const others = read.flatMap(({ family }) =>
    own.some((one) => one.family === family) ? [] : servedByOthers(node, family),
  );
  const after = read.flatMap(({ family, wanted }) => backend.served(family, wanted));
  const before = [...own, ...spelledAs(after, others)];
  const touched = serviceChanges(own, after);
  return {
    plans,
    changes: others.length === 0 ? touched : serviceChanges(before, after),
    touched,
    services: new Set(before.map(({ service }) => service)).size,
    flows: undefined,
    refused: [],
    node,
  };
}

/** Whether nothing changes. */
export function isInStep({ plans, node }: Report): boolean {
  return plans.every(({ plan }) => plan.length === 0) && (node === undefined || isNothing(node));
}

// Another backend spells conditions otherwise, which is no change.
function spelledAs(after: readonly Served[], others: readonly Served[]): readonly Served[] {
  const twins = new Map(others.length === 0 ? [] : after.map((one) => [addressIn(one), one]));
  return others.map((one) => {
    const { masquerade, allowFrom } = twins.get(addressIn(one)) ?? one;
    return { ...one, masquerade, allowFrom };
  });
}

function addressIn({ family, address }: Served): string {
  return `${family} ${frontendId(address)}`;
}

function servedByOthers(node: NodeChanges | undefined, family: Family): readonly Served[] {
  const theirs = node?.rulesets.filter((ruleset) => ruleset.family === family) ?? [];
  return theirs.flatMap(({ served }) => served?.() ?? []);
}

/** The same report with what the gates say. */
export function gated(report: Report, gates: Gates): Report {
  return { ...report, refused: refusals(report.changes, gates, report.services) };
}

/** Counts the flows of addresses; undefined where nobody looked. */
export function flowCounter({ flows }: Report): CountFlows | undefined {
  if (flows === undefined) return undefined;
  return (addresses) =>
    addresses
      .map(({ family, address }) => flows.get(`${family} ${frontendId(address)}`) ?? 0)
      .reduce((sum, count) => sum + count, 0);
}

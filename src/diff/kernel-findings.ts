// Where a kernel does not hold what it should: the plan that would mend it in, what is missing, was changed or
// is foreign out, Service by Service. Pure; words for it are the caller's.
import type { Family } from '../model/ip.ts';
import { unitOf, type Op, type Plan } from '../netfilter/plan.ts';

/** What is wrong with one unit. */
export type UnitFinding = {
  readonly family: Family;
  readonly wrong: 'missing' | 'changed' | 'foreign';
  readonly kind: string;
  readonly id: string;
  /** As the kernel has it; undefined where it is missing. */
  readonly is: string | undefined;
  /** As it should be; undefined where it is foreign. */
  readonly desired: string | undefined;
};

/** What is wrong with one Service; `service` is '' for what all of them share. */
export type ServiceFinding = { readonly service: string; readonly units: readonly UnitFinding[] };

const wrongs = { create: 'missing', replace: 'changed', delete: 'foreign' } as const;

/** The findings, what all Services share first. */
export function kernelFindings(
  plans: readonly { readonly family: Family; readonly plan: Plan }[],
): readonly ServiceFinding[] {
  const found = plans.flatMap(({ family, plan }) => plan.map((op) => ({ family, op })));
  const groups = Map.groupBy(found, ({ op }) => unitOf(op).owner ?? '');
  return [...groups.keys()].toSorted().map((service) => ({
    service,
    units: (groups.get(service) ?? []).map(({ family, op }) => findingOf(family, op)),
  }));
}

function findingOf(family: Family, op: Op): UnitFinding {
  const { kind, id } = unitOf(op);
  return {
    family,
    wrong: wrongs[op.op],
    kind,
    id,
    is: op.op === 'create' ? undefined : op.was.text,
    desired: op.op === 'delete' ? undefined : op.unit.text,
  };
}

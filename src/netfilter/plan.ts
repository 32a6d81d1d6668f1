// The difference between two Programs. Pure: what is, what should be, what to do.
import type { Program, Unit } from './program.ts';

/** One step of a Plan. */
export type Op<U extends Unit = Unit> =
  | { readonly op: 'create'; readonly unit: U }
  | { readonly op: 'replace'; readonly unit: U; readonly was: U }
  | { readonly op: 'delete'; readonly was: U };

/** Steps that turn one Program into another; empty is the proof that they are the same. */
export type Plan<U extends Unit = Unit> = readonly Op<U>[];

/** The plan that turns `before` into `after`; in the order of `after`, deletions last. */
export function plan<U extends Unit>(before: Program<U>, after: Program<U>): Plan<U> {
  const ops: Op<U>[] = [];
  for (const unit of after.values()) {
    const was = before.get(unit.id);
    if (was === undefined) ops.push({ op: 'create', unit });
    else if (was.text !== unit.text) ops.push({ op: 'replace', unit, was });
  }
  for (const was of before.values()) {
    if (!after.has(was.id) && was.stays !== true) ops.push({ op: 'delete', was });
  }
  return ops;
}

/** The Program that `plan` makes of `before`: what a kernel does with the plan, without a kernel. */
export function applyPlan<U extends Unit>(before: Program<U>, steps: Plan<U>): Program<U> {
  const after = new Map(before);
  for (const step of steps) {
    if (step.op === 'delete') after.delete(step.was.id);
    else after.set(step.unit.id, step.unit);
  }
  return after;
}

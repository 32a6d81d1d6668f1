// The difference between two Programs. Pure: what is, what should be, what to do.
import type { ServiceKey } from '../model/kubernetes.ts';
import type { Program, Unit } from './program.ts';
import { programOf } from './program.ts';

/** One step of a Plan. */
export type Op<U extends Unit = Unit> =
  | { readonly op: 'create'; readonly unit: U }
  | { readonly op: 'replace'; readonly unit: U; readonly was: U }
  | { readonly op: 'delete'; readonly was: U };

/** The unit that a step is about: as it is to be, or as it was where it goes. */
export function unitOf<U extends Unit>(step: Op<U>): U {
  return step.op === 'delete' ? step.was : step.unit;
}

/** Steps that turn one Program into another; empty is the proof that they are the same. */
export type Plan<U extends Unit = Unit> = readonly Op<U>[];

/** How many steps of each kind a plan has. */
export function countSteps(steps: Plan): Readonly<Record<Op['op'], number>> {
  const count = (op: Op['op']): number => steps.filter((step) => step.op === op).length;
  return { create: count('create'), replace: count('replace'), delete: count('delete') };
}

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

/** The plan that removes all of it, and those of what stays that nobody else uses. */
export function removalOf<U extends Unit>(present: Program<U>, unused: readonly U[] = []): Plan<U> {
  const gone = unused.map((unit): Op<U> => ({ op: 'delete', was: { ...unit, stays: false } }));
  return [...plan(present, new Map()), ...gone];
}

/** The Services that a plan touches. */
export function ownersIn(steps: Plan): ReadonlySet<ServiceKey> {
  return new Set(steps.flatMap((step) => unitOf(step).owner ?? []));
}

/** As plan, where what is to be there need not be put together as a Program if there is nothing yet. */
export function planTo<U extends Unit>(before: Program<U>, after: Iterable<U>): Plan<U> {
  if (before.size > 0) return plan(before, programOf(after));
  return Array.from(after, (unit) => ({ op: 'create', unit }));
}

/**
 * The Program that `plan` makes of `before`: what a kernel does with the plan, without a kernel. As strict as nft:
 * a RangeError where what a step changes is not there, or what it makes is.
 */
export function applyPlan<U extends Unit>(before: Program<U>, steps: Plan<U>): Program<U> {
  const after = new Map(before);
  for (const step of steps) {
    const { id } = unitOf(step);
    const there = after.get(id);
    if (step.op === 'create' && there !== undefined && there.text !== step.unit.text) {
      throw new RangeError(`${id}: there already`);
    }
    if (step.op !== 'create' && there === undefined) throw new RangeError(`${id}: not there`);
    if (step.op === 'delete') after.delete(id);
    else after.set(id, step.unit);
  }
  return after;
}

/** The Program that `plan` made `after` of. */
export function undoPlan<U extends Unit>(after: Program<U>, steps: Plan<U>): Program<U> {
  const before = new Map(after);
  for (const step of steps) {
    if (step.op === 'create') before.delete(step.unit.id);
    else before.set(step.was.id, step.was);
  }
  return before;
}

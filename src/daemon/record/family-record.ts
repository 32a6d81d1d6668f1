// A pass of one family, reduced to what the flight recorder keeps of it.
import { operations } from '../../model/receipt.ts';
import type { FamilyRecord, Found, Named, PlainUnit } from '../../model/pass-record.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import { planDigest, unitsDigest } from './plan-digest.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';

/** What a pass left behind. */
export type FamilyAfter = {
  readonly failings: FamilyRecord['failings'];
  /** All that the kernel should hold; undefined where the pass will not be replayed. */
  readonly units: (() => Iterable<Unit>) | undefined;
};

const mostNamed = 10;
const mostFoundUnits = 100;
const longestWhy = 300;

/** The record of a pass. */
export function familyRecord<U extends Unit>(
  pass: FamilyPass<U>,
  { failings, units }: FamilyAfter,
): FamilyRecord {
  const { family, plan, isFull, error, heldBack, update, durationMs, phaseMs } = pass;
  const refused = [...heldBack.keys()].filter((service) => !update.faults.has(service));
  const first = [...heldBack].slice(0, mostNamed);
  return {
    family,
    isFull,
    ...(error === undefined ? {} : { error: firstLine(error) }),
    plan: planCounts(plan),
    services: namedOf(new Set(plan.flatMap((step) => ownerOf(step) ?? []))),
    heldBack: {
      count: heldBack.size,
      first: first.map(([service, why]) => ({ service, why: firstLine(why) })),
    },
    failings,
    durationMs: rounded(durationMs),
    phaseMs: {
      resolve: rounded(phaseMs.resolve),
      plan: rounded(phaseMs.plan),
      apply: rounded(phaseMs.apply),
    },
    ...(units === undefined ? {} : replayPart(pass, units)),
    ...(refused.length === 0 ? {} : { refused }),
  };
}

function replayPart<U extends Unit>(
  { plan, isFull, error }: FamilyPass<U>,
  units: () => Iterable<Unit>,
): Pick<FamilyRecord, 'planDigest' | 'kernel'> {
  if (error !== undefined) return {};
  if (!isFull) return { planDigest: planDigest(plan) };
  const { digest, size } = unitsDigest(units());
  const kernel = { found: foundBy(plan, size), wholeDigest: digest };
  return { planDigest: planDigest(plan), kernel };
}

function foundBy(plan: Plan, wholeSize: number): Found {
  const missing = plan.flatMap((step) => (step.op === 'create' ? [step.unit.id] : []));
  if (missing.length === wholeSize && plan.length === wholeSize) return { kind: 'nothing' };
  if (plan.length > mostFoundUnits) return { kind: 'unrecorded' };
  const present = plan.flatMap((step) => (step.op === 'create' ? [] : [plain(step.was)]));
  return { kind: 'differs', missing, present };
}

// Some units spell what follows from the rest of them only when it is asked for.
function plain(unit: Unit): PlainUnit {
  const { id, kind, text, owner } = unit;
  return { ...unit, id, kind, text, ...(owner === undefined ? {} : { owner }) } as PlainUnit;
}

/** How many steps of each sort a plan has. */
export function planCounts(plan: Plan): FamilyRecord['plan'] {
  const counts = operations.map((name) => [name, plan.filter(({ op }) => op === name).length]);
  return Object.fromEntries(counts) as FamilyRecord['plan'];
}

/** All of them counted, the first of them named. */
export function namedOf<T extends string>(names: ReadonlySet<T>): Named<T> {
  return { count: names.size, first: [...names].slice(0, mostNamed) };
}

function ownerOf<U extends Unit>(step: Plan<U>[number]): U['owner'] {
  return (step.op === 'delete' ? step.was : step.unit).owner;
}

function firstLine({ message }: Error): string {
  return (message.split('\n')[0] ?? '').slice(0, longestWhy);
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

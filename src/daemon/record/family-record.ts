// A pass of one family, reduced to what the flight recorder keeps of it.
import type { FamilyRecord, Found, Named, PlainUnit } from '../../model/pass-record.ts';
import { ownersIn, countSteps, type Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';
import { planDigest, unitsDigest } from './plan-digest.ts';
import type { FamilyPass } from '../../sync/reconcile.ts';

const mostNamed = 10;
const mostFoundUnits = 100;
const longestWhy = 300;

/** The record of a pass; `isReplayed`: with what it takes to replay it. */
export function familyRecord(
  pass: FamilyPass<Unit>,
  { isReplayed }: { readonly isReplayed: boolean },
): FamilyRecord {
  const { family, desired, plan, isFull, error, quarantined, update, durationMs, phaseMs } = pass;
  const refused = [...quarantined.keys()].filter((service) => !update.faults.has(service));
  const first = [...quarantined].slice(0, mostNamed);
  return {
    family,
    isFull,
    ...(error === undefined ? {} : { error: firstLine(error) }),
    plan: countSteps(plan),
    services: namedOf(ownersIn(plan)),
    quarantined: {
      count: quarantined.size,
      first: first.map(([service, why]) => ({ service, why: firstLine(why) })),
    },
    notProgrammed: desired.decisions.notProgrammed,
    durationMs: rounded(durationMs),
    phaseMs: {
      resolve: rounded(phaseMs.resolve),
      plan: rounded(phaseMs.plan),
      apply: rounded(phaseMs.apply),
    },
    ...(isReplayed ? replayPart(pass) : {}),
    ...(refused.length === 0 ? {} : { refused }),
  };
}

function replayPart({
  desired,
  plan,
  isFull,
  error,
}: FamilyPass<Unit>): Pick<FamilyRecord, 'planDigest' | 'kernel'> {
  if (error !== undefined) return {};
  if (!isFull) return { planDigest: planDigest(plan) };
  const { digest, size } = unitsDigest(desired.units());
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
  const { id, kind, text, owner, unordered } = unit;
  const more = { ...(owner && { owner }), ...(unordered && { unordered }) };
  return { ...unit, id, kind, text, ...more } as PlainUnit;
}

/** All of them counted, the first of them named. */
export function namedOf<T extends string>(names: ReadonlySet<T>): Named<T> {
  return { count: names.size, first: [...names].slice(0, mostNamed) };
}

function firstLine({ message }: Error): string {
  return (message.split('\n')[0] ?? '').slice(0, longestWhy);
}

function rounded(ms: number): number {
  return Math.round(ms * 100) / 100;
}

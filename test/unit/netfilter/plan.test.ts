import fc from 'fast-check';
import { expect, test } from 'vitest';
import { applyPlan, plan, undoPlan } from '../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../src/netfilter/program.ts';

const program: fc.Arbitrary<Program> = fc
  .dictionary(fc.constantFrom('a', 'b', 'c', 'd', 'e'), fc.constantFrom('1', '2', '3'))
  .map((texts) => new Map(Object.entries(texts).map(([id, text]) => [id, unit(id, text)])));

function unit(id: string, text: string): Unit {
  return { id, kind: 'chain', owner: undefined, text };
}

function sorted(units: Program): readonly string[] {
  return [...units.values()].map(({ id, text }) => `${id} ${text}`).toSorted();
}

test('nothing is to be done between equal programs', () => {
  fc.assert(
    fc.property(program, (one) => {
      expect(plan(one, new Map(one))).toEqual([]);
    }),
  );
});

test('carrying out the plan from one program to another gives the other', () => {
  fc.assert(
    fc.property(program, program, (before, after) => {
      expect(sorted(applyPlan(before, plan(before, after)))).toEqual(sorted(after));
    }),
  );
});

test('undoing the plan from one program to another gives the one', () => {
  fc.assert(
    fc.property(program, program, (before, after) => {
      expect(sorted(undoPlan(after, plan(before, after)))).toEqual(sorted(before));
    }),
  );
});

test('a plan names only what differs', () => {
  const before = new Map([
    ['a', unit('a', '1')],
    ['b', unit('b', '1')],
    ['c', unit('c', '1')],
  ]);
  const after = new Map([
    ['a', unit('a', '1')],
    ['b', unit('b', '2')],
    ['d', unit('d', '1')],
  ]);
  expect(plan(before, after)).toEqual([
    { op: 'replace', unit: unit('b', '2'), was: unit('b', '1') },
    { op: 'create', unit: unit('d', '1') },
    { op: 'delete', was: unit('c', '1') },
  ]);
});

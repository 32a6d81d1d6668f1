// How soon repairs come: at once, unless each is undone.
import { expect, test } from 'vitest';
import { quickRepairs, RepairPace } from '../../../../src/daemon/drift/repair-pace.ts';

/** Undoes each repair the moment it is there, `times` times from `start` on; the waits before the repairs. */
function fight(pace: RepairPace, times: number, start = 0): readonly number[] {
  let at = start;
  const waits: number[] = [];
  for (let index = 0; index < times; index += 1) {
    const due = Math.max(at, pace.dueAt('sure'));
    waits.push(due - at);
    pace.repaired(at, due);
    at = due;
  }
  return waits;
}

test('who undoes each repair is waited for longer and longer, up to 30 s', () => {
  const pace = new RepairPace();
  const quick = Array.from({ length: quickRepairs + 1 }, () => 0);
  const slow = [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000];
  expect(fight(pace, quick.length + slow.length)).toEqual([...quick, ...slow]);
  expect(pace.isSlow).toBe(true);
});

test('after quiet they come at once again', () => {
  const pace = new RepairPace();
  fight(pace, quickRepairs + 3);
  const later = pace.holdsAt;
  expect(pace.dueAt('sure')).toBeLessThan(later);
  pace.repaired(later, later);
  expect(pace.isSlow).toBe(false);
  expect(pace.dueAt('sure')).toBe(later);
});

test('changes now and then are no fight', () => {
  const pace = new RepairPace();
  for (let at = 0; at < 100_000; at += 5001) pace.repaired(at, at + 1);
  expect(pace.isSlow).toBe(false);
});

test('looks in vain take a part of the time at most, a smaller one where it may be nothing', () => {
  const pace = new RepairPace();
  expect(pace.dueAt('maybe')).toBe(Number.NEGATIVE_INFINITY);
  pace.lookedInVain(1000, 10);
  expect([pace.dueAt('sure'), pace.dueAt('maybe')]).toEqual([1050, 1200]);
});

// How much is logged at the most, and what is said of the rest.
import { expect, test } from 'vitest';
import { LineLimit, linesPerSecond } from '../../../src/serve/line-limit.ts';

function stand() {
  const told: number[] = [];
  const due: { readonly at: number; readonly callback: () => void }[] = [];
  let at = 0;
  const limit = new LineLimit({
    now: () => at,
    later: (callback, ms) => due.push({ at: at + ms, callback }),
    onLeftOut: (lines) => {
      expect(limit.take()).toBe(true);
      told.push(lines);
    },
  });
  const write = (lines: number): number =>
    Array.from({ length: lines }, () => limit.take()).filter(Boolean).length;
  const goTo = (ms: number): void => {
    at = ms;
    for (const { callback } of due.splice(0).filter((one) => one.at <= ms)) callback();
  };
  return { write, goTo, told };
}

test('a burst is cut, and what was left out is told once its second is over', () => {
  const { write, goTo, told } = stand();
  expect(write(linesPerSecond + 7)).toBe(linesPerSecond);
  expect(told).toEqual([]);
  goTo(1000);
  expect(told).toEqual([7]);
  // The line that tells it counts.
  expect(write(linesPerSecond)).toBe(linesPerSecond - 1);
  goTo(2000);
  expect(told).toEqual([7, 1]);
});

test('a second begins with its first line', () => {
  const { write, goTo, told } = stand();
  expect(write(linesPerSecond)).toBe(linesPerSecond);
  goTo(1500);
  expect(write(linesPerSecond)).toBe(linesPerSecond);
  goTo(9000);
  expect(told).toEqual([]);
});

// What a start needed is given back when it is no longer used.
import { expect, test } from 'vitest';
import { giveBackMemory } from '../../../src/host/memory.ts';

const kept: number[][] = [];

test('memory that nothing refers to any more leaves the heap', () => {
  for (let count = 0; count < 200; count += 1) {
    kept.push(Array.from({ length: 50_000 }, (_, index) => index));
  }
  const before = process.memoryUsage().heapTotal;
  kept.length = 0;
  giveBackMemory();
  // 200 lists of 50,000 numbers are 80 MB; half of that allows for what V8 keeps at hand.
  expect(before - process.memoryUsage().heapTotal).toBeGreaterThan(40 * 2 ** 20);
});

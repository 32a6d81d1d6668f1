// What a start needed is given back when it is no longer used, and holes do not stay.
import { getHeapSpaceStatistics } from 'node:v8';
import { runInNewContext } from 'node:vm';
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

test('holes between objects that live long leave the heap as well', () => {
  const objects = Array.from({ length: 300_000 }, (_, index) => ({ index }));
  giveBackMemory();
  const before = oldSpaceBytes();
  const others = objects.filter(({ index }) => index % 2 === 0);
  objects.length = 0;
  // As V8 does it by itself sooner or later; each time it moves 6 MB at most.
  const collect = runInNewContext('gc') as (how: object) => void;
  for (let count = 0; count < 8; count += 1) collect({ type: 'major', execution: 'sync' });
  // 150,000 objects of 28 bytes and more are gone, each beside one that stays.
  expect(before - oldSpaceBytes()).toBeGreaterThan(3 * 2 ** 20);
  expect(others).toHaveLength(150_000);
});

function oldSpaceBytes(): number {
  return getHeapSpaceStatistics().find((space) => space.space_name === 'old_space')!.space_size;
}

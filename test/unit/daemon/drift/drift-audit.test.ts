// What is found where nobody tells of changes, and how often that is looked for.
import { describe, expect, test } from 'vitest';
import { missing, stand, wanted } from './stand.ts';

describe('the audit', () => {
  test('reads beside the passes, rarely where the kernel tells of changes', async () => {
    const { clock, begin, kernel, pass: passOver, said, end } = stand();
    begin();
    await clock.advance(120 * 30_000 - 1);
    expect([kernel.reads, kernel.asked]).toEqual([0, 0]);
    kernel.program = new Map();
    await clock.advance(30_000);
    expect([said(), kernel.reads]).toEqual([['nudge'], 1]);
    kernel.program = wanted;
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired audit  1']);
    await clock.advance(19 * 30_000);
    expect(kernel.reads).toBe(1);
    await end();
  });

  test('reads each period where nobody tells of changes, and where all is well says nothing', async () => {
    const { clock, kernel, pass: passOver, said, end } = stand('untold');
    await clock.advance(60_000);
    expect([kernel.reads, kernel.asked]).toEqual([0, 0]);
    passOver([], true);
    await clock.advance(60_000);
    expect([kernel.reads, kernel.asked, said()]).toEqual([2, 2, []]);
    await end();
  });

  test('lets be what a failed pass left, which the loop tries again', async () => {
    const { clock, kernel, pass: passOver, said, end } = stand('untold');
    passOver([], true, new Error('locked'));
    kernel.program = new Map();
    await clock.advance(90_000);
    expect([kernel.reads, said()]).toEqual([0, []]);
    await end();
  });
});

describe('the canary', () => {
  test('that is gone has the rules looked at', async () => {
    const { clock, kernel, pass: passOver, said, end } = stand('untold');
    passOver([], true);
    kernel.canaries = false;
    await clock.advance(30_000);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired canary  1']);
    await end();
  });

  test('that cannot be asked for now says nothing', async () => {
    const { clock, kernel, pass: passOver, said, end } = stand('untold');
    passOver([], true);
    kernel.canaries = undefined;
    await clock.advance(90_000);
    expect(said()).toEqual([]);
    kernel.canaries = false;
    await clock.advance(30_000);
    expect(said()).toEqual(['nudge']);
    await end();
  });

  test('is asked for no more once the proxy stops', async () => {
    const { clock, kernel, pass: passOver, said, end } = stand('untold');
    passOver([], true);
    await end();
    kernel.canaries = false;
    await clock.advance(90_000);
    expect([kernel.asked, said()]).toEqual([0, []]);
  });
});

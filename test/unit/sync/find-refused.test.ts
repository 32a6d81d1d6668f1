// Which of many a tool refuses, found with few attempts.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ToolError } from '../../../src/errors.ts';
import { findRefused, refusalIn } from '../../../src/sync/find-refused.ts';

function complaint(stderr: string, exitCode: number | undefined = 1): ToolError {
  return new ToolError(stderr, { command: 'nft', exitCode, stderr, input: '' });
}

/** A tool that refuses what has one of `bad` in it, or all of `enemies` together. */
function tool(candidates: readonly number[], bad: ReadonlySet<number>, enemies: number[] = []) {
  let attempts = 0;
  let inForce: readonly number[] = [];
  const attempt = async (without: ReadonlySet<number>): Promise<ToolError | undefined> => {
    attempts += 1;
    const kept = candidates.filter((each) => !without.has(each));
    const refused = kept.filter((each) => bad.has(each));
    const quarrel = enemies.length > 0 && enemies.every((each) => kept.includes(each));
    if (refused.length === 0 && !quarrel) {
      inForce = kept;
      return undefined;
    }
    return complaint(`bad: ${refused.join()}`);
  };
  return { attempt, attempts: () => attempts, inForce: () => inForce };
}

const range = (count: number): readonly number[] => Array.from({ length: count }, (_, n) => n);

describe('what a tool refuses', () => {
  test('is found wherever it is, each with what the tool says of that one alone', async () => {
    const property = fc.asyncProperty(
      fc.integer({ min: 1, max: 300 }),
      fc.array(fc.nat(), { maxLength: 3 }),
      async (count, picks) => {
        const candidates = range(count);
        const bad = new Set(picks.map((pick) => pick % count));
        const { attempt, attempts, inForce } = tool(candidates, bad);
        const found = await findRefused(candidates, attempt);
        const messages = [...(found ?? [])].map(([each, { stderr }]) => ({ each, stderr }));
        const expected = [...bad].map((each) => ({ each, stderr: `bad: ${each}` }));
        const inOrder = (a: { each: number }, b: { each: number }): number => a.each - b.each;
        expect(messages.toSorted(inOrder)).toEqual(expected.toSorted(inOrder));
        expect(inForce()).toEqual(candidates.filter((each) => !bad.has(each)));
        expect(attempts()).toBeLessThanOrEqual(2 + 8 * Math.ceil(Math.log2(count + 1)));
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  test('is not looked for without end where it is nearly all', async () => {
    const candidates = range(10_000);
    const { attempt, attempts } = tool(candidates, new Set(candidates));
    expect(await findRefused(candidates, attempt)).toBeUndefined();
    expect(attempts()).toBeLessThanOrEqual(114);
  });

  test('is not found where it is something else', async () => {
    const always = async (): Promise<ToolError> => complaint('no such table');
    expect(await findRefused([1, 2, 3], always)).toBeUndefined();
  });

  test('is one of two that do not go together', async () => {
    const candidates = range(9);
    const { attempt, inForce } = tool(candidates, new Set(), [1, 7]);
    expect([...((await findRefused(candidates, attempt)) ?? new Map()).keys()]).toEqual([7]);
    expect(inForce()).toEqual([0, 1, 2, 3, 4, 5, 6, 8]);
  });
});

test.each<[name: string, error: unknown, isRefusal: boolean]>([
  ['a line that the tool does not take', complaint('Error: syntax error, unexpected string'), true],
  ['an element twice', complaint('Error: Could not process rule: File exists'), true],
  ['no rights', complaint('Operation not permitted (you must be root)'), false],
  ['a lock', complaint('Another app is currently holding the xtables lock.', 4), false],
  ['no memory', complaint('netlink: Error: Cannot allocate memory'), false],
  [
    'a signal',
    new ToolError('nft', { command: 'nft', exitCode: undefined, stderr: '', input: '' }),
    false,
  ],
  ['a bug', new TypeError('x is not a function'), false],
])('%s is a refusal or not', (_, error, isRefusal) => {
  expect(refusalIn(error) !== undefined).toBe(isRefusal);
});

describe('what a tool names', () => {
  const numbers = ({ stderr }: ToolError): readonly number[] => [
    Number(/^bad: (\d+)/.exec(stderr)?.[1]),
  ];

  test('is left out without any halving, one after the other', async () => {
    const candidates = range(1000);
    const { attempt, attempts } = tool(candidates, new Set([7, 700]));
    const found = await findRefused(candidates, attempt, numbers);
    expect([...(found ?? [])].map(([key, { stderr }]) => [key, stderr])).toEqual([
      [7, 'bad: 7,700'],
      [700, 'bad: 700'],
    ]);
    expect(attempts()).toBe(3);
  });

  test('is not believed where the rest is refused all the same', async () => {
    const candidates = range(100);
    const { attempt } = tool(candidates, new Set([42]));
    for (const accuse of [() => [13], () => [13, 14], () => [4711]]) {
      const found = await findRefused(candidates, attempt, accuse);
      expect([...(found?.keys() ?? [])]).toEqual([42]);
    }
  });
});

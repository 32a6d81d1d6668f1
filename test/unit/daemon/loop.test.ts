// When passes run: at once, together for what came meanwhile, and again after a failure.
import { describe, expect, test } from 'vitest';
import type { ClusterChange } from '../../../src/model/kubernetes.ts';
import { retryDelayMs, SyncLoop } from '../../../src/daemon/loop.ts';
import { ManualClock } from '../../cluster/manual-clock.ts';

const gone = (id: string): ClusterChange => ({ op: 'delete', kind: 'Service', id });

/** A loop whose passes end when the test says so, and take up so many changes at the most. */
function stand(most = Infinity) {
  const passes: { readonly ids: readonly string[]; readonly end: (isInStep: boolean) => void }[] =
    [];
  const ended = new AbortController();
  const waiting: (() => void)[] = [];
  const clock = new ManualClock();
  const loop = new SyncLoop({
    clock,
    signal: ended.signal,
    portionOf: (changes) => ({ now: changes.slice(0, most), later: changes.slice(most) }),
  });
  const running = loop.run(({ changes, version, asked }) => {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    const ids = changes.map((change) => (change.op === 'delete' ? change.id : ''));
    passes.push({ ids: [asked.join('+'), version, ...ids], end: resolve });
    for (const wake of waiting.splice(0)) wake();
    return promise;
  });
  const nth = async (index: number) => {
    for (;;) {
      const pass = passes[index];
      if (pass !== undefined) return pass;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { loop, clock, passes, nth, ended, running };
}

describe('a loop', () => {
  test('passes at once for the first change, and once for all that come meanwhile', async () => {
    const { loop, passes, nth, ended, running } = stand();
    loop.submit({ changes: [gone('a')], version: '1' });
    const first = await nth(0);
    loop.submit({ changes: [gone('b')], version: '2' });
    loop.submit({ changes: [gone('c')], version: '3' });
    expect(passes).toHaveLength(1);
    first.end(true);
    const second = await nth(1);
    expect([first.ids, second.ids]).toEqual([
      ['cluster', '1', 'a'],
      ['cluster', '3', 'b', 'c'],
    ]);
    ended.abort();
    second.end(true);
    await running;
    expect(passes).toHaveLength(2);
  });

  test('tries again after a failure, and waits longer each time', async () => {
    const { loop, clock, nth, passes, ended, running } = stand();
    loop.submit({ changes: [gone('a')], version: '1' });
    (await nth(0)).end(false);
    await clock.waiting(1000);
    await clock.advance(1000);
    (await nth(1)).end(false);
    await clock.waiting(2000);
    await clock.advance(2000);
    (await nth(2)).end(true);
    loop.submit({ changes: [], version: '2' });
    (await nth(3)).end(false);
    await clock.waiting(1000);
    await clock.advance(1000);
    const last = await nth(4);
    expect(passes.map(({ ids }) => ids)).toEqual([
      ['cluster', '1', 'a'],
      ['retry', '1'],
      ['retry', '1'],
      ['cluster', '2'],
      ['retry', '2'],
    ]);
    ended.abort();
    last.end(true);
    await running;
  });

  test('does not wait for a retry where a change comes first', async () => {
    const { loop, nth, passes, ended, running } = stand();
    loop.submit({ changes: [gone('a')], version: '1' });
    (await nth(0)).end(false);
    loop.submit({ changes: [gone('b')], version: '2' });
    (await nth(1)).end(true);
    ended.abort();
    await running;
    expect(passes).toHaveLength(2);
  });

  test('takes up all at first, and then portion by portion, with what came meanwhile', async () => {
    const { loop, nth, passes, ended, running } = stand(2);
    loop.submit({ changes: ['a', 'b', 'c'].map(gone), version: '1' });
    (await nth(0)).end(true);
    loop.submit({ changes: ['d', 'e', 'f'].map(gone), version: '2' });
    const second = await nth(1);
    loop.submit({ changes: ['g', 'h'].map(gone), version: '3' });
    second.end(true);
    (await nth(2)).end(true);
    const last = await nth(3);
    expect(passes.map(({ ids }) => ids)).toEqual([
      ['cluster', '1', 'a', 'b', 'c'],
      ['cluster', '1', 'd', 'e'],
      ['cluster', '1', 'f', 'g'],
      ['cluster', '3', 'h'],
    ]);
    ended.abort();
    last.end(true);
    await running;
  });

  test('passes without a change where it is asked to', async () => {
    const { loop, nth, ended, running } = stand();
    loop.submit({ changes: [gone('a')], version: '1' });
    (await nth(0)).end(true);
    loop.nudge('host');
    const second = await nth(1);
    expect(second.ids).toEqual(['host', '1']);
    ended.abort();
    second.end(true);
    await running;
  });
});

test('retries wait a second, then twice as long each time, up to 30 seconds', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 100].map(retryDelayMs);
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

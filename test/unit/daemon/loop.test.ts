// When passes run: at once, together for what came meanwhile, and again after a failure.
import { describe, expect, test } from 'vitest';
import type { ClusterChange } from '../../../src/model/kubernetes.ts';
import { defaultRetryDelayMs, SyncLoop } from '../../../src/daemon/loop.ts';

const gone = (id: string): ClusterChange => ({ op: 'delete', kind: 'Service', id });

/** A loop whose passes end when the test says so, and whose retries wait as it says. */
function stand(retryDelayMs: (failures: number) => number = () => 3_600_000) {
  const passes: { readonly ids: readonly string[]; readonly end: (isInStep: boolean) => void }[] =
    [];
  const ended = new AbortController();
  const waiting: (() => void)[] = [];
  const loop = new SyncLoop({
    pass(changes, version) {
      const { promise, resolve } = Promise.withResolvers<boolean>();
      const ids = changes.map((change) => (change.op === 'delete' ? change.id : ''));
      passes.push({ ids: [version, ...ids], end: resolve });
      for (const wake of waiting.splice(0)) wake();
      return promise;
    },
    signal: ended.signal,
    retryDelayMs,
  });
  const running = loop.run();
  const nth = async (index: number) => {
    for (;;) {
      const pass = passes[index];
      if (pass !== undefined) return pass;
      await new Promise<void>((resolve) => waiting.push(resolve));
    }
  };
  return { loop, passes, nth, ended, running };
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
      ['1', 'a'],
      ['3', 'b', 'c'],
    ]);
    ended.abort();
    second.end(true);
    await running;
    expect(passes).toHaveLength(2);
  });

  test('tries again after a failure, and waits longer each time', async () => {
    const asked: number[] = [];
    const { loop, nth, ended, running } = stand((failures) => {
      asked.push(failures);
      return 0;
    });
    loop.submit({ changes: [gone('a')], version: '1' });
    (await nth(0)).end(false);
    (await nth(1)).end(false);
    (await nth(2)).end(true);
    loop.submit({ changes: [], version: '2' });
    (await nth(3)).end(false);
    const last = await nth(4);
    expect(last.ids).toEqual(['2']);
    expect(asked).toEqual([1, 2, 1]);
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

  test('passes without a change where it is asked to', async () => {
    const { loop, nth, ended, running } = stand();
    loop.submit({ changes: [gone('a')], version: '1' });
    (await nth(0)).end(true);
    loop.nudge('host');
    const second = await nth(1);
    expect(second.ids).toEqual(['1']);
    ended.abort();
    second.end(true);
    await running;
  });
});

test('retries wait a second, then twice as long each time, up to 30 seconds', () => {
  const waits = [1, 2, 3, 4, 5, 6, 7, 100].map(defaultRetryDelayMs);
  expect(waits).toEqual([1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
});

// The first change after an outage of the API server, whatever the tries of its resource came to before.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { defaultTiming } from '../../src/cluster/api/timing.ts';
import { Follower, of, smallCluster } from './follower.ts';
import { ManualClock } from './manual-clock.ts';
import { rawSlice } from './objects.ts';

/** Moves time on by seconds, and lets the network answer after each tenth of one. */
async function pass(clock: ManualClock, seconds: number): Promise<void> {
  for (let tenths = 0; tenths < seconds * 10; tenths++) {
    await clock.advance(100);
    for (let n = 0; n < 8; n += 1) await turn();
  }
}

describe('the first change after an outage', () => {
  test.each([
    ['of ten minutes', 600, false],
    ['of ten minutes, with expired versions', 600, true],
    ['of a second', 1, false],
  ])('%s is delivered within 3 s', async (_, seconds, isCompacted) => {
    await using server = await smallCluster();
    const clock = new ManualClock();
    const timing = defaultTiming;
    await using follower = await Follower.start(server, { clock, timing, random: () => 1 });
    await follower.batch();
    await server.goAway();
    await pass(clock, seconds);
    server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.2']));
    if (isCompacted) server.compact();
    await server.comeBack();
    await pass(clock, 3);
    expect(await follower.batch(2)).toEqual(['set EndpointSlice default/a-1']);
  });

  test('does not wait for the tries of its own resource', async () => {
    await using server = await smallCluster();
    const clock = new ManualClock();
    const timing = defaultTiming;
    await using follower = await Follower.start(server, { clock, timing, random: () => 1 });
    await follower.batch();
    // Alone, the fifth failure in a row would leave slices waiting from second 49 to second 79.
    const others = ['services', 'nodes', 'servicecidrs'].map(of);
    for (const matching of others)
      server.fail({ kind: 'status', code: 503 }, { matching, times: 4 });
    const matching = of('endpointslices');
    server.fail({ kind: 'status', code: 503 }, { matching, times: 5 });
    server.dropConnections();
    server.store.set('EndpointSlice', rawSlice('a', ['10.244.1.2']));
    await pass(clock, 49);
    expect(follower.batches).toHaveLength(1);
    await pass(clock, 4);
    expect(await follower.batch(2)).toEqual(['set EndpointSlice default/a-1']);
  });
});

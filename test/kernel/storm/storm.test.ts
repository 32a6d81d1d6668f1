// A storm: 2,000 changes of the cluster while connections to the API server fail in every way there is.
// The whole of the daemon, from the wire to the kernel. What did not change keeps its rules throughout,
// and when the storm is over the kernel holds what a fresh start would make.
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, onTestFailed, test } from 'vitest';
import { befall, failures, turns, type Mishap } from '../../cluster/mishaps.ts';
import { StandInApiServer } from '../../cluster/stand-in-api-server.ts';
import type { Fault } from '../../cluster/stand-in/faults.ts';
import type { KindName, RawObject } from '../../cluster/stand-in/kinds.ts';
import { configFor } from '../../support/config.ts';
import { networkNamespace } from '../../support/network-namespace.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { Clock } from '../../../src/cluster/api/clock.ts';
import { objectsOn, withStormDaemon, type StormDaemon } from './daemon.ts';
import { fastClock } from './fast-clock.ts';
import { node, service, serviceCidr, serviceFrom, slice, type ServiceDraft } from './objects.ts';
import { callStanding, putStanding } from './standing.ts';

const changesEach = 2000;
const lastChanges = 50;
// The times of src/cluster/api/timing.ts and of the server hold; they only pass sooner. A watch that
// says nothing is given up after a quarter of a second.
const speed = 400;

type Change =
  | { readonly op: 'service'; readonly draft: ServiceDraft }
  | { readonly op: 'set'; readonly kind: KindName; readonly object: RawObject }
  | { readonly op: 'delete'; readonly kind: 'Service' | 'EndpointSlice'; readonly pick: number };

type Condition =
  | Mishap
  | { readonly op: 'calm' }
  /** Requests are answered so much later, and perhaps in another order. */
  | { readonly op: 'delay'; readonly ms: number; readonly times: number }
  /** What is on its way goes out. */
  | { readonly op: 'turn' }
  /** A pass comes to its end, unless none comes for long. */
  | { readonly op: 'wait' };

const set = (kind: KindName, object: fc.Arbitrary<RawObject>): fc.Arbitrary<Change> =>
  object.map((value) => ({ op: 'set', kind, object: value }));

const change: fc.Arbitrary<Change> = fc.oneof(
  { weight: 12, arbitrary: service.map((draft): Change => ({ op: 'service', draft })) },
  { weight: 20, arbitrary: set('EndpointSlice', slice) },
  {
    weight: 5,
    arbitrary: fc.record({
      op: fc.constant('delete' as const),
      kind: fc.constantFrom('Service' as const, 'EndpointSlice' as const),
      pick: fc.nat(),
    }),
  },
  { weight: 1, arbitrary: set('Node', node) },
  { weight: 1, arbitrary: set('ServiceCIDR', serviceCidr) },
);

const moreFaults: readonly Fault[] = [
  { kind: 'status', code: 429, retryAfter: '2' },
  { kind: 'status', code: 503, retryAfter: '1' },
  { kind: 'wire', gather: 3 },
];

const condition: fc.Arbitrary<Condition> = fc.oneof(
  { weight: 100, arbitrary: fc.constant<Condition>({ op: 'calm' }) },
  { weight: 20, arbitrary: fc.constant<Condition>({ op: 'turn' }) },
  { weight: 2, arbitrary: failures },
  { weight: 3, arbitrary: turns },
  { weight: 2, arbitrary: fc.constant<Condition>({ op: 'back' }) },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom(...moreFaults)
      .map((fault): Condition => ({ op: 'fail', fault, style: '', times: 2 })),
  },
  {
    weight: 1,
    arbitrary: fc.record({
      op: fc.constant('delay' as const),
      ms: fc.integer({ min: 1000, max: 25_000 }),
      times: fc.integer({ min: 1, max: 3 }),
    }),
  },
  { weight: 4, arbitrary: fc.constant<Condition>({ op: 'wait' }) },
);

const longestWaitMs = 10_000;
const never = new AbortController().signal;

function make(server: StandInApiServer, what: Change): void {
  const { store } = server;
  if (what.op === 'service') return store.set('Service', serviceFrom(what.draft, store));
  if (what.op === 'set') return store.set(what.kind, what.object);
  const there = store.list(what.kind, ({ metadata }) => metadata.namespace === 'storm');
  const object = there[what.pick % there.length];
  if (object !== undefined) store.delete(what.kind, `storm/${object.metadata.name}`);
}

type Storm = {
  readonly server: StandInApiServer;
  readonly daemon: StormDaemon;
  readonly clock: Clock;
};

async function blow({ server, daemon, clock }: Storm, what: Condition): Promise<void> {
  switch (what.op) {
    case 'calm':
      return;
    case 'delay': {
      const { ms, times } = what;
      for (let n = 1; n <= times; n += 1) {
        server.fail({ kind: 'hold', until: clock.delay((ms * (times - n + 1)) / times, never) });
      }
      return server.dropConnections();
    }
    case 'wait':
      return Promise.race([daemon.passed(), clock.delay(longestWaitMs, never)]);
    case 'turn':
      return turn();
    case 'fail':
    case 'drop':
    case 'freeze':
    case 'compact':
    case 'away':
    case 'back':
    case 'other':
      return befall(server, what);
  }
}

/** Random numbers from 0 to 1 that are the same for the same seed. */
function seeded(seed: number): () => number {
  const numbers = fc.sample(fc.double({ min: 0, max: 1, noNaN: true }), { seed, numRuns: 997 });
  let next = 0;
  return () => numbers[(next += 1) % numbers.length] ?? 0;
}

// What happens follows from the seed; what of it meets in time does not.
async function survive(mode: ProxyMode, seed: number): Promise<void> {
  const sample = <T>(of: fc.Arbitrary<T>, numRuns: number) => fc.sample(of, { seed, numRuns });
  const namespace = await networkNamespace();
  const clock = fastClock(speed);
  await using server = await StandInApiServer.start({ clock });
  putStanding(server.store, sample(node, 1)[0] as RawObject);
  // The first lists are not spared.
  for (const mishap of sample(failures, 4)) await befall(server, mishap);
  const config = configFor(mode);
  const options = { config, namespace, server, clock, random: seeded(seed) };
  await withStormDaemon(options, async (daemon) => {
    onTestFailed(() => void process.stdout.write(daemon.lines.slice(-30).join('')));
    await daemon.isInStepWith(objectsOn(server, config.nodeName));
    const caller = await callStanding(namespace, clock);
    for (const [what, then] of sample(fc.tuple(change, condition), changesEach - lastChanges)) {
      make(server, what);
      await blow({ server, daemon, clock }, then);
    }
    // Nobody hears of the last changes: what they deleted is missing from the next lists, and that is all.
    await befall(server, { op: 'away' });
    for (const what of sample(change, lastChanges)) make(server, what);
    server.compact();
    await server.comeBack();
    server.heal();
    const objects = objectsOn(server, config.nodeName);
    await daemon.isInStepWith(objects);
    const { calls, unanswered } = await caller.stop();
    expect(unanswered).toEqual([]);
    expect(daemon.faults).toEqual([]);
    expect(await daemon.differences(objects)).toEqual([]);
    // It was a storm, and it was seen.
    expect(calls).toBeGreaterThan(100);
    expect(daemon.passes).toBeGreaterThan(5);
  });
}

describe('2,000 changes in a storm end in the rules of a fresh start', { timeout: 60_000 }, () => {
  test.each(Array.from({ length: 10 }, (_, n) => n + 1))('nftables, seed %i', (seed) =>
    survive('nftables', seed),
  );

  test.each([21, 22])('iptables, seed %i', (seed) => survive('iptables', seed));
});

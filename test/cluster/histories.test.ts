// Any history under any faults: once the faults stop, what was told is what the server has, and on the
// way nothing was told twice, or of something unknown that it is gone.
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Listener } from './listener.ts';
import { befall, failures, turns, type Mishap } from './mishaps.ts';
import { rawService } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';
import { selectorOf } from './stand-in/selectors.ts';

type Step =
  | {
      readonly op: 'set' | 'bad' | 'leave' | 'delete';
      readonly name: string;
      readonly port: number;
    }
  | Mishap
  | { readonly op: 'wait'; readonly events: number };

const names = Array.from({ length: 12 }, (_, n) => `svc-${n}`);
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 8,
    arbitrary: fc.record({
      op: fc.constantFrom('set', 'set', 'set', 'delete', 'bad', 'leave'),
      name: fc.constantFrom(...names),
      port: fc.integer({ min: 1, max: 5 }),
    }),
  },
  { weight: 3, arbitrary: failures },
  { weight: 3, arbitrary: turns },
  {
    weight: 3,
    arbitrary: fc.record({
      op: fc.constant('wait' as const),
      events: fc.integer({ min: 1, max: 3 }),
    }),
  },
) as fc.Arbitrary<Step>;

const histories = fc.array(step, { minLength: 20, maxLength: 120, size: 'max' });

const timing = {
  answerMs: 40,
  quietListMs: 40,
  quietWatchMs: 80,
  initialListMs: 200,
  backoffMs: { min: 1, max: 4 },
  shortWatchMs: 0,
  goodWatchMs: 20,
};

async function take(server: StandInApiServer, listener: Listener, step: Step): Promise<void> {
  const { store } = server;
  switch (step.op) {
    case 'set':
      return store.set('Service', rawService(step.name, step.port));
    case 'bad':
      return store.set('Service', rawService(step.name, 99_999));
    case 'leave':
      return store.set('Service', rawService(step.name, step.port, { clusterIP: 'None' }));
    case 'delete':
      return void store.delete('Service', `default/${step.name}`);
    case 'wait':
      return somethingIn(listener, step.events);
    case 'fail':
    case 'drop':
    case 'freeze':
    case 'compact':
    case 'away':
    case 'back':
    case 'other':
      return befall(server, step);
  }
}

/** Waits until the listener was told of so much, but not for ever: there may be nothing to tell. */
async function somethingIn(listener: Listener, events: number): Promise<void> {
  const wanted = listener.events.length + events;
  for (let n = 0; n < 3000 && listener.events.length < wanted; n += 1) await turn();
}

/** Stops the faults, makes bad objects good, and says what there is. */
async function settle(server: StandInApiServer): Promise<readonly string[]> {
  if (!server.isListening) await server.comeBack();
  server.heal();
  const selected = selectorOf(new URLSearchParams({ fieldSelector: 'spec.clusterIP!=None' }));
  for (const { metadata } of server.store.list('Service', selected)) {
    server.store.set('Service', rawService(metadata.name, 7));
  }
  server.store.set('Service', rawService('last', 7));
  return server.store.list('Service', selected).map(({ metadata }) => `${metadata.name}:7`);
}

test('any history under any faults ends in what the server has', { timeout: 120_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(histories, async (steps) => {
      await using server = await StandInApiServer.start();
      await using listener = await Listener.start(server, { timing });
      for (const one of steps) await take(server, listener, one);
      const services = await settle(server);
      await listener.until(() => listener.services.includes('last:7'));
      expect(listener.services).toEqual(services.toSorted());
      expect(listener.faults).toEqual([]);
    }),
    { numRuns: 80, endOnFailure: true },
  );
});

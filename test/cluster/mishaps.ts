// What may go wrong between the stand-in and who follows it, at random.
import fc from 'fast-check';
import type { StandInApiServer } from './stand-in-api-server.ts';
import type { Fault, Matching } from './stand-in/faults.ts';

/** One thing that goes wrong, or that goes well again. */
export type Mishap =
  | { readonly op: 'fail'; readonly fault: Fault; readonly style: string; readonly times: number }
  | { readonly op: 'drop' | 'freeze' | 'compact' | 'away' | 'back' | 'other' };

const size = fc.integer({ min: 0, max: 3000 });

const fault: fc.Arbitrary<Fault> = fc.oneof(
  fc.constantFrom<Fault>({ kind: 'reset' }, { kind: 'silence' }),
  fc
    .constantFrom(400, 401, 403, 404, 410, 422, 429, 500, 503)
    .map((code): Fault => ({ kind: 'status', code })),
  size.map((cutAfter): Fault => ({ kind: 'wire', cutAfter })),
  size.map((freezeAfter): Fault => ({ kind: 'wire', freezeAfter })),
  fc.integer({ min: 1, max: 200 }).map((split): Fault => ({ kind: 'wire', split })),
  fc
    .constantFrom('', 'oops\n', '{"type":"ERROR","object":{"code":500}}\n', '{"type":"ADDED"')
    .map((text): Fault => ({ kind: 'say', text })),
  fc.constantFrom<Fault>(
    { kind: 'initial-events', order: 'reversed' },
    { kind: 'initial-events', end: 'missing' },
  ),
);

/** Faults of the requests to come. */
export const failures: fc.Arbitrary<Mishap> = fc.record({
  op: fc.constant('fail' as const),
  fault,
  style: fc.constantFrom('watch', 'watch-list', 'list', ''),
  times: fc.integer({ min: 1, max: 6 }),
});

/** What happens to connections that are there, and to the server. */
export const turns: fc.Arbitrary<Mishap> = fc.record({
  op: fc.constantFrom('drop', 'drop', 'freeze', 'compact', 'away', 'back', 'back', 'other'),
});

/** Lets it happen. */
export async function befall(server: StandInApiServer, mishap: Mishap): Promise<void> {
  const { store } = server;
  switch (mishap.op) {
    case 'fail': {
      const { style, fault: wanted, times } = mishap;
      const matching: Matching = (request) => style === '' || style === request.style;
      return server.fail(wanted, { matching, times });
    }
    case 'drop':
      return server.dropConnections();
    case 'freeze':
      return server.freeze();
    case 'compact':
      return server.compact();
    case 'other':
      return store.moveTo(store.version + 3);
    case 'away':
      return server.isListening ? server.goAway() : undefined;
    case 'back':
      return server.isListening ? undefined : server.comeBack();
  }
}

// Time as a parameter: what waits takes a Clock, so that a test can say when it is over.
import { setTimeout as timeout } from 'node:timers/promises';

export type Clock = {
  /** Milliseconds since the epoch that never go back, whatever is done to the machine's clock. */
  readonly now: () => number;
  /** Resolves after so many milliseconds, or when the signal comes. */
  readonly delay: (ms: number, signal: AbortSignal) => Promise<void>;
};

/** The machine's own. */
export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  delay: async (ms, signal) => {
    await timeout(ms, undefined, { signal }).catch((error: unknown) => {
      if (!signal.aborted) throw error;
    });
  },
};

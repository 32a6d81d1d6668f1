// A clock on which time flies, so that what is known to take seconds keeps its proportions and takes
// milliseconds.
import { systemClock, type Clock } from '../../../src/cluster/api/clock.ts';

/** The machine's clock, so many times as fast. */
export function fastClock(speed: number): Clock {
  return {
    now: () => systemClock.now() * speed,
    delay: (ms, signal) => systemClock.delay(ms / speed, signal),
  };
}

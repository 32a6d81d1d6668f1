// Gives memory that this process no longer uses back to the host. V8 by itself keeps what it needed at its
// busiest: on a proxy that is when it starts, and on its node others want it all the rest of the time.
import { memoryUsage } from 'node:process';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Has garbage collected as soon as it is a third of what is in use, while this process starts and makes much more of
 * it than later: V8 collects beside the program, and in a large cluster it is overtaken by three times what is in use.
 * Each collection stops the process for some 0.1 s.
 */
export function keepGarbageSmall(): void {
  setFlagsFromString('--no-incremental-marking');
  setFlagsFromString('--heap-growing-percent=30');
}

/**
 * Collects garbage, lets go of its pages, and has less of it and fewer holes kept from then on; stops the
 * process for some 0.3 s in a large cluster.
 */
export function giveBackMemory(): void {
  // V8 offers this only to who asks at run time, and only to a context that is made afterwards.
  setFlagsFromString('--expose-gc');
  setFlagsFromString('--incremental-marking');
  // From here on it lets garbage pile up to a tenth of what is in use, and no more to several times that.
  setFlagsFromString('--heap-growing-percent=10');
  // And closes the holes that thousands of changes would leave between what lives long: pages that are a
  // fifth empty are emptied when it collects, where it would wait for seven tenths (V8's
  // ComputeEvacuationHeuristics in mark-compact.cc).
  setFlagsFromString('--optimize-for-size');
  const collect = runInNewContext('gc') as (how: object) => void;
  // Of all flavors just this one also compacts what is left and frees the pages.
  collect({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}

/** Memory of this process that is resident, in bytes. */
export function residentBytes(): number {
  return memoryUsage.rss();
}

// How long each thing may take. The defaults hold for real clusters; tests shorten them.

/** All times in milliseconds. */
export type Timing = {
  /** From a request to the head of its answer, with signing in. */
  readonly answerMs: number;
  /** Silence in the middle of an answer that should come at once. */
  readonly quietListMs: number;
  /** Of a watch that said nothing for so long nobody knows whether it is alive: another one goes on from there. */
  readonly quietWatchMs: number;
  /** The first events of a WatchList, all in all. */
  readonly initialListMs: number;
  /** An idle connection is probed after this; the kernel gives it up after 10 more probes, 1 s apart. */
  readonly keepAliveMs: number;
  /** Tries after failures are at least and at most this far apart. */
  readonly backoffMs: { readonly min: number; readonly max: number };
  /** At most, where nothing answers at all: there is no server to spare, and it may be back at any time. */
  readonly unansweredMs: number;
  /** A server that has not taken the connection by then is tried again. */
  readonly connectMs: number;
  /** A watch that has lived for so long was a good one, even without an event. */
  readonly goodWatchMs: number;
  /** After a watch that lived no longer than this, the next one does not follow at once. */
  readonly shortWatchMs: number;
  /** How long the server lets a watch live, in seconds: at random between the two. */
  readonly watchSeconds: { readonly min: number; readonly max: number };
  /** An API that the server does not have is asked for again after this, or up to twice this. */
  readonly absentMs: number;
};

/** For real clusters. */
export const defaultTiming: Timing = {
  answerMs: 30_000,
  quietListMs: 30_000,
  quietWatchMs: 90_000,
  initialListMs: 300_000,
  keepAliveMs: 30_000,
  backoffMs: { min: 800, max: 30_000 },
  unansweredMs: 2000,
  connectMs: 2000,
  goodWatchMs: 60_000,
  shortWatchMs: 1000,
  watchSeconds: { min: 300, max: 600 },
  absentMs: 60_000,
};

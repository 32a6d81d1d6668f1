// What a daemon is made of: parts that hear of its passes, and that do something beside them.
import type { PassListener } from './pass.ts';
import type { FoundBefore } from '../takeover/take-over.ts';

/** A part of a daemon. It may rely on no order among parts. */
export interface DaemonPart extends PassListener {
  /**
   * Resolves when the first pass may begin; `found`: the Service rules on this node that ours take the place of,
   * undefined where nobody knows.
   */
  prepare?(found?: FoundBefore['found']): Promise<void>;
  /** Runs until the daemon's signal comes; where it ends before, the daemon ends. */
  run?(): Promise<void>;
  /** Is called now and then: takes up what could not be finished; true where that takes a pass. */
  goOn?(): boolean;
  /** Resolves when nothing of it goes on beside the passes, or has gone on for long enough. */
  quiet?(): Promise<void>;
  /** Is called when no more passes come. */
  close?(): Promise<void>;
}

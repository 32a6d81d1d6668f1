// What became of a pass, as plain data: metrics and log lines are made of it.
import type { Family } from './ip.ts';

/** The parts of a pass: deciding, finding the difference, and carrying it out. */
export const phases = ['resolve', 'plan', 'apply'] as const;

/** Milliseconds of each part. */
export type PhaseTimes = Readonly<Record<(typeof phases)[number], number>>;

/** What a plan is made of. */
export const operations = ['create', 'replace', 'delete'] as const;

/** What the kernel holds of ours. */
export type Holdings = {
  /** Units by kind: chains, maps, elements. */
  readonly units: ReadonlyMap<string, number>;
  /** Rules by iptables table; empty in nftables mode. */
  readonly rules: ReadonlyMap<string, number>;
};

/** What one pass came to in one family. */
export type Receipt = {
  readonly family: Family;
  readonly isFailed: boolean;
  /** The kernel was read and compared as a whole. */
  readonly isFull: boolean;
  readonly durationMs: number;
  readonly phaseMs: PhaseTimes;
  readonly operations: Readonly<Record<(typeof operations)[number], number>>;
  /** Rules written, by iptables table. */
  readonly rulesWritten: ReadonlyMap<string, number>;
  /** Services that keep their last good rules, now. */
  readonly quarantined: number;
  /** Addresses that a Service claims and an older one has, now. */
  readonly conflicts: number;
  /** What there was after the last pass that succeeded. */
  readonly holdings: Holdings;
  /** Service ports that have endpoints, but none here, where the policy wants them here. */
  readonly withoutLocal: Readonly<Record<LocalPolicy, number>>;
  /** How long ago the changes were triggered that are in the kernel since this pass, in seconds. */
  readonly programmingSeconds: readonly number[];
};

/** Which of the two policies is Local. */
export type LocalPolicy = 'internal' | 'external';

/** Changes that came and were not taken up yet. */
export type QueuedChanges = { readonly services: number; readonly slices: number };

/** Hears of passes. */
export interface PassMetrics {
  /** Changes came. */
  queued(changes: QueuedChanges): void;
  /** A pass begins, and takes up all of them. */
  taken(): void;
  passed(receipt: Receipt): void;
}

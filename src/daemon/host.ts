// What a daemon needs of the machine that it runs on, and of its time.
import type { Clock } from '../cluster/api/clock.ts';
import { systemClock } from '../cluster/api/clock.ts';
import { kernelFiles, type KernelFiles } from '../host/kernel/conntrack-sysctls.ts';
import { execLinesOnHost, type ExecLines } from '../host/tools/exec-lines.ts';
import { hostAddresses } from '../host/network/interfaces.ts';
import type { Listener } from '../host/network/listening-ports.ts';
import { readListeners } from '../host/network/listening-ports.ts';
import { giveBackMemory, keepGarbageSmall } from '../host/memory.ts';
import { hearTableChanges, type HearChanges } from '../host/netfilter/table-changes.ts';
import type { Ip } from '../model/ip.ts';

/** A machine, besides the tools that are run on it. */
export type Host = {
  readonly clock: Clock;
  /** Milliseconds since the epoch, as the machine's clock has them. */
  readonly nowMs: () => number;
  /** All addresses on its interfaces, now. */
  readonly hostIps: () => readonly Ip[];
  readonly readListeners: () => Promise<readonly Listener[]>;
  readonly execLines: ExecLines;
  readonly hearChanges: HearChanges;
  /** The kernel's settings. */
  readonly files: KernelFiles;
  readonly keepGarbageSmall: () => void;
  readonly giveBackMemory: () => void;
};

/** The machine that this process runs on. */
export const thisHost: Host = {
  clock: systemClock,
  nowMs: () => Date.now(),
  hostIps: hostAddresses,
  readListeners,
  execLines: execLinesOnHost,
  hearChanges: hearTableChanges,
  files: kernelFiles,
  keepGarbageSmall,
  giveBackMemory,
};

// What the flight recorder keeps of a pass, and a whole record as it is sent, saved and replayed: plain
// data, which goes through JSON as it is.
import type { Config, ProxyMode } from './config.ts';
import type { Family, Ip } from './ip.ts';
import type { ClusterChange, ClusterObject, ServiceKey } from './kubernetes.ts';
import type { operations, PhaseTimes } from './receipt.ts';

/** Who asked for a pass: objects that changed, this host, the configuration, a failure before it, or what others changed. */
export const askers = ['cluster', 'host', 'configuration', 'retry', 'drift'] as const;
export type Asker = (typeof askers)[number];

/** How many there are, and the names of the first. */
export type Named<T extends string = string> = {
  readonly count: number;
  readonly first: readonly T[];
};

/** The objects of one kind that came with a pass, by `namespace/name`. */
export type ChangedObjects = Named & { readonly kind: ClusterObject['kind'] };

/** A Service that a pass quarantined, and the first line of why. */
export type QuarantinedService = { readonly service: ServiceKey; readonly why: string };

/** A unit of a Program without its methods: all that it is made of. */
export type PlainUnit = {
  readonly id: string;
  readonly kind: string;
  readonly owner?: ServiceKey;
  readonly text: string;
};

/**
 * What the kernel was found to hold where it was read, as the difference from what it was to hold:
 * nothing, or these units missing and these in place of them or beside them; `unrecorded` where that
 * was too much to keep.
 */
export type Found =
  | { readonly kind: 'nothing' }
  | {
      readonly kind: 'differs';
      readonly missing: readonly string[];
      readonly present: readonly PlainUnit[];
    }
  | { readonly kind: 'unrecorded' };

/** What a pass came to in one family. */
export type FamilyRecord = {
  readonly family: Family;
  /** The kernel was read, and compared as a whole. */
  readonly isFull: boolean;
  /** The first line of why the kernel was not changed; absent where all went well. */
  readonly error?: string;
  readonly plan: Readonly<Record<(typeof operations)[number], number>>;
  /** The Services whose rules the plan touches. */
  readonly services: Named<ServiceKey>;
  /** Those that this pass quarantined; all of them are counted, the first have their reasons. */
  readonly quarantined: { readonly count: number; readonly first: readonly QuarantinedService[] };
  /** How many Services are quarantined, and how many addresses are in conflict, after it. */
  readonly notProgrammed: { readonly quarantined: number; readonly conflicts: number };
  readonly durationMs: number;
  readonly phaseMs: PhaseTimes;
  /** Of the plan, whatever its order; absent where the pass cannot be replayed. */
  readonly planDigest?: string;
  /** What was read, and the digest of all that was to be there: where `isFull`, and it can be replayed. */
  readonly kernel?: { readonly found: Found; readonly wholeDigest: string };
  /** The Services that the kernel's tool refused. */
  readonly refused?: readonly ServiceKey[];
};

/** One pass. */
export type PassRecord = {
  /** From 1, since the daemon began. */
  readonly number: number;
  /** When it ended, in milliseconds since the epoch. */
  readonly atMs: number;
  readonly asked: readonly Asker[];
  readonly changes: readonly ChangedObjects[];
  readonly families: readonly FamilyRecord[];
};

/** What a pass worked from, besides objects: positions in the lists of the record. */
export type RecordedInputs = { readonly config: number; readonly hostIps: number };

/** The changes that a pass took over, each object once: as it was after the pass. */
export type ReplayStep = RecordedInputs & {
  readonly number: number;
  readonly changes: readonly ClusterChange[];
};

/** Another number where the shape changes: who reads it may be of another version. */
export const flightRecordVersion = 2;

/** A whole record: the passes, and for the last of them all that they were made from. */
export type FlightRecord = {
  readonly version: typeof flightRecordVersion;
  /** Of Sluice. */
  readonly sluice: string;
  readonly mode: ProxyMode;
  readonly families: readonly Family[];
  readonly isTcpLiberal: boolean;
  readonly configs: readonly Config[];
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly (readonly Ip[])[];
  readonly passes: readonly PassRecord[];
  /** The objects before the first step. */
  readonly base: RecordedInputs & { readonly objects: readonly ClusterObject[] };
  /** The passes that can be replayed: the last ones, without a gap. */
  readonly steps: readonly ReplayStep[];
};

/** The path at which a daemon serves its record. */
export const passesPath = '/debug/passes';

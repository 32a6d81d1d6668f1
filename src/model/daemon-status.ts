// What a daemon reports of itself to `sluice status`: plain data, which goes through JSON as it is.
import type { ProxyMode } from './config.ts';
import type { ServiceKey } from './kubernetes.ts';
import type { QuarantinedService, PassRecord } from './pass-record.ts';
import type { AddressHolder, ConflictKind, Reason } from './reason.ts';
import type { ClusterReach, FamilyStatus } from './proxy-status.ts';

/** An address that a Service does not get, who has it, and why that one. */
export type AddressConflict = {
  readonly service: ServiceKey;
  /** As frontendId has it. */
  readonly address: string;
  readonly winner: AddressHolder;
  readonly reason: Reason<ConflictKind>;
};

/** One family that is looked after. */
export type FamilyState = FamilyStatus & {
  /** The first line of why the last pass left the kernel as it was; absent where it did not fail. */
  readonly error?: string;
  readonly services: number;
  readonly frontends: number;
  /** Distinct ones that get traffic. */
  readonly endpoints: number;
  /** All are counted, and the first of them listed. */
  readonly quarantined: { readonly count: number; readonly first: readonly QuarantinedService[] };
  readonly conflicts: { readonly count: number; readonly first: readonly AddressConflict[] };
};

/** What is wrong with objects, which are as they were before: all counted, and the first lines of them. */
export type Listed = { readonly count: number; readonly first: readonly string[] };

/** Where the objects come from. */
export type StatusSource = { readonly problems?: Listed } & (
  | { readonly kind: 'manifests'; readonly path: string }
  /** Without `reach` nothing was heard yet. */
  | { readonly kind: 'api-server'; readonly reach?: ClusterReach }
);

/** What can be wrong with a node as a whole, as the metric and Events name it. */
export const troubleKinds = ['NoNode', 'NodeAddresses', 'RepairLoop', 'OtherProxy'] as const;
export type TroubleKind = (typeof troubleKinds)[number];

/** What is wrong with this node, not with one Service or object, and what that means, in one line. */
export type NodeTrouble = { readonly kind: TroubleKind; readonly note: string };

/** Another number where the shape changes: who asks may be of another version. */
export const daemonStatusVersion = 4;

export type DaemonStatus = {
  readonly version: typeof daemonStatusVersion;
  /** Of Sluice. */
  readonly sluice: string;
  readonly node: string;
  readonly mode: ProxyMode;
  /** What was found of the tools at start, their versions first. */
  readonly tools: readonly string[];
  /** The kernel's release, such as `6.1.0-28-amd64`. */
  readonly kernel: string;
  /** Milliseconds since the epoch. */
  readonly startedAtMs: number;
  readonly nowMs: number;
  /** Of the process, resident, in bytes. */
  readonly memoryBytes: number;
  readonly source: StatusSource;
  readonly troubles: readonly NodeTrouble[];
  readonly families: readonly FamilyState[];
  /** How many passes there were, and the last of them, the latest first. */
  readonly passes: { readonly count: number; readonly last: readonly PassRecord[] };
};

/** The path at which a daemon serves it. */
export const statusPath = '/debug/status';

// How well the rules follow the cluster, as the health server reports it.
import type { Family } from './ip.ts';

/** One family that is looked after. */
export type FamilyStatus = {
  readonly family: Family;
  /** How long ago the kernel was last known to be in step, in milliseconds. */
  readonly sinceUpdateMs: number;
  /** No change waits too long. */
  readonly isHealthy: boolean;
};

/** How well the API server can be heard. Losing it is no fault of this node: the rules stay. */
export type ClusterReach = {
  /** Every resource is being watched. */
  readonly isConnected: boolean;
  /** When it became so, or was lost; milliseconds since the epoch. */
  readonly sinceMs: number;
};

/** What the health server answers from. */
export type ProxyStatus = {
  readonly families: readonly FamilyStatus[];
  /** The Node is known, is not being deleted, and is not about to be. */
  readonly isNodeEligible: boolean;
  /** Undefined where no API server is followed. */
  readonly cluster?: ClusterReach | undefined;
};

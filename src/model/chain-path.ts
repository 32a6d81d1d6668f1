// Which chains connections pass on their way to a Service's address, as the backend programs them.
import type { Frontend } from './forwarding.ts';

/** A chain in its table: `ip sluice` in nftables mode, `nat` or `filter` in iptables mode. */
export type ChainPlace = { readonly table: string; readonly chain: string };

/** Who connects: somebody outside, or a pod. */
export type ClientSide = 'outside' | 'pod';

/** The way of all connections of one client to one address, as far as they go the same way. */
export type ChainPath = {
  /** In order, up to where an endpoint is chosen or the connection is stopped. */
  readonly chains: readonly ChainPlace[];
  /** Where connections go that reach no endpoint; undefined if endpoints get them. */
  readonly stop: 'rejected' | 'dropped' | 'untouched' | undefined;
};

/** Finds the way to an address of one Service in one family. */
export type PathTo = (frontend: Frontend, client: ClientSide) => ChainPath;

// What a check comes to.
import type { NodeFacts } from './node-facts.ts';
import type { ProxyMode } from '../model/config.ts';

/** `unknown`: it could not be looked at. */
export type Status = 'ok' | 'warn' | 'fail' | 'unknown';

/** One thing that was looked at. */
export type Finding = {
  /** What was looked at, in one or two words. */
  readonly check: string;
  readonly status: Status;
  /** What was found, and what comes of it. */
  readonly finding: string;
  /** The command that mends it, as root on this node, or by kubectl; undefined where nothing is to do. */
  readonly fix?: string;
};

/** What is asked for beside the facts. */
export type Wanted = {
  readonly proxyMode: ProxyMode;
  /** The API server's --service-node-port-range. */
  readonly nodePorts: { readonly first: number; readonly last: number };
};

/** Judges facts. */
export type Check = (facts: NodeFacts, wanted: Wanted) => readonly Finding[];

/** How a package comes here, in front of its name. */
export const installWith = 'apt-get install -y --no-install-recommends';

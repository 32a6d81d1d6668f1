// What a check comes to.
import type { NodeFacts } from '../host/node-facts.ts';
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

/** A version as numbers: `nftables v1.0.6 (Lester Gooch)` is 1, 0, 6; undefined where there is none. */
export function versionIn(text: string): readonly number[] | undefined {
  const [, major, minor, patch = '0'] = /(\d+)\.(\d+)(?:\.(\d+))?/.exec(text) ?? [];
  return major === undefined ? undefined : [major, minor, patch].map(Number);
}

/** Whether a version is older than another one. */
export function isOlder(version: readonly number[], than: readonly number[]): boolean {
  const at = than.findIndex((part, index) => (version[index] ?? 0) !== part);
  return at >= 0 && (version[at] ?? 0) < (than[at] ?? 0);
}

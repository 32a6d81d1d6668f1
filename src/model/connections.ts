// New connections of Services, as a daemon reports them to `sluice top`: plain data, which goes through JSON
// as it is. Counts only grow while a daemon is asked again and again; whoever sees one shrink sees a
// counter that began anew.
import type { ProxyMode, ServiceCounters } from './config.ts';
import type { Family } from './ip.ts';
import type { Protocol, ServiceKey } from './kubernetes.ts';

/** One endpoint that gets connections; `connections` is absent where nothing counts them. */
export type EndpointConnections = {
  /** `ip:port`. */
  readonly endpoint: string;
  readonly isLocal: boolean;
  readonly connections?: number;
};

/** One Service port in one family. */
export type PortConnections = {
  readonly family: Family;
  readonly service: ServiceKey;
  readonly portName: string;
  readonly protocol: Protocol;
  /** At all its addresses; absent where nothing counts them. */
  readonly connections?: number;
  readonly endpoints: readonly EndpointConnections[];
  /** How many endpoints get none, for a Reason. */
  readonly skipped: number;
};

/** Another number where the shape changes: who asks may be of another version. */
export const connectionsVersion = 2;

export type Connections = {
  readonly version: typeof connectionsVersion;
  readonly mode: ProxyMode;
  /** What nftables counts; iptables counts everything. */
  readonly counters: ServiceCounters;
  /** When the kernel was read, in milliseconds on a clock that only goes forward. */
  readonly atMs: number;
  readonly ports: readonly PortConnections[];
};

/** The path at which a daemon serves them. */
export const connectionsPath = '/debug/connections';

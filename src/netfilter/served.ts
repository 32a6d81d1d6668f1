// What a Program does for the clients of Services, read back from its units: the same form whether the
// Program was compiled a moment ago, seen in a kernel or saved in a file. Each backend reads its own units.
import type { FrontendAddress } from '../model/forwarding.ts';
import type { Family } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';

/** What becomes of new connections: sent on, answered with an error, or left without an answer. */
export type Fate = 'forward' | 'reject' | 'drop';

/** One Service address, as the rules of one Program serve it. */
export type Served = {
  readonly family: Family;
  readonly address: FrontendAddress;
  readonly service: ServiceKey;
  /** '' where the port has no name. */
  readonly portName: string;
  readonly fate: Fate;
  /** `ip:port` of those that get connections, sorted; of pods and this node where `outside` is there. */
  readonly endpoints: readonly string[];
  /** Those that get connections from outside, where these are sent elsewhere; none: they are dropped. */
  readonly outside: readonly string[] | undefined;
  /** 0: no affinity. */
  readonly affinitySeconds: number;
  /** The only sources that may connect, in the backend's spelling; undefined where all may. */
  readonly allowFrom: readonly string[] | undefined;
  /** On which conditions clients' addresses are replaced, in the backend's spelling. */
  readonly masquerade: readonly string[];
};

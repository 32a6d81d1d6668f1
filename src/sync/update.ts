// What deciding again comes to, as data: for those who carry it out, and for those who follow.
import type { Change } from '../backends/backend.ts';
import type { ServiceForwarding } from '../model/forwarding.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Conflict } from '../resolve/claims.ts';

/** What deciding some Services again came to. */
export type Update<U extends Unit> = {
  readonly change: Change<U>;
  /** `change` is the whole difference; where not, only the kernel knows what there was. */
  readonly isTraceable: boolean;
  /** The Services that were decided again, also those that are gone. */
  readonly decided: ReadonlySet<ServiceKey>;
  /** Addresses that another Service has. */
  readonly conflicts: readonly Conflict[];
  /** Services that cannot be decided or spelled, and why: they keep what they had. */
  readonly faults: ReadonlyMap<ServiceKey, Error>;
};

/** What the Services that were touched meant before, and mean now; one that means nothing is absent. */
export type Settled = {
  readonly before: readonly ServiceForwarding[];
  readonly after: readonly ServiceForwarding[];
};

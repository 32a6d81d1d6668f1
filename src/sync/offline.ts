// The same arrows without the loop: a set of objects in, what every family's kernel should hold out.
import type { Assembler } from '../backends/backend.ts';
import { ClusterState } from '../cluster/state.ts';
import type { Family } from '../model/ip.ts';
import type { ClusterObject, ServiceKey } from '../model/kubernetes.ts';
import type { Unit } from '../netfilter/program.ts';
import type { LostClaim } from '../resolve/claims.ts';
import type { DesiredInputs } from './desired.ts';
import { Desired } from './desired.ts';

/** What one family's kernel should hold for a set of objects. */
export type DesiredFamily<U extends Unit> = {
  readonly family: Family;
  readonly desired: Desired<U>;
  readonly lost: readonly LostClaim[];
  /** Services that no rules could be made for, and why; they have none. */
  readonly faults: ReadonlyMap<ServiceKey, Error>;
};

/** Decides and compiles all objects at once. */
export function desiredOf<U extends Unit>(
  backend: Assembler<U>,
  objects: Iterable<ClusterObject>,
  from: Omit<DesiredInputs, 'state'> & { readonly families: readonly Family[] },
): readonly DesiredFamily<U>[] {
  const { config, families, hostIps, isTcpLiberal = false } = from;
  const state = new ClusterState(config.nodeName);
  state.apply([...objects].map((object) => ({ op: 'set', object })));
  return families.map((family) => {
    const desired = new Desired(backend, family, { config, state, hostIps, isTcpLiberal });
    const { lost, faults } = desired.update(new Set(state.serviceKeys));
    return { family, desired, lost, faults };
  });
}

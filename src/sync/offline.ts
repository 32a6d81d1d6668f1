// The same arrows without the loop: a set of objects in, what was decided of them in every family out; and, for a
// backend, what its kernel should hold.
import { buildParts } from '../../rules/index.ts';
import type { Assembler } from '../backends/backend.ts';
import { ClusterState } from '../cluster/state.ts';
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { ClusterObject, ServiceKey } from '../model/kubernetes.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Ruleset } from '../netfilter/trace.ts';
import type { Conflict } from '../resolve/claims.ts';
import { resolveContext } from '../resolve/context.ts';
import { Decisions } from './decisions.ts';
import type { DesiredInputs } from './desired.ts';
import { Desired, settingsOf } from './desired.ts';

/** What one family's kernel should hold for a set of objects. */
export type DesiredFamily<U extends Unit> = {
  readonly family: Family;
  /** The objects, as they are looked up. */
  readonly state: ClusterState;
  readonly desired: Desired<U>;
  readonly conflicts: readonly Conflict[];
  /** Services that no rules could be made for, and why; they have none. */
  readonly faults: ReadonlyMap<ServiceKey, Error>;
};

/** A state that has these objects. */
function stateOf(objects: Iterable<ClusterObject>, { nodeName }: Config): ClusterState {
  const state = new ClusterState(nodeName);
  state.apply([...objects].map((object) => ({ op: 'set', object })));
  return state;
}

/** Decides and compiles all objects at once. */
export function desiredOf<U extends Unit>(
  backend: Assembler<U>,
  objects: Iterable<ClusterObject>,
  from: Omit<DesiredInputs, 'state'> & { readonly families: readonly Family[] },
): readonly DesiredFamily<U>[] {
  const state = stateOf(objects, from.config);
  return from.families.map((family) => {
    const desired = new Desired(backend, family, { ...from, state });
    const { conflicts, faults } = desired.update(new Set(state.serviceKeys));
    return { family, state, desired, conflicts, faults };
  });
}

/** What a ruleset is made for. */
export type RulesetInputs = {
  readonly config: Config;
  readonly family: Family;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

/** Decides and builds all objects for one family; `config.proxyMode` says for which backend. */
export function rulesetOf(
  objects: readonly ClusterObject[],
  { config, family, hostIps }: RulesetInputs,
): Ruleset {
  const state = stateOf(objects, config);
  const settings = settingsOf({ config, state, hostIps: () => hostIps }, family);
  const context = resolveContext(config, state.node, family);
  const keys = new Set(state.serviceKeys);
  const { rules } = new Decisions(state).update(keys, { context, settings });
  const services = [...rules.values()].filter((service) => service !== undefined);
  return { parts: buildParts(settings), services, hostIps };
}

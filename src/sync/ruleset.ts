// The rule book for a set of objects, as the tracer takes it: the same arrows, cut before a backend
// spells them.
import { buildParts, buildService } from '../../rules/index.ts';
import type { Assembler } from '../backends/backend.ts';
import { ClusterState } from '../cluster/state.ts';
import type { Config } from '../model/config.ts';
import type { Family, Ip } from '../model/ip.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { Ruleset } from '../netfilter/trace.ts';
import { resolveSettings } from '../resolve/settings.ts';
import { desiredOf } from './offline.ts';

/** What a ruleset is made for. */
export type RulesetInputs = {
  readonly config: Config;
  readonly family: Family;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
};

// What the rules are, and not how a backend spells them, is asked here.
const nothing: Assembler = {
  assemble: () => ({
    replace: () => ({ before: new Map(), after: new Map() }),
    units: () => [],
    whole: () => new Map(),
  }),
};

/** Decides and builds all objects for one family; `config.proxyMode` says for which backend. */
export function rulesetOf(
  objects: readonly ClusterObject[],
  { config, family, hostIps }: RulesetInputs,
): Ruleset {
  const state = new ClusterState(config.nodeName);
  state.apply(objects.map((object) => ({ op: 'set', object })));
  const { node, serviceCidrs } = state;
  const settings = resolveSettings(config, { node, serviceCidrs, hostIps }, family);
  const from = { config, families: [family], hostIps: () => hostIps };
  const [table] = desiredOf(nothing, objects, from);
  const forwarding = [...(table?.desired.forwarding.values() ?? [])];
  const services = forwarding.map((service) => buildService(service, settings));
  return { parts: buildParts(settings), services, hostIps };
}

// All that an answer is made from: the objects, what was decided of them, and the rules for that, of one
// family on one node. Pure.
import { buildParts, buildService } from '../../rules/index.ts';
import { withPureBackend } from '../backends/index.ts';
import type { Aside } from '../cluster/decode/aside.ts';
import type { Config } from '../model/config.ts';
import type { Frontend } from '../model/forwarding.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Family, Ip } from '../model/ip.ts';
import type {
  ClusterObject,
  EndpointSlice,
  Service,
  ServiceCidr,
  ServiceKey,
} from '../model/kubernetes.ts';
import type { FamilySettings } from '../model/settings.ts';
import type { Ruleset } from '../netfilter/trace.ts';
import type { Conflict } from '../resolve/claims.ts';
import type { DetectedPods } from '../resolve/pod-source.ts';
import { detectedPods } from '../resolve/pod-source.ts';
import { desiredOf } from '../sync/offline.ts';
import type { RuleTracer } from '../backends/rules-met.ts';

/** One family, as this node sees it. */
export type World = {
  readonly family: Family;
  readonly config: Config;
  readonly settings: FamilySettings;
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
  /** What marks a packet as a pod's. */
  readonly pods: DetectedPods;
  readonly serviceCidrs: readonly ServiceCidr[];
  readonly services: ReadonlyMap<ServiceKey, Service>;
  readonly slicesOf: (service: ServiceKey) => readonly EndpointSlice[];
  /** By frontendId; each address has one owner. */
  readonly frontends: ReadonlyMap<string, Frontend>;
  /** What no rule is made of. */
  readonly asides: readonly Aside[];
  /** Addresses that another Service claims as well, in vain. */
  readonly conflicts: readonly Conflict[];
  readonly ruleset: Ruleset;
  /** The same, as the backend spells it. */
  readonly rules: RuleTracer;
};

/** What a world is made of. */
export type WorldInputs = {
  readonly config: Config;
  readonly family: Family;
  readonly hostIps: readonly Ip[];
  readonly asides?: readonly Aside[];
};

/** Decides and spells all objects for one family. */
export function worldOf(objects: readonly ClusterObject[], inputs: WorldInputs): World {
  const { config, family, hostIps, asides = [] } = inputs;
  const from = { config, families: [family], hostIps: (): readonly Ip[] => hostIps };
  return withPureBackend(config, (backend) => {
    const [made] = desiredOf(backend, objects, from);
    if (made === undefined) throw new Error('one family gives one answer');
    const { state, desired, conflicts } = made;
    const { settings } = desired;
    const forwarding = [...desired.decisions.forwarding()];
    const frontends = forwarding.flatMap((service) => service.frontends);
    const services = forwarding.map((service) => buildService(service, settings));
    return {
      family,
      config,
      settings,
      hostIps,
      pods: detectedPods(config, state.node, family),
      serviceCidrs: state.serviceCidrs,
      services: new Map([...state.serviceKeys].flatMap((key) => entryOf(key, state.service(key)))),
      slicesOf: (service) => state.slices(service).filter((slice) => slice.family === family),
      frontends: new Map(frontends.map((frontend) => [frontendId(frontend.address), frontend])),
      asides,
      conflicts,
      ruleset: { parts: buildParts(settings), services, hostIps },
      rules: lazily(() => backend.tracer(desired.whole(), { family, hostIps })),
    };
  });
}

function entryOf<V>(key: ServiceKey, value: V | undefined): readonly (readonly [ServiceKey, V])[] {
  return value === undefined ? [] : [[key, value]];
}

// Reading all rules back takes a while where there are many, and not every question needs it.
function lazily(make: () => RuleTracer): RuleTracer {
  let tracer: RuleTracer | undefined;
  return (packet) => (tracer ??= make())(packet);
}

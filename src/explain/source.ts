// Whether the endpoint sees the client's own address, and by which field. Pure.
import type { Frontend, Pool } from '../model/forwarding.ts';
import type { Service } from '../model/kubernetes.ts';
import type { Packet } from '../netfilter/trace.ts';
import type { ClientSide } from './client.ts';
import { podCause } from './client.ts';
import type { Decision, SourceKind } from './explanation.ts';
import { named } from './frontend.ts';
import type { World } from './world.ts';

/** What the source address depends on. */
export type SourceChoice = {
  readonly frontend: Frontend;
  readonly service: Service;
  readonly client: ClientSide;
  readonly pool: Pool;
};

/** The decisions on the source address; none where nothing is forwarded. */
export function sourceDecisions(
  world: World,
  packet: Packet,
  choice: SourceChoice,
): readonly Decision[] {
  if (choice.pool.members.length === 0) return [];
  const first = choice.frontend.kind === 'ClusterIP' ? internal(world, choice) : external(choice);
  const isKept = first.kind === 'keep-pod' || first.kind.startsWith('keep');
  return [first, ...(isKept ? hairpin(world, packet, choice.pool) : [])];
}

function internal(world: World, { client }: SourceChoice): Decision {
  const { masqueradeAll } = world.settings;
  if (masqueradeAll) {
    return decision('masquerade-all', 'configuration', ['masqueradeAll', 'true']);
  }
  const cause = podCause(world);
  if (client.isPod === undefined) return { kind: 'keep-undetected', cause };
  return { kind: client.isPod ? 'keep-pod' : 'masquerade-outside', cause };
}

function external({ service, client }: SourceChoice): Decision {
  const field = 'spec.externalTrafficPolicy';
  const policy = service.externalTrafficPolicy;
  const kind = policy === 'Cluster' ? 'masquerade-external' : localKind(client);
  return decision(kind, named(service), [field, policy]);
}

function localKind({ isNode, isPod }: ClientSide): SourceKind {
  if (isPod === true) return 'keep-pod';
  return isNode ? 'masquerade-node' : 'keep-local';
}

// Without it the endpoint would answer itself directly, past the translation.
function hairpin({ settings }: World, { source }: Packet, { members }: Pool): readonly Decision[] {
  const isHairpin = members.some(
    ({ ip, isLocal }) => ip === source && (isLocal || settings.hairpins === 'all'),
  );
  return isHairpin
    ? [decision('masquerade-hairpin', 'the endpoint itself', ['address', source])]
    : [];
}

function decision(
  kind: SourceKind,
  object: string,
  [field, value]: readonly [field: string, value: string],
): Decision {
  return { kind, cause: { object, field, value } };
}

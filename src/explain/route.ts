// What the route of a frontend says of one packet: the endpoints that count, and the source that they see. Pure.
import type { Pool, Route, Sender } from '../model/forwarding.ts';
import type { PolicyKind, Reason } from '../model/reason.ts';
import type { Packet, Verdict } from '../netfilter/trace.ts';
import type { Decision } from './explanation.ts';
import type { World } from './world.ts';

/** The endpoints for one sender, and the policy that says so. */
export type Choice = { readonly pool: Pool; readonly policy: Reason<PolicyKind> };

/** Policy Local asks where a packet comes from. */
export function choiceFor(route: Route, sender: Sender): Choice {
  const isShortCut = route.kind === 'forward-local' && sender !== 'outside';
  if (!isShortCut) return route;
  return { pool: route.cluster, policy: { ...route.policy, kind: 'short-circuit' } };
}

/** The decisions over endpoints, in the order in which they are made. */
export function choiceDecisions({ pool, policy }: Choice, verdict: Verdict): readonly Decision[] {
  return [
    policy,
    ...pool.reasons.map(({ kind, ...cause }): Decision =>
      kind === 'no-endpoints' || kind === 'no-local-endpoints'
        ? { kind, ...cause, verdict }
        : { kind, ...cause },
    ),
  ];
}

/** The decisions on the source address; none where nothing is forwarded. */
export function sourceDecisions(
  { settings }: World,
  { source }: Packet,
  { route, sender }: { readonly route: Route; readonly sender: Sender },
): readonly Decision[] {
  const { members } = choiceFor(route, sender).pool;
  if (members.length === 0 || !('source' in route)) return [];
  const { object: read, field: of, value } = route.sourceCause;
  const reason = { kind: route.source[sender], object: read, field: of, value };
  const isHairpin = members.some(
    ({ ip, isLocal }) => ip === source && (isLocal || settings.hairpins === 'all'),
  );
  if (!reason.kind.startsWith('keep') || !isHairpin) return [reason];
  const [object, field] = ['the endpoint itself', 'address'] as const;
  return [reason, { kind: 'masquerade-hairpin', object, field, value: source }];
}

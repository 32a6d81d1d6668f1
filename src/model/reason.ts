// Why something was decided: which field of which object says so; and words for those reasons that several commands print.

import type { ServiceKey } from './kubernetes.ts';

/** What a decision rests on: `Service web/shop`, `spec.internalTrafficPolicy`, `Local`. */
export type Cause = {
  /** Kind and name of the object, or what else was looked at. */
  readonly object:
    | `${'Service' | 'EndpointSlice' | 'Node' | 'ServiceCIDR' | 'address'} ${string}`
    | 'configuration'
    | 'this node'
    | 'the endpoint itself';
  /** '' where the object as a whole is meant. */
  readonly field: string;
  /** '' where what counts is that there is none. */
  readonly value: string;
};

/** A decision by its kind, and its cause. */
export type Reason<K extends string = string> = Cause & { readonly kind: K };

/** Why an endpoint gets no traffic. */
export type SkipKind =
  /** It is loopback, unspecified or multicast: from another node, nothing would answer there. */
  | 'special-address'
  | 'not-ready'
  | 'terminating-beside-ready'
  | 'terminating-not-serving'
  /** The traffic policy is Local and the endpoint is on another node, or its node is not known. */
  | 'not-local'
  /** All endpoints have hints and some are meant for this zone (or node), but not this one. */
  | 'other-zone'
  | 'other-node';

/** What a pool's endpoints were chosen by, besides their conditions. */
export type PoolKind =
  /** Every ready endpoint has a hint, and some are for this node, or for its zone: only those count. */
  | 'node-hints'
  | 'zone-hints'
  /** None is ready: those that are terminating but still serve are used. */
  | 'draining'
  | 'no-endpoints'
  | 'no-local-endpoints'
  | 'affinity';

/** Which endpoints count at a frontend, of all that there are. */
export type PolicyKind =
  | 'policy-cluster'
  | 'policy-local'
  /** externalTrafficPolicy Local: for clients outside. */
  | 'policy-local-outside'
  /** The same does not bind pods and this node itself. */
  | 'short-circuit';

/** What the endpoint sees as source. */
export type SourceKind =
  | 'masquerade-all'
  | 'masquerade-outside'
  | 'masquerade-external'
  | 'masquerade-node'
  | 'masquerade-hairpin'
  | 'keep-pod'
  | 'keep-local'
  | 'keep-undetected';

/** Whom an address is open to: a range, the address itself where this node may use it, or everybody. */
export type OpenToKind = 'source-range' | 'own-address' | 'open-to-all';

/** What has an address where no Service has it. */
export const apiServer = 'the API server';

/** Who has an address that a Service claims. */
export type AddressHolder = ServiceKey | typeof apiServer;

/** Why an address that two Services claim is the one's. */
export type ConflictKind =
  /** This node reaches the API server there, and would lose it. */
  | 'is-api-server'
  /** The API server allocated it: to nobody else. */
  | 'is-cluster-ip'
  | 'is-node-port'
  /** It is in its status, which only who may give out addresses should write; the other names it in externalIPs. */
  | 'is-load-balancer'
  /** It was created first. */
  | 'older'
  /** It alone has a creation time: a manifest that has none counts as younger. */
  | 'has-creation-time'
  /** Neither is older; its `namespace/name` sorts first. */
  | 'name-sorts-first';

/** Why an endpoint gets no traffic, for all that print it. */
export const skipWords: Readonly<Record<SkipKind, string>> = {
  'special-address': 'its address is loopback, unspecified or multicast',
  'not-ready': 'not ready',
  'terminating-beside-ready': 'terminating, and others are ready',
  'terminating-not-serving': 'terminating, and no longer serving',
  'not-local': 'not on this node',
  'other-zone': 'meant for another zone',
  'other-node': 'meant for another node',
};

const conflictWords: Readonly<Record<ConflictKind, string>> = {
  'is-api-server': 'has it: this node reaches it there',
  'is-cluster-ip': 'has it as its ClusterIP',
  'is-node-port': 'has it as its node port',
  'is-load-balancer': 'has it as the address of its load balancer',
  older: 'is older and has it',
  'has-creation-time': 'has it: it has a creation time, the other has none',
  'name-sorts-first': 'has it: neither is older, and its namespace/name sorts first',
};

/** Who has an address that two Services claim, and why; `owner` is the Service, or words for it. */
export function conflictText(owner: string, { kind }: Pick<Reason<ConflictKind>, 'kind'>): string {
  return `${owner} ${conflictWords[kind]}`;
}

// The answer to "what becomes of this packet, and why?" as data: every decision with the object and the
// field that caused it. Words for it are the command's.
import type { Endpoint, FrontendKind, Reason } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import type { Protocol, ServiceKey, TrafficPolicy } from '../model/kubernetes.ts';
import type { Packet, Verdict } from '../netfilter/trace.ts';
import type { MetRule } from '../backends/rules-met.ts';

/** What a decision rests on: `Service web/shop`, `spec.internalTrafficPolicy`, `Local`. */
export type Cause = {
  readonly object: string;
  /** '' where the object as a whole is meant. */
  readonly field: string;
  /** '' where what counts is that nothing stands there. */
  readonly value: string;
};

/** One decision. Those without more fields say all by their kind and cause. */
export type Decision = { readonly cause: Cause } & (
  | { readonly kind: ClientKind | SourceKind | PlainKind }
  | { readonly kind: 'frontend'; readonly frontend: FrontendKind }
  | { readonly kind: 'node-port-address'; readonly takes: boolean }
  /** An address that another Service claims as well, in vain. */
  | { readonly kind: 'claimed-too'; readonly loser: ServiceKey }
  | { readonly kind: 'source-ranges'; readonly allows: boolean }
  | {
      readonly kind: 'policy';
      readonly policy: TrafficPolicy;
      readonly of: 'internal' | 'external';
    }
  /** externalTrafficPolicy Local does not bind pods and the node itself. */
  | { readonly kind: 'short-circuit'; readonly client: 'pod' | 'node' }
  | { readonly kind: 'hints'; readonly by: 'node' | 'zone' }
  | { readonly kind: 'affinity'; readonly seconds: number }
  | { readonly kind: 'no-endpoints' | 'no-local-endpoints'; readonly verdict: Verdict }
  | { readonly kind: 'unused-port' | 'unallocated'; readonly verdict: Verdict }
);

/** Who sends. */
export type ClientKind = 'from-node' | 'from-pod' | 'from-outside' | 'pods-unknown';

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

type PlainKind =
  | 'service-port'
  /** None is ready: those that end but still serve are used. */
  | 'draining'
  /** Accepted ahead of the host's own rules: a load balancer asks for this node's health. */
  | 'health-check-port'
  | 'localnet'
  /** Sent to an endpoint, and stopped there by what the rules say of that address. */
  | 'endpoint-stopped'
  | 'not-ours';

/** How the connection may go on, and what its first packet looks like then. */
export type End = {
  readonly verdict: Verdict | 'unknown';
  /** Where a forwarded connection goes. */
  readonly endpoint: Pick<Endpoint, 'ip' | 'port'> | undefined;
  /** The part of all such connections, above 0 and up to 1. */
  readonly share: number;
  /** Undefined where it goes nowhere. */
  readonly after: PacketAfter | undefined;
};

/** A packet behind all rules. */
export type PacketAfter = {
  /** `node`: an address of this node, that of the interface towards the destination. */
  readonly source: Ip | 'node';
  readonly destination: Ip;
  readonly port: number;
};

/** An endpoint, and where it is written. */
export type ExplainedEndpoint = {
  readonly ip: Ip;
  readonly port: number;
  readonly isLocal: boolean;
  /** '' where it is not known. */
  readonly nodeName: string;
  /** `namespace/name`. */
  readonly slice: string;
};

/** The endpoints that were looked at. */
export type ExplainedPool = {
  readonly policy: TrafficPolicy;
  readonly members: readonly (ExplainedEndpoint & { readonly share: number })[];
  readonly excluded: readonly (ExplainedEndpoint & {
    readonly reason: Reason;
    readonly cause: Cause;
  })[];
};

/** A Service that the packet just misses. */
export type NearMiss = {
  readonly kind:
    | 'other-port'
    | 'other-protocol'
    | 'node-port-elsewhere'
    | 'its-endpoint'
    | 'headless'
    | 'external-name'
    | 'other-proxy'
    | 'no-address';
  readonly service: string;
  /** What it has in place of what was asked for, such as `tcp 443`; '' where it has nothing. */
  readonly has: string;
  readonly cause: Cause;
};

export type Explanation = {
  readonly packet: Packet;
  /** Whose address it is for. */
  readonly service: { readonly key: ServiceKey; readonly portName: string } | undefined;
  readonly verdict: Verdict | 'unknown' | 'mixed';
  readonly decisions: readonly Decision[];
  readonly pool: ExplainedPool | undefined;
  /** What the rules, as the backend spells them, do with it; shares add up to 1. */
  readonly ends: readonly End[];
  readonly rules: readonly MetRule[];
  readonly nearMisses: readonly NearMiss[];
  /** Where the rules do otherwise than was decided, which is by design or a fault. */
  readonly decided: readonly End[] | undefined;
};

/** Protocol and port as people write them. */
export function portText(protocol: Protocol, port: number): string {
  return `${protocol} ${port}`;
}

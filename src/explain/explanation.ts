// The answer to "what becomes of this packet, and why?" as data: every decision with the object and the
// field that caused it. Words for it are the command's.
import type { Endpoint, FrontendKind } from '../model/forwarding.ts';
import type { Ip } from '../model/ip.ts';
import type { Protocol, ServiceKey, TrafficPolicy } from '../model/kubernetes.ts';
import type {
  Cause,
  ConflictKind,
  OpenToKind,
  PolicyKind,
  PoolKind,
  Reason,
  SkipKind,
  SourceKind,
} from '../model/reason.ts';
import type { Packet, Verdict } from '../netfilter/trace.ts';
import type { MetRule } from '../backends/rules-met.ts';

/** One decision. Most of them are the reasons of what was decided, as they are. */
export type Decision =
  | Reason<PlainKind>
  /** What ends a packet, and how it ends. */
  | (Reason<EndKind> & { readonly verdict: Verdict })
  /** An address that another Service claims as well, in vain. */
  | (Reason<ConflictKind> & { readonly loser: ServiceKey });

/** Who sends. */
export type ClientKind = 'from-node' | 'from-pod' | 'from-outside' | 'pods-unknown';

/** Those that say all by their kind and cause. */
export type PlainKind =
  | ClientKind
  | FrontendKind
  | OpenToKind
  | PolicyKind
  | Exclude<PoolKind, EndKind>
  | SourceKind
  | 'service-port'
  | 'node-ports-answer'
  | 'no-node-ports-answer'
  | 'source-refused'
  /** Accepted ahead of the host's own rules: a load balancer asks for this node's health. */
  | 'health-check-port'
  | 'localnet'
  | 'not-ours';

/** Why a packet goes to no endpoint; or goes to one, and is stopped at the address that it has then. */
export type EndKind = StopKind | `endpoint-${StopKind | 'stopped'}`;

export type StopKind = 'no-endpoints' | 'no-local-endpoints' | 'unused-port' | 'unallocated';

/** How the connection may go on, and what its first packet looks like then. */
export type End = {
  readonly verdict: Verdict | 'unknown';
  /** Where a forwarded connection goes, and one that is stopped on the way there. */
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
  readonly skipped: readonly (ExplainedEndpoint & { readonly reason: Reason<SkipKind> })[];
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

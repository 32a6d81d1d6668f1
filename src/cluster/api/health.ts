// How well the cluster can be heard, as data: what the reflectors report in, one state out. Pure.
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { ReflectorEvent } from './watch/reflector-event.ts';

type Kind = ClusterObject['kind'];

/** How well the API server can be heard. Losing it is no fault of this node: the rules stay. */
export type ClusterHealth = {
  /** Every resource was listed at least once. */
  readonly isListed: boolean;
  /** Every resource is being watched now. */
  readonly isConnected: boolean;
  /** When it became so, or when it was lost; milliseconds since the epoch. */
  readonly sinceMs: number;
  /** What went wrong last; undefined while connected. */
  readonly lastError: string | undefined;
  /** When the server was last heard; milliseconds since the epoch, 0 before that. */
  readonly lastHeardMs: number;
};

/** What is known of each resource. */
export type Hearing = {
  readonly listed: ReadonlySet<Kind>;
  readonly connected: ReadonlySet<Kind>;
  /** What went wrong since every resource was watched, each message once. */
  readonly errors: ReadonlySet<string>;
  readonly health: ClusterHealth;
};

/** Before anything was heard. */
export function unheard(nowMs: number): Hearing {
  const health = {
    isListed: false,
    isConnected: false,
    sinceMs: nowMs,
    lastError: undefined,
    lastHeardMs: 0,
  };
  return { listed: new Set(), connected: new Set(), errors: new Set(), health };
}

/** What is known after an event; the same value where it changes nothing. */
export function hearingAfter(
  before: Hearing,
  {
    kind,
    event,
    nowMs,
    resources,
  }: {
    readonly kind: Kind;
    readonly event: ReflectorEvent;
    readonly nowMs: number;
    /** How many resources there are. */
    readonly resources: number;
  },
): Hearing {
  const isHeard = ['listed', 'watching', 'heard', 'absent'].includes(event.kind);
  if (!isHeard && event.kind !== 'failed') return before;
  const isListing = event.kind === 'listed' || event.kind === 'absent';
  const listed = isListing ? new Set([...before.listed, kind]) : before.listed;
  const others = [...before.connected].filter((other) => other !== kind);
  const connected = new Set(isHeard ? [...others, kind] : others);
  const isConnected = connected.size === resources;
  const { health } = before;
  return {
    listed,
    connected,
    errors: errorsAfter(before.errors, event, isConnected),
    health: {
      isListed: listed.size === resources,
      isConnected,
      sinceMs: isConnected === health.isConnected ? health.sinceMs : nowMs,
      lastError: errorAfter(health, event, isConnected),
      lastHeardMs: isHeard ? nowMs : health.lastHeardMs,
    },
  };
}

// As many as anybody reads.
const mostErrors = 100;

function errorsAfter(
  errors: ReadonlySet<string>,
  event: ReflectorEvent,
  isConnected: boolean,
): ReadonlySet<string> {
  if (isConnected) return new Set();
  if (event.kind !== 'failed' || errors.size >= mostErrors) return errors;
  return new Set([...errors, event.error.message]);
}

function errorAfter(
  { lastError }: ClusterHealth,
  event: ReflectorEvent,
  isConnected: boolean,
): string | undefined {
  if (event.kind === 'failed') return event.error.message;
  return isConnected ? undefined : lastError;
}

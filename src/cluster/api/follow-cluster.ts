// A cluster as a source of changes: the first batch when every first list is in, then what happens, one
// batch for each turn of the event loop. Nothing the server does or fails to do ends it.
import type { Logger } from 'pino';
import type { ApiServer, ClusterChange, Node } from '../../model/kubernetes.ts';
import { systemClock, type Clock } from './clock.ts';
import type { ApiConnection } from './connection/connection.ts';
import { hearingAfter, unheard, type ClusterHealth } from './health.ts';
import { logEvent } from './log-event.ts';
import { Outbox, type Deliver } from './outbox.ts';
import { Reflector } from './watch/reflector.ts';
import type { ReflectorEvent } from './watch/reflector-event.ts';
import { resourcesOf, type Resource } from './watch/resources.ts';
import { defaultTiming, type Timing } from './timing.ts';

export type ClusterSource = {
  readonly connection: ApiConnection;
  readonly nodeName: string;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Called when the health changes; `lastHeardMs` alone is no change. */
  readonly onHealth?: (health: ClusterHealth) => void;
  /** Everything that the reflectors report; metrics are made of it. */
  readonly onEvent?: (kind: Resource['kind'], event: ReflectorEvent) => void;
  /** Whether the Node has what the proxy needs of it; until then the first batch waits a while. */
  readonly isNodeReady?: (node: Node | undefined) => boolean;
  /** How long the first batch waits for that after all lists are in. */
  readonly nodeWaitMs?: number;
  readonly clock?: Clock;
  readonly random?: () => number;
  readonly timing?: Timing;
};

/** Delivers what the API server says until the signal comes. The connection is closed then. */
export async function followCluster(source: ClusterSource, deliver: Deliver): Promise<void> {
  const { connection, nodeName, signal } = source;
  const failed = new AbortController();
  const ending = AbortSignal.any([signal, failed.signal]);
  const outbox = new Outbox({ ...source, signal: ending }, deliver);
  connection.onPeer = () => outbox.put([apiServerAt(connection.peers)]);
  const resources = resourcesOf(nodeName);
  let hearing = unheard((source.clock ?? systemClock).now());
  const hear = (kind: Resource['kind'], event: ReflectorEvent): void => {
    const nowMs = (source.clock ?? systemClock).now();
    const before = hearing;
    hearing = hearingAfter(before, { kind, event, nowMs, resources: resources.length });
    logEvent(source.log, { kind, event, before, now: hearing });
    source.onEvent?.(kind, event);
    if (hasChanged(before.health, hearing.health)) source.onHealth?.(hearing.health);
    if (hearing.health.isListed) outbox.open();
    const isBack = hearing.connected.has(kind) && !before.connected.has(kind);
    if (isBack) for (const reflector of reflectors) reflector.endOutage();
  };
  const reflectors = resources.map(
    (resource) =>
      new Reflector({
        connection,
        resource,
        signal: ending,
        onChanges: (changes, version) => outbox.put(changes, `${resource.kind} ${version}`),
        onEvent: (event) => hear(resource.kind, event),
        clock: source.clock ?? systemClock,
        random: source.random ?? Math.random,
        timing: source.timing ?? defaultTiming,
      }),
  );
  // Whichever breaks ends the others: a proxy that follows three resources of four must not look alive.
  const parts = [...reflectors.map((reflector) => reflector.run()), outbox.run()];
  try {
    await Promise.all(parts);
  } finally {
    failed.abort();
    await Promise.allSettled(parts);
    connection.close();
  }
}

/** Where the API server was reached, as what it says: no Service may take that from the node. */
export function apiServerAt(addresses: ApiServer['addresses']): ClusterChange & { op: 'set' } {
  return { op: 'set', object: { kind: 'APIServer', id: '', value: { addresses } } };
}

function hasChanged(before: ClusterHealth, now: ClusterHealth): boolean {
  return (
    before.isListed !== now.isListed ||
    before.isConnected !== now.isConnected ||
    before.lastError !== now.lastError
  );
}

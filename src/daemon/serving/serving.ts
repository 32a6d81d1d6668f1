// What `sluice run` serves beside the rules: health, metrics, and what both are made of.
import type { Logger } from 'pino';
import type { PureBackend } from '../../backends/backend.ts';
import type { ClusterHealth } from '../../cluster/api/health.ts';
import type { ReflectorEvent } from '../../cluster/api/watch/reflector-event.ts';
import type { ClusterState } from '../../cluster/state.ts';
import { resolvedDocument } from '../../config/resolved-document.ts';
import { BindError } from '../../errors.ts';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { Config } from '../../model/config.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { ClusterReach } from '../../model/proxy-status.ts';
import type { Counted } from '../../netfilter/counted.ts';
import type { Unit } from '../../netfilter/program.ts';
import { healthAnswerer } from '../../serve/health.ts';
import { serve, type ServeOptions } from '../../serve/http-server.ts';
import { metricsAnswerer } from '../../serve/metrics-pages.ts';
import { createMetrics, type Metrics } from '../../serve/metrics/metrics.ts';
import { cannotServeEvent } from '../events/proxy-events.ts';
import { createTold, type Told } from './pages.ts';
import { PassObserver } from '../receipts/observe-pass.ts';
import type { ProxyHealth } from './proxy-health.ts';
import type { Reconciler } from '../../sync/reconcile.ts';

/** What is needed to serve. */
export type ServingOptions<U extends Unit> = {
  readonly config: Config;
  readonly version: string;
  readonly families: readonly Family[];
  readonly state: ClusterState;
  readonly reconciler: Reconciler<U>;
  readonly backend: PureBackend<U>;
  readonly health: ProxyHealth;
  /** All addresses on the host's interfaces, now. */
  readonly hostIps: () => readonly Ip[];
  readonly isTcpLiberal: boolean;
  /** What was found of the tools at start, their versions first. */
  readonly findings: readonly string[];
  /** Where the objects come from; undefined: the API server. */
  readonly manifests: string | undefined;
  /** Reads what the kernel counted. */
  readonly connections: (family: Family) => Promise<readonly Counted[]>;
  /** Of how many Service ports they are metrics too. */
  readonly connectionMetrics: number;
  readonly statusPage: boolean;
  /** Nothing is served, and the observer keeps what it sees to itself. */
  readonly dryRun: boolean;
  readonly record: RecordEvent;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** The servers, and who tells them what to say. */
export type Serving<U extends Unit> = {
  /** Is to be told of changes and of passes. */
  readonly observer: PassObserver<U>;
  readonly metrics: Metrics | undefined;
  /** Is to be told how well the API server can be heard. */
  readonly onHealth: (health: ClusterHealth) => void;
  readonly onEvent: (kind: ClusterObject['kind'], event: ReflectorEvent) => void;
  /** Serves until the signal comes; throws BindError where the configuration wants that. */
  readonly run: () => Promise<void>;
};

const nowMs = (): number => Date.now();
const heard = new Set<ReflectorEvent['kind']>(['listed', 'watching', 'heard', 'absent']);

/** Makes all of it; no port is opened before it is run. */
export async function createServing<U extends Unit>(
  options: ServingOptions<U>,
): Promise<Serving<U>> {
  const { config, version, families, state, reconciler, health, dryRun } = options;
  const { proxyMode: mode, nodeName } = config;
  const desired = (family: Family) => reconciler.desired(family);
  let cluster: ClusterReach | undefined;
  const told = dryRun ? undefined : createTold({ ...options, nowMs, reach: () => cluster });
  const connections = told && { read: told.connections, most: options.connectionMetrics };
  const metrics =
    connections && (await createMetrics({ mode, families, version, nowMs, connections }));
  const recorder = told?.recorder;
  const observer = new PassObserver({ nodeName, state, desired, health, metrics, recorder, nowMs });
  return {
    observer,
    metrics,
    onHealth(reach) {
      cluster = reach;
      metrics?.clusterReached(reach.isConnected);
    },
    onEvent: (resource, { kind: event }) =>
      metrics?.clusterEvent({
        resource,
        event,
        isHeard: heard.has(event),
        atSeconds: nowMs() / 1000,
      }),
    async run() {
      if (metrics === undefined || told === undefined) return;
      health.updated();
      const status = () => ({ ...observer.status, cluster });
      const onAnswer = metrics.healthAnswered;
      await Promise.all([
        serveHealth(options, healthAnswerer({ status, nowMs, onAnswer })),
        serveMetrics(options, metrics, told),
      ]);
    },
  };
}

async function serveHealth<U extends Unit>(
  { config, record, log, signal }: ServingOptions<U>,
  answer: ReturnType<typeof healthAnswerer>,
): Promise<void> {
  const { healthzBindAddress: address, bindAddressHardFail: isHardFail } = config;
  if (address === undefined) return;
  const where = { nodeName: config.nodeName, record };
  await serveOrTell({ what: 'health', address, answer, isHardFail, log, signal }, where);
}

// A proxy that ends since a port cannot be had says so to the cluster as well.
async function serveOrTell(
  options: ServeOptions & { readonly what: 'health' | 'metrics' },
  { nodeName, record }: { readonly nodeName: string; readonly record: RecordEvent },
): Promise<void> {
  try {
    await serve(options);
  } catch (error) {
    if (error instanceof BindError) record(cannotServeEvent(nodeName, options.what, error));
    throw error;
  }
}

async function serveMetrics<U extends Unit>(
  { config, reconciler, record, log, signal }: ServingOptions<U>,
  metrics: Metrics,
  told: Told<U>,
): Promise<void> {
  const { metricsBindAddress: address, bindAddressHardFail: isHardFail } = config;
  const answer = metricsAnswerer({
    mode: config.proxyMode,
    configuration: () => resolvedDocument(reconciler.config),
    ...told.pages,
    metrics: metrics.expose,
  });
  const where = { nodeName: config.nodeName, record };
  await serveOrTell({ what: 'metrics', address, answer, isHardFail, log, signal }, where);
}

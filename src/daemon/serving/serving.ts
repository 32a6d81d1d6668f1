// What the daemon serves beside the rules: health, metrics, the pages, and what all of them are made of.
import type { Logger } from 'pino';
import type { ClusterHealth } from '../../cluster/api/health.ts';
import type { ReflectorEvent } from '../../cluster/api/watch/reflector-event.ts';
import { resolvedDocument } from '../../config/resolved-document.ts';
import { BindError } from '../../errors.ts';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { ClusterReach } from '../../model/proxy-status.ts';
import { healthAnswerer } from '../../serve/health.ts';
import { serve, type ServeOptions } from '../../serve/http-server.ts';
import { debugAnswerer } from '../../serve/debug-pages.ts';
import { metricsAnswerer } from '../../serve/metrics-pages.ts';
import { createMetrics, type Metrics } from '../../serve/metrics/metrics.ts';
import { cannotServeEvent } from '../events/proxy-events.ts';
import type { DaemonPart } from '../daemon-part.ts';
import { Receipts } from '../receipts/receipts.ts';
import { HealthListener } from './health-listener.ts';
import { ObjectProblems } from './object-problems.ts';
import { createPages, type PagesOptions } from './pages.ts';

/** What is needed to serve. */
export type ServingOptions = Omit<PagesOptions, 'reach' | 'problems'> & {
  /** Of how many Service ports new connections are metrics too. */
  readonly connectionMetrics: number;
  readonly record: RecordEvent;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** Hears of where the objects come from. */
export type ClusterListener = {
  readonly onHealth: (health: ClusterHealth) => void;
  readonly onEvent: (kind: ClusterObject['kind'], event: ReflectorEvent) => void;
  /** Hears of everything that is wrong with the objects of manifests now, a line each. */
  readonly onProblems: (lines: readonly string[]) => void;
};

/** The servers, and what feeds them. */
export type Serving = {
  readonly parts: readonly DaemonPart[];
  readonly metrics: Metrics;
  readonly cluster: ClusterListener;
};

const heard = new Set<ReflectorEvent['kind']>(['listed', 'watching', 'heard', 'absent']);

/** Makes all of it; no port is opened before its part is run. */
export async function createServing(options: ServingOptions): Promise<Serving> {
  const { config, version, families, health, host, reconciler } = options;
  const { nowMs } = host;
  const { proxyMode: mode, nodeName } = config;
  let reach: ClusterReach | undefined;
  const problems = new ObjectProblems({
    record: options.record,
    count: (lines) => metrics.problemsFound(lines),
  });
  const pages = createPages({ ...options, reach: () => reach, problems: () => problems.lines });
  const connections = { read: pages.connections, most: options.connectionMetrics };
  const { troubles } = options;
  const metrics = await createMetrics({ mode, families, version, nowMs, connections, troubles });
  const listener = new HealthListener(health, nodeName);
  const configuration = () => resolvedDocument(reconciler.config);
  const status = () => ({ ...listener.status, cluster: reach });
  const server: DaemonPart = {
    async run() {
      health.updated();
      const onAnswer = metrics.healthAnswered;
      const { healthzBindAddress, metricsBindAddress, debugBindAddress } = config;
      await Promise.all([
        serveAt(options, {
          what: 'health',
          address: healthzBindAddress,
          answer: healthAnswerer({ status, nowMs, onAnswer }),
        }),
        serveAt(options, {
          what: 'metrics',
          address: metricsBindAddress,
          answer: metricsAnswerer({ mode, configuration, metrics: metrics.expose }),
        }),
        serveAt(options, {
          what: 'debug',
          address: debugBindAddress,
          answer: debugAnswerer(pages.pages),
        }),
      ]);
    },
  };
  return {
    parts: [listener, new Receipts(metrics, nowMs), ...pages.listeners, server],
    metrics,
    cluster: {
      onHealth(now) {
        reach = now;
        metrics.clusterReached(now.isConnected);
      },
      onProblems: (lines) => problems.manifestsRead(lines),
      onEvent(resource, what) {
        const { kind: event } = what;
        if (event === 'problems') problems.objectRead(resource, what);
        const atSeconds = nowMs() / 1000;
        metrics.clusterEvent({ resource, event, isHeard: heard.has(event), atSeconds });
      },
    },
  };
}

type Served = Pick<ServeOptions, 'answer'> & {
  readonly what: 'health' | 'metrics' | 'debug';
  /** Undefined: nowhere. */
  readonly address: ServeOptions['address'] | undefined;
};

// A proxy that ends since a port cannot be had says so to the cluster as well.
async function serveAt(
  { config, record, log, signal }: ServingOptions,
  { what, address, answer }: Served,
): Promise<void> {
  if (address === undefined) return;
  const isHardFail = config.bindAddressHardFail;
  try {
    await serve({ what, address, answer, isHardFail, log, signal });
  } catch (error) {
    if (error instanceof BindError) record(cannotServeEvent(config.nodeName, what, error));
    throw error;
  }
}

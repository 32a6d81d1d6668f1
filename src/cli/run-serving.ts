// What `sluice run` serves beside the rules: health, metrics, and what both are made of.
import type { Logger } from 'pino';
import type { ClusterHealth } from '../cluster/api/health.ts';
import type { ReflectorEvent } from '../cluster/api/reflector-event.ts';
import type { ClusterState } from '../cluster/state.ts';
import { resolvedDocument } from '../config/resolved-document.ts';
import { applyKernelSettings, conntrackSettings, countCores } from '../host/conntrack-sysctls.ts';
import { setOomScoreAdj } from '../host/oom-score.ts';
import type { Config } from '../model/config.ts';
import type { Family } from '../model/ip.ts';
import type { ClusterObject } from '../model/kubernetes.ts';
import type { ClusterReach } from '../model/proxy-status.ts';
import type { Unit } from '../netfilter/program.ts';
import { healthAnswerer } from '../serve/health.ts';
import { serve } from '../serve/http-server.ts';
import { metricsAnswerer } from '../serve/metrics-pages.ts';
import { createMetrics, type Metrics } from '../serve/metrics/metrics.ts';
import { PassObserver } from '../sync/observe-pass.ts';
import type { ProxyHealth } from '../sync/proxy-health.ts';
import type { Reconciler } from '../sync/reconcile.ts';

/** What is needed to serve. */
export type ServingOptions<U extends Unit> = {
  readonly config: Config;
  readonly version: string;
  readonly families: readonly Family[];
  readonly state: ClusterState;
  readonly reconciler: Reconciler<U>;
  readonly health: ProxyHealth;
  /** Nothing is served, and the observer keeps what it sees to itself. */
  readonly dryRun: boolean;
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
  const metrics = dryRun ? undefined : await createMetrics({ mode, families, version, nowMs });
  const desired = (family: Family) => reconciler.desired(family);
  const observer = new PassObserver({ nodeName, state, desired, health, metrics, nowMs });
  let cluster: ClusterReach | undefined;
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
      if (metrics === undefined) return;
      health.updated();
      const status = () => ({ ...observer.status, cluster });
      const onAnswer = metrics.healthAnswered;
      await Promise.all([
        serveHealth(options, healthAnswerer({ status, nowMs, onAnswer })),
        serveMetrics(options, metrics),
      ]);
    },
  };
}

async function serveHealth<U extends Unit>(
  { config, log, signal }: ServingOptions<U>,
  answer: ReturnType<typeof healthAnswerer>,
): Promise<void> {
  const { healthzBindAddress: address, bindAddressHardFail: isHardFail } = config;
  if (address === undefined) return;
  await serve({ what: 'health', address, answer, isHardFail, log, signal });
}

async function serveMetrics<U extends Unit>(
  { config, reconciler, log, signal }: ServingOptions<U>,
  metrics: Metrics,
): Promise<void> {
  const { metricsBindAddress: address, bindAddressHardFail: isHardFail } = config;
  const answer = metricsAnswerer({
    mode: config.proxyMode,
    configuration: () => resolvedDocument(reconciler.config),
    metrics: metrics.expose,
  });
  await serve({ what: 'metrics', address, answer, isHardFail, log, signal });
}

/**
 * Sets up this host as configured. What may not be written stays as it is, with a warning: the rules
 * answer all the same.
 */
export async function prepareHost(config: Config, log: Logger): Promise<void> {
  const settings = conntrackSettings(config.conntrack, await countCores());
  for (const { setting, error } of await applyKernelSettings(settings)) {
    const { name, value } = setting;
    log.warn({ setting: name, value, error: error.message }, 'left as it is: cannot be set');
  }
  const { oomScoreAdj } = config;
  try {
    await setOomScoreAdj(oomScoreAdj);
  } catch (error) {
    const why = (error as Error).message;
    log.warn({ oomScoreAdj, error: why }, 'left as it is: cannot be set');
  }
}

// All metrics of the proxy: one object that hears of what happens, and the text that a scrape gets.
import type { ProxyMode } from '../../model/config.ts';
import type { NodeTrouble } from '../../model/daemon-status.ts';
import type { Family } from '../../model/ip.ts';
import type { PassMetrics } from '../../model/receipt.ts';
import type { Answer } from '../answer.ts';
import { connectionMetrics, type ConnectionSource } from './connections.ts';
import { kubeProxyMetrics, type KubeProxyMetrics } from './kube-proxy.ts';
import { ownMetrics, troubleMetric, type OwnMetrics } from './own.ts';
import { processMetrics } from './process.ts';
import { definerFor } from './registry.ts';

export type MetricsOptions = {
  readonly mode: ProxyMode;
  readonly families: readonly Family[];
  readonly version: string;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Which new connections of Services are metrics too. */
  readonly connections: ConnectionSource;
  /** What is wrong with the node as a whole now. */
  readonly troubles: () => readonly NodeTrouble[];
};

/** What happens is reported to this. */
export type Metrics = PassMetrics &
  Pick<KubeProxyMetrics, 'healthAnswered' | 'flowsRemoved'> &
  Pick<
    OwnMetrics,
    'commandEnded' | 'drifted' | 'clusterReached' | 'clusterEvent' | 'problemsFound'
  > & {
    /** All metrics as they are now, in Prometheus' text format. */
    readonly expose: () => Promise<Answer>;
  };

/** Makes them; loads the library, which a proxy that serves no metrics never does. */
export async function createMetrics(options: MetricsOptions): Promise<Metrics> {
  const { mode, families, version, nowMs, connections } = options;
  const library = await import('prom-client');
  const registry = new library.Registry();
  const define = definerFor(library, registry);
  const kubeProxy = kubeProxyMetrics(define, mode, families);
  const own = ownMetrics(define);
  processMetrics(define);
  define
    .gauge('sluice_build_info', 'Which Sluice this is, in its labels', ['version', 'mode'])
    .set({ version, mode }, 1);
  troubleMetric(define, options.troubles);
  if (connections.most > 0) connectionMetrics(define, connections);
  return {
    ...own,
    queued: (changes) => kubeProxy.queued(changes, nowMs() / 1000),
    taken: kubeProxy.taken,
    passed(receipt) {
      kubeProxy.passed(receipt, nowMs() / 1000);
      own.passed(receipt);
    },
    healthAnswered: kubeProxy.healthAnswered,
    flowsRemoved: kubeProxy.flowsRemoved,
    async expose() {
      const body = await registry.metrics();
      return { status: 200, headers: { 'Content-Type': registry.contentType }, body };
    },
  };
}

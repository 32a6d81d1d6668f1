// The metrics that kube-proxy has, under its names, with its labels and buckets, so that dashboards and
// alerts made for it go on to work. Changed once a pass, by what the pass touched.
import { traitsOf } from '../../backends/traits.ts';
import type { ProxyMode } from '../../model/config.ts';
import type { Family } from '../../model/ip.ts';
import type { QueuedChanges, Receipt } from '../../model/receipt.ts';
import type { HealthPath } from '../health.ts';
import type { Definer } from './registry.ts';
import { doublingBuckets } from './registry.ts';
import { conntrackMetrics, healthMetrics, modeMetrics } from './kube-proxy-parts.ts';

export type KubeProxyMetrics = {
  readonly queued: (changes: QueuedChanges, nowSeconds: number) => void;
  readonly taken: () => void;
  readonly passed: (receipt: Receipt, nowSeconds: number) => void;
  readonly healthAnswered: (path: HealthPath, status: number) => void;
  readonly flowsRemoved: (family: Family, removed: number, seconds: number) => void;
};

/** Defines them for a mode; those of the other mode are not there at all. */
export function kubeProxyMetrics(
  define: Definer,
  mode: ProxyMode,
  families: readonly Family[],
): KubeProxyMetrics {
  const changes = changeMetrics(define, families);
  const rounds = roundMetrics(define);
  const ofMode = modeMetrics(define, traitsOf(mode).metrics);
  for (const family of families) ofMode.start(family);
  return {
    ...changes,
    passed(receipt, nowSeconds) {
      rounds(receipt, nowSeconds);
      ofMode.passed(receipt);
    },
    healthAnswered: healthMetrics(define),
    flowsRemoved: conntrackMetrics(define, families),
  };
}

const family = ['ip_family'] as const;

function changeMetrics(
  { counter, gauge }: Definer,
  families: readonly Family[],
): Pick<KubeProxyMetrics, 'queued' | 'taken'> {
  const prefix = 'kubeproxy_sync_proxy_rules';
  const queuedAt = gauge(
    `${prefix}_last_queued_timestamp_seconds`,
    'When a sync was last asked for',
    family,
  );
  const counters = {
    services: counter(`${prefix}_service_changes_total`, 'Changes of Services, in each IP family'),
    slices: counter(`${prefix}_endpoint_changes_total`, 'Changes of EndpointSlices'),
  };
  const pending = {
    services: gauge(`${prefix}_service_changes_pending`, 'Changes of Services not yet taken up'),
    slices: gauge(
      `${prefix}_endpoint_changes_pending`,
      'Changes of EndpointSlices not yet taken up',
    ),
  };
  return {
    queued({ services, slices }, nowSeconds) {
      for (const ip_family of families) queuedAt.set({ ip_family }, nowSeconds);
      // A Service is looked at in each family; kube-proxy counts it as often.
      const each = { services: services * families.length, slices };
      for (const kind of ['services', 'slices'] as const) {
        counters[kind].inc(each[kind]);
        pending[kind].inc(each[kind]);
      }
    },
    taken() {
      pending.services.set(0);
      pending.slices.set(0);
    },
  };
}

function roundMetrics({
  gauge,
  histogram,
}: Definer): (receipt: Receipt, nowSeconds: number) => void {
  const times = { labels: family, buckets: doublingBuckets };
  const all = histogram(
    'kubeproxy_sync_proxy_rules_duration_seconds',
    'How long syncs took, those that failed too',
    times,
  );
  const full = histogram(
    'kubeproxy_sync_full_proxy_rules_duration_seconds',
    'How long syncs took that read and compared all rules',
    times,
  );
  const partial = histogram(
    'kubeproxy_sync_partial_proxy_rules_duration_seconds',
    'How long syncs took that looked at what changed alone',
    times,
  );
  const succeededAt = gauge(
    'kubeproxy_sync_proxy_rules_last_timestamp_seconds',
    'When a sync last succeeded',
    family,
  );
  const withoutLocal = gauge(
    'kubeproxy_sync_proxy_rules_no_local_endpoints_total',
    'Service ports with a policy of Local that have endpoints, but none on this node',
    ['ip_family', 'traffic_policy'],
  );
  const programming = histogram(
    'kubeproxy_network_programming_duration_seconds',
    'From the change of a pod or Service to the rules that follow it',
    { labels: family, buckets: programmingBuckets },
  );
  return (receipt, nowSeconds) => {
    const labels = { ip_family: receipt.family };
    const seconds = receipt.durationMs / 1000;
    all.observe(labels, seconds);
    (receipt.isFull ? full : partial).observe(labels, seconds);
    if (receipt.isFailed) return;
    succeededAt.set(labels, nowSeconds);
    for (const traffic_policy of ['internal', 'external'] as const) {
      withoutLocal.set({ ...labels, traffic_policy }, receipt.withoutLocal[traffic_policy]);
    }
    for (const age of receipt.programmingSeconds) programming.observe(labels, age);
  };
}

const span = (from: number, to: number, step: number): number[] =>
  Array.from({ length: (to - from) / step + 1 }, (_, index) => from + index * step);

/** Of network_programming_duration_seconds: the objective for it is stated in these. */
const programmingBuckets = [
  0.25,
  0.5,
  ...span(1, 59, 1),
  ...span(60, 115, 5),
  ...span(120, 300, 30),
];

// Those of kube-proxy's metrics that only one proxy mode has, or that are made outside of passes.
import type { Family } from '../../model/ip.ts';
import type { Receipt } from '../../model/receipt.ts';
import type { MetricTraits } from '../../model/settings.ts';
import type { HealthPath } from '../health.ts';
import type { Definer } from './registry.ts';
import { doublingBuckets } from './registry.ts';

const family = ['ip_family'] as const;

/** What only one proxy mode has. */
export type ModeMetrics = {
  readonly start: (family: Family) => void;
  readonly passed: (receipt: Receipt) => void;
};

/** What a mode counts: failed transactions, and rules by table. */
export function modeMetrics(
  { counter, gauge }: Definer,
  { failures: name, partialFailures: partialName, rules }: MetricTraits,
): ModeMetrics {
  const failures = counter(name, 'Transactions that failed', family);
  const partialHelp = 'Transactions of what changed alone that failed';
  const partial = partialName === undefined ? undefined : counter(partialName, partialHelp, family);
  const byTable = ['ip_family', 'table'] as const;
  const total = rules && gauge(rules.total, 'Rules of ours in the kernel', byTable);
  const last = rules && gauge(rules.last, 'Rules that the last sync wrote', byTable);
  return {
    start(ip_family) {
      failures.inc({ ip_family }, 0);
      partial?.inc({ ip_family }, 0);
    },
    passed({ family: ip_family, isFailed, isFull, holdings, rulesWritten }) {
      if (isFailed) {
        failures.inc({ ip_family });
        if (!isFull) partial?.inc({ ip_family });
        return;
      }
      for (const table of rules?.tables ?? []) {
        total?.set({ ip_family, table }, holdings.rules.get(table) ?? 0);
        last?.set({ ip_family, table }, rulesWritten.get(table) ?? 0);
      }
    },
  };
}

/** What was answered at the two paths of the health server. */
export function healthMetrics({ counter }: Definer): (path: HealthPath, status: number) => void {
  const counters = {
    '/healthz': counter('kubeproxy_proxy_healthz_total', 'Answers at /healthz', ['code']),
    '/livez': counter('kubeproxy_proxy_livez_total', 'Answers at /livez', ['code']),
  };
  for (const answers of Object.values(counters)) {
    for (const code of [200, 503]) answers.inc({ code }, 0);
  }
  return (path, code) => counters[path].inc({ code });
}

/** What looking for stale flows took, and what it came to. */
export function conntrackMetrics(
  { counter, histogram }: Definer,
  families: readonly Family[],
): (family: Family, removed: number, seconds: number) => void {
  const prefix = 'kubeproxy_conntrack_reconciler';
  const duration = histogram(
    `${prefix}_sync_duration_seconds`,
    'How long it took to look for stale conntrack entries and delete them',
    { labels: family, buckets: doublingBuckets },
  );
  const deleted = counter(
    `${prefix}_deleted_entries_total`,
    'Stale conntrack entries deleted',
    family,
  );
  for (const ip_family of families) deleted.inc({ ip_family }, 0);
  return (ip_family, removed, seconds) => {
    duration.observe({ ip_family }, seconds);
    deleted.inc({ ip_family }, removed);
  };
}

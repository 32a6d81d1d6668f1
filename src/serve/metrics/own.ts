// Metrics that kube-proxy does not have: where the time of a pass goes, what it did, and what is wrong.
// Their number is bounded by the families, the tools and the kinds of units, never by the cluster.
import type { NodeTrouble } from '../../model/daemon-status.ts';
import { troubleKinds } from '../../model/daemon-status.ts';
import type { Family } from '../../model/ip.ts';
import type { Receipt } from '../../model/receipt.ts';
import { operations, phases } from '../../model/receipt.ts';
import type { Definer } from './registry.ts';
import { doublingBuckets } from './registry.ts';

/** What happened to the watch of a resource. */
export type ClusterEvent = {
  readonly resource: string;
  readonly event: string;
  /** It says that the API server can be heard. */
  readonly isHeard: boolean;
  /** Seconds since the epoch. */
  readonly atSeconds: number;
};

export type OwnMetrics = {
  readonly passed: (receipt: Receipt) => void;
  /** A tool ended, as it should or not. */
  readonly commandEnded: (command: { tool: string; isFailed: boolean; seconds: number }) => void;
  /** The API server can be heard, or not. */
  readonly clusterReached: (isConnected: boolean) => void;
  /** What became of a change by others, such as `repaired`. */
  readonly drifted: (family: Family, outcome: string) => void;
  /** Objects were read: so many things are wrong with them now. */
  readonly problemsFound: (problems: number) => void;
  /** A watch reported something, such as `failed`. */
  readonly clusterEvent: (event: ClusterEvent) => void;
};

/** Defines them. */
export function ownMetrics(define: Definer): OwnMetrics {
  return {
    passed: passMetrics(define),
    commandEnded: commandMetrics(define),
    drifted: driftMetrics(define),
    problemsFound: problemMetric(define),
    ...clusterMetrics(define),
  };
}

const family = ['ip_family'] as const;

function passMetrics({ counter, gauge, histogram }: Definer): OwnMetrics['passed'] {
  const duration = histogram(
    'sluice_pass_phase_duration_seconds',
    'How long the parts of passes took: resolve decides, plan finds the difference, apply writes it',
    { labels: ['ip_family', 'phase'], buckets: doublingBuckets },
  );
  const applied = counter('sluice_operations_total', 'Operations carried out in the kernel', [
    'ip_family',
    'operation',
  ]);
  const failures = counter('sluice_pass_failures_total', 'Passes that failed', family);
  const units = gauge('sluice_units', 'What the kernel holds of ours, by kind', [
    'ip_family',
    'kind',
  ]);
  const quarantined = gauge(
    'sluice_quarantined_services',
    'Services that cannot be programmed as they are, and keep their last good rules',
    family,
  );
  const conflicts = gauge(
    'sluice_address_conflicts',
    'Addresses of Services that another Service has: conflicts',
    family,
  );
  return (receipt) => {
    const { family: ip_family, phaseMs, isFailed } = receipt;
    for (const phase of phases) duration.observe({ ip_family, phase }, phaseMs[phase] / 1000);
    quarantined.set({ ip_family }, receipt.quarantined);
    conflicts.set({ ip_family }, receipt.conflicts);
    failures.inc({ ip_family }, isFailed ? 1 : 0);
    if (isFailed) return;
    for (const operation of operations) {
      applied.inc({ ip_family, operation }, receipt.operations[operation]);
    }
    for (const [kind, count] of receipt.holdings.units) units.set({ ip_family, kind }, count);
  };
}

function driftMetrics({ counter }: Definer): OwnMetrics['drifted'] {
  const changes = counter(
    'sluice_drift_total',
    'Changes of our rules by others: repaired, unchanged after all, delayed as each repair is undone, failed',
    ['ip_family', 'outcome'],
  );
  return (ip_family, outcome) => changes.inc({ ip_family, outcome });
}

function commandMetrics({ counter, histogram }: Definer): OwnMetrics['commandEnded'] {
  const duration = histogram(
    'sluice_command_duration_seconds',
    'How long the tools of this machine ran',
    { labels: ['tool'], buckets: doublingBuckets },
  );
  const failures = counter('sluice_command_failures_total', 'Tools that failed', ['tool']);
  return ({ tool, isFailed, seconds }) => {
    duration.observe({ tool }, seconds);
    failures.inc({ tool }, isFailed ? 1 : 0);
  };
}

function problemMetric({ gauge }: Definer): OwnMetrics['problemsFound'] {
  const problems = gauge(
    'sluice_object_problems',
    'What is wrong with objects and manifests now; what was good before is kept',
  );
  return (count) => problems.set(count);
}

/** Defines the metric of what is wrong with the node as a whole; each kind has a series from the start. */
export function troubleMetric({ reading }: Definer, troubles: () => readonly NodeTrouble[]): void {
  reading('gauge', {
    name: 'sluice_node_troubles',
    help: 'What is wrong with this node as a whole now, by kind',
    labels: ['kind'],
    read(note) {
      const now = troubles();
      for (const kind of troubleKinds)
        note(now.filter((one) => one.kind === kind).length, { kind });
    },
  });
}

// Not defined before the first event: where no API server is followed, none must look lost.
function clusterMetrics(define: Definer): Pick<OwnMetrics, 'clusterReached' | 'clusterEvent'> {
  let known: ReturnType<typeof defineClusterMetrics> | undefined;
  const metrics = () => (known ??= defineClusterMetrics(define));
  return {
    clusterReached: (isConnected) => metrics().connected.set(Number(isConnected)),
    clusterEvent({ resource, event, isHeard, atSeconds }) {
      metrics().events.inc({ resource, event });
      if (isHeard) metrics().heard.set({ resource }, atSeconds);
    },
  };
}

function defineClusterMetrics({ counter, gauge }: Definer) {
  return {
    events: counter('sluice_cluster_events_total', 'What happened to the watches of resources', [
      'resource',
      'event',
    ]),
    connected: gauge('sluice_cluster_connected', 'Whether every resource is being watched'),
    heard: gauge(
      'sluice_cluster_last_heard_timestamp_seconds',
      'When the API server was last heard',
      ['resource'],
    ),
  };
}

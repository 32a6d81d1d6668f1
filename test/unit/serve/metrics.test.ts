// What Prometheus gets: kube-proxy's metrics where it has them, finer ones of our own beside them.
import { describe, expect, test } from 'vitest';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { PortConnections } from '../../../src/model/connections.ts';
import { families } from '../../../src/model/ip.ts';
import type { ServiceKey } from '../../../src/model/kubernetes.ts';
import type { Receipt } from '../../../src/model/receipt.ts';
import { parseProcess } from '../../../src/serve/metrics/process.ts';
import type { ConnectionSource } from '../../../src/serve/metrics/connections.ts';
import { createMetrics, type Metrics } from '../../../src/serve/metrics/metrics.ts';
import { lintMetric, parseMetrics } from '../../support/prometheus.ts';

const nowMs = (): number => 1_767_225_600_500;
const modes: readonly ProxyMode[] = ['nftables', 'iptables'];

const nothingRead: ConnectionSource = {
  read: () => Promise.reject(new Error('the kernel cannot be read')),
  most: 3,
};

const metricsFor = (mode: ProxyMode, connections = nothingRead): Promise<Metrics> =>
  createMetrics({ mode, families, version: '1.2.3', nowMs, connections, troubles: () => [] });

const receipt: Receipt = {
  family: 'IPv4',
  isFailed: false,
  isFull: false,
  durationMs: 500,
  phaseMs: { resolve: 1, plan: 2, apply: 3 },
  operations: { create: 4, replace: 5, delete: 6 },
  rulesWritten: new Map([['nat', 7]]),
  quarantined: 1,
  conflicts: 2,
  holdings: { units: new Map([['chain', 8]]), rules: new Map([['filter', 9]]) },
  withoutLocal: { internal: 3, external: 4 },
  programmingSeconds: [0.3, 61],
};

/** Has heard of everything that there is to hear. */
async function busyMetrics(mode: ProxyMode): Promise<Metrics> {
  const metrics = await metricsFor(mode);
  metrics.queued({ services: 2, slices: 3 });
  metrics.taken();
  for (const family of families) metrics.passed({ ...receipt, family });
  metrics.passed({ ...receipt, isFailed: true });
  metrics.passed({ ...receipt, isFailed: true, isFull: true });
  metrics.flowsRemoved('IPv6', 11, 0.002);
  metrics.healthAnswered('/healthz', 200);
  metrics.commandEnded({ tool: 'nft', isFailed: true, seconds: 0.01 });
  metrics.clusterReached(true);
  const event = { resource: 'Service', event: 'heard', isHeard: true, atSeconds: 12 };
  metrics.clusterEvent(event);
  return metrics;
}

async function scrape(metrics: Metrics) {
  return parseMetrics((await metrics.expose()).body);
}

/** The samples of a metric without the buckets, as `labels value`. */
async function samplesOf(metrics: Metrics, name: string): Promise<readonly string[]> {
  const family = (await scrape(metrics)).get(name);
  return [...(family?.samples ?? [])]
    .filter(([id]) => !id.includes('_bucket'))
    .map(([id, value]) => `${id.slice(name.length)} ${value}`);
}

const rules = 'kubeproxy_sync_proxy_rules';
/** Those of kube-proxy's that apply, with their types. */
const ofKubeProxy: Readonly<Record<'all' | ProxyMode, Readonly<Record<string, string>>>> = {
  all: {
    [`${rules}_duration_seconds`]: 'histogram',
    kubeproxy_sync_full_proxy_rules_duration_seconds: 'histogram',
    kubeproxy_sync_partial_proxy_rules_duration_seconds: 'histogram',
    [`${rules}_last_timestamp_seconds`]: 'gauge',
    [`${rules}_last_queued_timestamp_seconds`]: 'gauge',
    kubeproxy_network_programming_duration_seconds: 'histogram',
    [`${rules}_endpoint_changes_pending`]: 'gauge',
    [`${rules}_endpoint_changes_total`]: 'counter',
    [`${rules}_service_changes_pending`]: 'gauge',
    [`${rules}_service_changes_total`]: 'counter',
    [`${rules}_no_local_endpoints_total`]: 'gauge',
    kubeproxy_proxy_healthz_total: 'counter',
    kubeproxy_proxy_livez_total: 'counter',
    kubeproxy_conntrack_reconciler_sync_duration_seconds: 'histogram',
    kubeproxy_conntrack_reconciler_deleted_entries_total: 'counter',
  },
  iptables: {
    [`${rules}_iptables_total`]: 'gauge',
    [`${rules}_iptables_last`]: 'gauge',
    [`${rules}_iptables_restore_failures_total`]: 'counter',
    [`${rules}_iptables_partial_restore_failures_total`]: 'counter',
  },
  nftables: { [`${rules}_nftables_sync_failures_total`]: 'counter' },
};

describe.each(modes)('in %s mode', (mode) => {
  test('there are just the metrics of kube-proxy that apply', async () => {
    const found = [...(await scrape(await busyMetrics(mode))).values()];
    const own = found.filter(({ name }) => name.startsWith('kubeproxy_'));
    const expected = { ...ofKubeProxy.all, ...ofKubeProxy[mode] };
    expect(Object.fromEntries(own.map(({ name, type }) => [name, type]))).toEqual(expected);
  });

  test('promtool finds nothing but what kube-proxy itself named amiss', async () => {
    const found = [...(await scrape(await busyMetrics(mode))).values()];
    expect(found).toHaveLength(mode === 'iptables' ? 42 : 39);
    const amiss = [
      `${rules}_no_local_endpoints_total: only counters end in _total`,
      ...(mode === 'iptables' ? [`${rules}_iptables_total: only counters end in _total`] : []),
    ];
    expect(found.flatMap(lintMetric).toSorted()).toEqual(amiss.toSorted());
  });

  test('the number of time series is small, and does not grow with what happens', async () => {
    const metrics = await busyMetrics(mode);
    const count = async (): Promise<number> =>
      [...(await scrape(metrics)).values()].reduce((sum, { samples }) => sum + samples.size, 0);
    const before = await count();
    for (let pass = 0; pass < 100; pass += 1) {
      metrics.passed({ ...receipt, durationMs: pass, programmingSeconds: [pass] });
    }
    expect(await count()).toBe(before);
    expect(before).toBeLessThan(800);
  });

  test('failures are there before the first one', async () => {
    const name =
      mode === 'iptables'
        ? `${rules}_iptables_restore_failures_total`
        : `${rules}_nftables_sync_failures_total`;
    expect(await samplesOf(await metricsFor(mode), name)).toEqual([
      '{ip_family="IPv4"} 0',
      '{ip_family="IPv6"} 0',
    ]);
    expect(await samplesOf(await busyMetrics(mode), name)).toEqual([
      '{ip_family="IPv4"} 2',
      '{ip_family="IPv6"} 0',
    ]);
  });
});

test.each<[name: string, samples: readonly string[]]>([
  [
    `${rules}_duration_seconds`,
    [
      '_sum{ip_family="IPv4"} 1.5',
      '_count{ip_family="IPv4"} 3',
      '_sum{ip_family="IPv6"} 0.5',
      '_count{ip_family="IPv6"} 1',
    ],
  ],
  [
    'kubeproxy_sync_full_proxy_rules_duration_seconds',
    ['_sum{ip_family="IPv4"} 0.5', '_count{ip_family="IPv4"} 1'],
  ],
  [
    `${rules}_last_timestamp_seconds`,
    ['{ip_family="IPv4"} 1767225600.5', '{ip_family="IPv6"} 1767225600.5'],
  ],
  [
    'kubeproxy_network_programming_duration_seconds',
    [
      '_sum{ip_family="IPv4"} 61.3',
      '_count{ip_family="IPv4"} 2',
      '_sum{ip_family="IPv6"} 61.3',
      '_count{ip_family="IPv6"} 2',
    ],
  ],
  // As kube-proxy, a Service counts once for each family.
  [`${rules}_service_changes_total`, [' 4']],
  [`${rules}_endpoint_changes_total`, [' 3']],
  [`${rules}_service_changes_pending`, [' 0']],
  [
    `${rules}_no_local_endpoints_total`,
    [
      '{ip_family="IPv4",traffic_policy="internal"} 3',
      '{ip_family="IPv4",traffic_policy="external"} 4',
      '{ip_family="IPv6",traffic_policy="internal"} 3',
      '{ip_family="IPv6",traffic_policy="external"} 4',
    ],
  ],
  [
    'kubeproxy_conntrack_reconciler_deleted_entries_total',
    ['{ip_family="IPv4"} 0', '{ip_family="IPv6"} 11'],
  ],
  [
    `${rules}_iptables_total`,
    [
      '{ip_family="IPv4",table="filter"} 9',
      '{ip_family="IPv4",table="nat"} 0',
      '{ip_family="IPv6",table="filter"} 9',
      '{ip_family="IPv6",table="nat"} 0',
    ],
  ],
  [
    `${rules}_iptables_partial_restore_failures_total`,
    ['{ip_family="IPv4"} 1', '{ip_family="IPv6"} 0'],
  ],
  ['sluice_quarantined_services', ['{ip_family="IPv4"} 1', '{ip_family="IPv6"} 1']],
  ['sluice_address_conflicts', ['{ip_family="IPv4"} 2', '{ip_family="IPv6"} 2']],
  ['sluice_command_failures_total', ['{tool="nft"} 1']],
  ['sluice_cluster_connected', [' 1']],
  ['sluice_build_info', ['{version="1.2.3",mode="iptables"} 1']],
])('%s says what happened', async (name, samples) => {
  expect(await samplesOf(await busyMetrics('iptables'), name)).toEqual(samples);
});

test('changes wait until a pass takes them up', async () => {
  const metrics = await metricsFor('nftables');
  metrics.queued({ services: 1, slices: 2 });
  metrics.queued({ services: 0, slices: 1 });
  expect(await samplesOf(metrics, `${rules}_service_changes_pending`)).toEqual([' 2']);
  expect(await samplesOf(metrics, `${rules}_endpoint_changes_pending`)).toEqual([' 3']);
  metrics.taken();
  expect(await samplesOf(metrics, `${rules}_endpoint_changes_pending`)).toEqual([' 0']);
  expect(await samplesOf(metrics, `${rules}_endpoint_changes_total`)).toEqual([' 3']);
});

test.each([
  [
    `${rules}_duration_seconds`,
    'ip_family="IPv4"',
    Array.from({ length: 15 }, (_, i) => 0.001 * 2 ** i),
  ],
  [
    'kubeproxy_network_programming_duration_seconds',
    'ip_family="IPv4"',
    [
      0.25,
      0.5,
      ...Array.from({ length: 59 }, (_, index) => index + 1),
      ...Array.from({ length: 12 }, (_, index) => 60 + index * 5),
      ...Array.from({ length: 7 }, (_, index) => 120 + index * 30),
    ],
  ],
])('%s has the buckets of kube-proxy', async (name, labels, buckets) => {
  const family = (await scrape(await busyMetrics('nftables'))).get(name);
  const found = [...(family?.samples.keys() ?? [])].filter((id) => id.includes(labels));
  const bounds = found.flatMap((id) => /le="([^"]+)"/.exec(id)?.[1] ?? []);
  expect(bounds).toEqual([...buckets.map(String), '+Inf']);
});

test('connections are those of the busiest Service ports at each scrape, and no name breaks them', async () => {
  const name = 'sluice_service_connections_total';
  const port = (service: string, connections?: number): PortConnections => ({
    family: 'IPv4',
    service: `web/${service}` as ServiceKey,
    portName: 'http',
    protocol: 'tcp',
    endpoints: [],
    skipped: 0,
    ...(connections === undefined ? {} : { connections }),
  });
  let ports: readonly PortConnections[] = [
    port('a', 1),
    port('b', 9),
    { ...port('b', 2), family: 'IPv6' },
    { ...port('evil', 7), portName: 'a"b\\\n' },
    port('uncounted'),
  ];
  const read = async () =>
    ({ version: 2, mode: 'nftables', counters: 'services', atMs: 0, ports }) as const;
  const metrics = await metricsFor('nftables', { read, most: 2 });
  expect(await samplesOf(metrics, name)).toEqual([
    '{namespace="web",service="b",port="http",protocol="tcp"} 11',
    '{namespace="web",service="evil",port="a\\"b\\\\\\n",protocol="tcp"} 7',
  ]);
  ports = [port('a', 12)];
  expect(await samplesOf(metrics, name)).toEqual([
    '{namespace="web",service="a",port="http",protocol="tcp"} 12',
  ]);
  expect(await samplesOf(await metricsFor('nftables'), name)).toEqual([]);
  const none = await metricsFor('nftables', { read, most: 0 });
  expect((await scrape(none)).has(name)).toBe(false);
});

test('a scrape is in the text format of Prometheus', async () => {
  const { status, headers } = await (await metricsFor('nftables')).expose();
  expect([status, headers]).toEqual([
    200,
    { 'Content-Type': 'text/plain; version=0.0.4; charset=utf-8' },
  ]);
});

test('without an API server to follow nothing says that it is lost', async () => {
  const found = await scrape(await metricsFor('nftables'));
  expect([...found.keys()].filter((name) => name.startsWith('sluice_cluster'))).toEqual([]);
});

test('what the kernel says of a process is read whatever it is called', () => {
  const stat = `77 (a ) R b) S 1 77 77 0 -1 4194560 100 0 0 0 250 150 0 0 20 0 11 0 4500 99 50 1`;
  const status = 'Name:\ta ) R b\nVmSize:\t  2048 kB\nVmRSS:\t     512 kB\n';
  expect(parseProcess(stat, status)).toEqual({
    cpuSeconds: 4,
    residentBytes: 512 * 1024,
    virtualBytes: 2048 * 1024,
    startSeconds: 45,
  });
});

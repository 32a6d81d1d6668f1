// What `sluice run` tells who asks at the metrics server, besides metrics: the objects, how it stands, and
// the flight record.
import { release } from 'node:os';
import type { PureBackend } from '../../backends/backend.ts';
import { pathsOf } from '../../explain/chain-path.ts';
import type { ClusterState } from '../../cluster/state.ts';
import { residentBytes } from '../../host/memory.ts';
import type { Config } from '../../model/config.ts';
import type { Connections, PortConnections } from '../../model/connections.ts';
import { connectionsVersion } from '../../model/connections.ts';
import type { DaemonStatus, StatusSource } from '../../model/daemon-status.ts';
import { daemonStatusVersion } from '../../model/daemon-status.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type { ClusterReach } from '../../model/proxy-status.ts';
import type { Counted } from '../../netfilter/counted.ts';
import type { Unit } from '../../netfilter/program.ts';
import { jsonAnswer } from '../../serve/answer.ts';
import { debugObjectsAnswer } from '../../serve/debug-objects.ts';
import type { MetricsPages } from '../../serve/metrics-pages.ts';
import type { PageData } from '../../serve/page/overview.ts';
import { pageAt } from '../../serve/page/pages.ts';
import { portConnections, RunningTotals } from './connections.ts';
import { familyState, HeldReasons } from './family-state.ts';
import { FlightRecorder } from '../record/flight-recorder.ts';
import type { ProxyHealth } from './proxy-health.ts';
import type { FamilyPass, Reconciler } from '../../sync/reconcile.ts';

/** What is told of. */
export type ToldOptions<U extends Unit> = {
  readonly config: Config;
  readonly version: string;
  readonly families: readonly Family[];
  readonly findings: readonly string[];
  readonly manifests: string | undefined;
  readonly state: ClusterState;
  readonly reconciler: Reconciler<U>;
  readonly backend: PureBackend<U>;
  readonly health: ProxyHealth;
  readonly hostIps: () => readonly Ip[];
  readonly isTcpLiberal: boolean;
  /** Reads what the kernel counted. */
  readonly connections: (family: Family) => Promise<readonly Counted[]>;
  readonly statusPage: boolean;
  /** Undefined while nothing was heard of the API server. */
  readonly reach: () => ClusterReach | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
};

/** The pages. */
export type ToldPages = Required<
  Pick<MetricsPages, 'debugObjects' | 'passes' | 'status' | 'connections'>
> &
  Pick<MetricsPages, 'page'>;

/** The pages, and who is to be told of passes for them. */
export type Told<U extends Unit> = {
  readonly pages: ToldPages;
  readonly recorder: Pick<FlightRecorder<U>, 'taken' | 'passed'>;
  /** Reads what the kernel counted of new connections. */
  readonly connections: () => Promise<Connections>;
};

const lastPasses = 10;

/** Makes them; `startedAtMs` is now. */
export function createTold<U extends Unit>(options: ToldOptions<U>): Told<U> {
  const { config, state, reconciler, hostIps, nowMs } = options;
  const reasons = new HeldReasons();
  const recorder = new FlightRecorder({
    ...options,
    mode: config.proxyMode,
    nodeName: config.nodeName,
    desired: (family) => reconciler.desired(family),
    config: () => reconciler.config,
  });
  const startedAtMs = nowMs();
  const connections = connectionsReader(options);
  const readPage = (): PageData => ({
    status: statusOf(options, { recorder, reasons, startedAtMs }),
    passes: recorder.passes,
    services: forwardingOf(options),
    pathsOf(service) {
      const settings = reconciler.desired(service.family)?.settings;
      if (settings === undefined) throw new Error(`no rules of ${service.family} are decided`);
      return pathsOf(options.backend, service, { settings, hostIps: hostIps() });
    },
  });
  return {
    pages: {
      debugObjects: () =>
        debugObjectsAnswer({
          config: reconciler.config,
          hostIps: hostIps(),
          objects: [...state.objects()],
        }),
      passes: () => jsonAnswer(recorder.export()),
      connections: async () => jsonAnswer(await connections()),
      status: () => jsonAnswer(statusOf(options, { recorder, reasons, startedAtMs })),
      ...(options.statusPage ? { page: (path: string) => pageAt(path, readPage) } : {}),
    },
    connections,
    recorder: {
      taken: (changes, asked) => recorder.taken(changes, asked),
      passed(passes: readonly FamilyPass<U>[]) {
        reasons.passed(passes);
        recorder.passed(passes);
      },
    },
  };
}

// Reading a large table takes a second: who asks meanwhile gets the same answer.
function connectionsReader<U extends Unit>(options: ToldOptions<U>): () => Promise<Connections> {
  const totals = new Map(options.families.map((family) => [family, new RunningTotals()]));
  let reading: Promise<Connections> | undefined;
  return () => {
    reading ??= readConnections(options, totals).finally(() => (reading = undefined));
    return reading;
  };
}

async function readConnections<U extends Unit>(
  { config, families, reconciler, connections }: ToldOptions<U>,
  totals: ReadonlyMap<Family, RunningTotals>,
): Promise<Connections> {
  const atMs = performance.now();
  const ports: PortConnections[] = [];
  for (const family of families) {
    const counted = totals.get(family)?.add(await connections(family)) ?? [];
    const forwarding = reconciler.desired(family)?.decisions.forwarding() ?? [];
    ports.push(...portConnections(family, forwarding, counted));
  }
  const { proxyMode: mode, serviceCounters: counters } = config;
  return { version: connectionsVersion, mode, counters, atMs, ports };
}

function forwardingOf<U extends Unit>({
  families,
  reconciler,
}: ToldOptions<U>): PageData['services'] {
  const all = families.flatMap((family) => [
    ...(reconciler.desired(family)?.decisions.forwarding() ?? []),
  ]);
  return Map.groupBy(all, ({ service }) => service);
}

type Kept<U extends Unit> = {
  readonly recorder: FlightRecorder<U>;
  readonly reasons: HeldReasons;
  readonly startedAtMs: number;
};

function statusOf<U extends Unit>(
  options: ToldOptions<U>,
  { recorder, reasons, startedAtMs }: Kept<U>,
): DaemonStatus {
  const { config, version, findings, state, reconciler, health, nowMs } = options;
  const { passes } = recorder;
  return {
    version: daemonStatusVersion,
    sluice: version,
    node: config.nodeName,
    mode: config.proxyMode,
    tools: findings,
    kernel: release(),
    startedAtMs,
    nowMs: nowMs(),
    memoryBytes: residentBytes(),
    source: sourceOf(options),
    families: health.status().flatMap((status) => {
      const desired = reconciler.desired(status.family);
      if (desired === undefined) return [];
      return [familyState(status, desired.decisions, { reasons, services: state.serviceKeys })];
    }),
    passes: { count: passes.at(-1)?.number ?? 0, last: passes.slice(-lastPasses).toReversed() },
  };
}

function sourceOf<U extends Unit>({ manifests, reach }: ToldOptions<U>): StatusSource {
  if (manifests !== undefined) return { kind: 'manifests', path: manifests };
  const heard = reach();
  if (heard === undefined) return { kind: 'api-server' };
  const { isConnected, sinceMs } = heard;
  return { kind: 'api-server', reach: { isConnected, sinceMs } };
}

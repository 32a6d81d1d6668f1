// What the daemon answers at the debug server: the objects, its health, the flight record, and the page.
import { release } from 'node:os';
import type { PureBackend } from '../../backends/backend.ts';
import { pathsOf } from '../../explain/chain-path.ts';
import { residentBytes } from '../../host/memory.ts';
import type { Connections, PortConnections } from '../../model/connections.ts';
import { connectionsVersion } from '../../model/connections.ts';
import type { DaemonStatus, NodeTrouble, StatusSource } from '../../model/daemon-status.ts';
import { daemonStatusVersion } from '../../model/daemon-status.ts';
import type { Family } from '../../model/ip.ts';
import type { ClusterReach } from '../../model/proxy-status.ts';
import type { Counted } from '../../netfilter/counted.ts';
import { jsonAnswer } from '../../serve/answer.ts';
import { debugObjectsAnswer } from '../../serve/debug-objects.ts';
import type { DebugPages } from '../../serve/debug-pages.ts';
import type { PageData } from '../../serve/page/overview.ts';
import { pageAt } from '../../serve/page/pages.ts';
import { portConnections, RunningTotals } from './connections.ts';
import { familyState, QuarantineReasons } from './family-state.ts';
import { FlightRecorder } from '../record/flight-recorder.ts';
import type { ProxyHealth } from './proxy-health.ts';
import type { Core } from '../core.ts';
import type { Host } from '../host.ts';
import type { PassListener } from '../pass.ts';

/** What the pages show. */
export type PagesOptions = Pick<
  Core,
  | 'config'
  | 'version'
  | 'families'
  | 'findings'
  | 'state'
  | 'reconciler'
  | 'isTcpLiberal'
  | 'statusPage'
> & {
  /** Where the objects come from. */
  readonly source: StatusSource;
  readonly backend: PureBackend;
  readonly health: ProxyHealth;
  readonly host: Pick<Host, 'clock' | 'hostIps' | 'nowMs'>;
  /** Reads what the kernel counted. */
  readonly connections: (family: Family) => Promise<readonly Counted[]>;
  /** Undefined while nothing was heard of the API server. */
  readonly reach: () => ClusterReach | undefined;
  /** What is wrong with the objects now, a line each. */
  readonly problems: () => readonly string[];
  /** What is wrong with the node as a whole now. */
  readonly troubles: () => readonly NodeTrouble[];
};

/** The pages, and who hears of passes for them. */
export type Pages = {
  readonly pages: DebugPages;
  readonly listeners: readonly PassListener[];
  /** Reads what the kernel counted of new connections. */
  readonly connections: () => Promise<Connections>;
};

const lastPasses = 10;

/** Makes them; the daemon started now. */
export function createPages(options: PagesOptions): Pages {
  const { config, state, reconciler, host } = options;
  const { hostIps, nowMs } = host;
  const reasons = new QuarantineReasons();
  const recorder = new FlightRecorder({
    ...options,
    ...host,
    mode: config.proxyMode,
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
      page: (path) => (options.statusPage ? pageAt(path, readPage) : undefined),
    },
    connections,
    listeners: [reasons, recorder],
  };
}

// Reading a large table takes a second: who asks meanwhile gets the same answer.
function connectionsReader(options: PagesOptions): () => Promise<Connections> {
  const totals = new Map(options.families.map((family) => [family, new RunningTotals()]));
  let reading: Promise<Connections> | undefined;
  return () => {
    reading ??= readConnections(options, totals).finally(() => (reading = undefined));
    return reading;
  };
}

async function readConnections(
  { config, families, reconciler, connections, host }: PagesOptions,
  totals: ReadonlyMap<Family, RunningTotals>,
): Promise<Connections> {
  const atMs = host.clock.now();
  const ports: PortConnections[] = [];
  for (const family of families) {
    const counted = totals.get(family)?.add(await connections(family)) ?? [];
    const forwarding = reconciler.desired(family)?.decisions.forwarding() ?? [];
    ports.push(...portConnections(family, forwarding, counted));
  }
  const { proxyMode: mode, serviceCounters: counters } = config;
  return { version: connectionsVersion, mode, counters, atMs, ports };
}

function forwardingOf({ families, reconciler }: PagesOptions): PageData['services'] {
  const all = families.flatMap((family) => [
    ...(reconciler.desired(family)?.decisions.forwarding() ?? []),
  ]);
  return Map.groupBy(all, ({ service }) => service);
}

type Kept = {
  readonly recorder: FlightRecorder;
  readonly reasons: QuarantineReasons;
  readonly startedAtMs: number;
};

function statusOf(options: PagesOptions, { recorder, reasons, startedAtMs }: Kept): DaemonStatus {
  const { config, version, findings, state, reconciler, health, host } = options;
  const { passes } = recorder;
  const last = passes.at(-1);
  return {
    version: daemonStatusVersion,
    sluice: version,
    node: config.nodeName,
    mode: config.proxyMode,
    tools: findings,
    kernel: release(),
    startedAtMs,
    nowMs: host.nowMs(),
    memoryBytes: residentBytes(),
    source: sourceOf(options),
    troubles: options.troubles(),
    families: health.status().flatMap((status) => {
      const desired = reconciler.desired(status.family);
      if (desired === undefined) return [];
      const error = last?.families.find(({ family }) => family === status.family)?.error;
      const now = { ...status, ...(error === undefined ? {} : { error }) };
      return [familyState(now, desired.decisions, { reasons, services: state.serviceKeys })];
    }),
    passes: { count: last?.number ?? 0, last: passes.slice(-lastPasses).toReversed() },
  };
}

const firstProblems = 10;

function sourceOf({ source, reach, problems }: PagesOptions): StatusSource {
  const lines = problems();
  const listed = { count: lines.length, first: lines.slice(0, firstProblems) };
  const heard = reach();
  if (source.kind === 'manifests' || heard === undefined) return { ...source, problems: listed };
  const { isConnected, sinceMs } = heard;
  return { ...source, problems: listed, reach: { isConnected, sinceMs } };
}

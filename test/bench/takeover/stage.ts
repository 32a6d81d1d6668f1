// A lab whose node has kube-proxy's rules for some Services, clients that open connections to them, and
// connections that stay. In: kube-proxy's mode, how many and how often. Out: events, counted.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { createLab, type Lab } from '../../../src/lab/lab.ts';
import { manifestDigest, type SluiceProcess } from '../../../src/lab/sluice-process.ts';
import { clusterRange, nodes, type Host } from '../../../src/lab/topology.ts';
import type { ProxyMode } from '../../../src/model/config.ts';
import type { variants } from '../../support/one-variant.ts';
import { holdConnections, type HeldConnections } from './held.ts';
import { kubeProxyRules } from './kube-proxy-rules.ts';
import { startAcceptor, startOpener, type Opener, type OpenReport } from './opener.ts';
import { benchServices, endpoints, manifestOf, ports, type BenchService } from './services.ts';

/** Whose rules stand at the beginning, and what is asked of them. */
export type StageOptions = {
  readonly kubeProxy: ProxyMode;
  /** Which of the two programs that are called iptables kube-proxy used; else whichever is installed so. */
  readonly variant?: (typeof variants)[number];
  readonly services: number;
  /** For each client: milliseconds between two opens of one Service; the most eager one comes first. */
  readonly clients: Readonly<Partial<Record<Host, number>>>;
  /** How long it is counted on after an event: what it leaves behind must show. */
  readonly afterEventMs: number;
};

/** What came of all clients together. */
export type EventReport = Omit<OpenReport, 'gapsMs'> & {
  readonly event: string;
  readonly longestGapMs: number;
  /** The longest time between two successful opens by the first client, Service by Service. */
  readonly gapsMs: readonly number[];
  readonly held: number;
  readonly broken: readonly string[];
};

/** What was lost, in words; empty where nothing was. */
export function lossesOf({ failed, late, broken }: EventReport): readonly string[] {
  return [
    ...Object.entries(failed).map(([why, count]) => `${count} opens failed: ${why}`),
    ...(late === 0 ? [] : [`the first packet of ${late} opens was lost`]),
    ...broken.map((connection) => `broken: ${connection}`),
  ];
}

/** What an event may do to the node. */
export type Stage = AsyncDisposable & {
  readonly lab: Lab;
  /** Runs `sluice takeover` in a mode. */
  readonly takeover: (mode: ProxyMode) => Promise<void>;
  readonly rollback: () => Promise<void>;
  /** Starts `sluice run`, and awaits that the kernel is in step. */
  readonly run: (mode: ProxyMode) => Promise<SluiceProcess>;
  /** Carries out an event, and counts what becomes of connections until some time after it. */
  readonly count: (event: string, carryOut: () => Promise<unknown>) => Promise<EventReport>;
};

/** Sets it up; kube-proxy's rules stand, and connections are made. */
export async function createStage(options: StageOptions): Promise<Stage> {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-takeover-'));
  const lab = await createLab();
  let held: HeldConnections | undefined;
  const dispose = async (): Promise<void> => {
    await held?.close();
    await lab.close();
    await rm(folder, { recursive: true, force: true });
  };
  try {
    const services = benchServices(options.services);
    await loadKubeProxy(lab, options, services);
    await Promise.all(
      endpoints.map(({ host }) => startAcceptor(lab.namespace(host), ports[0].targetPort)),
    );
    held = await holdConnections(lab, heldTargets(services, options));
    const openers = Object.entries(options.clients).map(([host, everyMs]) =>
      startOpener(lab.namespace(host as Host), { everyMs, targets: openTargets(services) }),
    );
    const text = manifestOf(services);
    const manifests = join(folder, 'services.yaml');
    await writeFile(manifests, text);
    const files = { manifests, beforeFile: join(folder, 'before.json') };
    const count = counter(openers, held, options);
    await count('warm-up', () => Promise.resolve());
    return { lab, count, ...commands(lab, files, text), [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function loadKubeProxy(
  lab: Lab,
  { kubeProxy, variant }: StageOptions,
  services: readonly BenchService[],
): Promise<void> {
  const input = await kubeProxyRules(kubeProxy, services);
  const iptables = variant === undefined ? 'iptables' : `iptables-${variant}`;
  const tool =
    kubeProxy === 'nftables' ? (['nft', '-f', '-'] as const) : ([`${iptables}-restore`] as const);
  await lab.exec('n1', tool, { input });
  // Else ten thousand connections a second that are over stand in it for ten seconds each.
  const shorten = 'echo 1 > /proc/sys/net/netfilter/nf_conntrack_tcp_timeout_close';
  await lab.exec('n1', ['sh', '-c', shorten]);
}

function openTargets(services: readonly BenchService[]): readonly string[] {
  return services.map(({ clusterIp }) => `${clusterIp}:${ports[0].port}`);
}

function heldTargets(services: readonly BenchService[], { clients }: StageOptions) {
  const hosts = Object.keys(clients) as Host[];
  return services.map(({ clusterIp }, index) => ({
    from: hosts[index % hosts.length] as Host,
    to: clusterIp,
    port: ports[1].port,
  }));
}

function commands(
  lab: Lab,
  { manifests, beforeFile }: { readonly manifests: string; readonly beforeFile: string },
  text: string,
): Pick<Stage, 'takeover' | 'rollback' | 'run'> {
  const sluice = fileURLToPath(new URL('../../../bin/sluice', import.meta.url));
  const before = ['--before-file', beforeFile];
  const ranges = ['--cluster-cidr', `${clusterRange.ipv4},${clusterRange.ipv6}`];
  const identity = ['--hostname-override', nodes[0].nodeName];
  return {
    async takeover(proxyMode) {
      const flags = ['--manifests', manifests, '--proxy-mode', proxyMode, ...ranges, ...identity];
      await lab.exec('n1', [sluice, 'takeover', ...flags, ...before]);
    },
    async rollback() {
      await lab.exec('n1', [sluice, 'rollback', ...before]);
    },
    async run(proxyMode) {
      const running = lab.startSluice({ manifests, proxyMode, flags: before });
      await running.inStep(manifestDigest(text));
      return running;
    },
  };
}

function counter(
  openers: readonly Opener[],
  held: HeldConnections,
  { afterEventMs }: StageOptions,
): Stage['count'] {
  const endPeriod = () => Promise.all(openers.map((opener) => opener.period()));
  return async (event, carryOut) => {
    await held.renew();
    await Promise.all([endPeriod(), held.broken()]);
    await carryOut();
    await delay(afterEventMs);
    const [reports, broken] = await Promise.all([endPeriod(), held.broken()]);
    return { event, ...together(reports), held: held.count, broken };
  };
}

function together(reports: readonly OpenReport[]): Omit<EventReport, 'event' | 'held' | 'broken'> {
  const sum = (of: (report: OpenReport) => number): number =>
    reports.reduce((total, report) => total + of(report), 0);
  const failed: Record<string, number> = {};
  for (const report of reports) {
    for (const [why, n] of Object.entries(report.failed)) failed[why] = (failed[why] ?? 0) + n;
  }
  // The client that comes first opens most often, and so has the finest view.
  const gapsMs = reports[0]?.gapsMs ?? [];
  return {
    seconds: Math.max(...reports.map(({ seconds }) => seconds)),
    tried: sum(({ tried }) => tried),
    opened: sum(({ opened }) => opened),
    late: sum(({ late }) => late),
    skipped: sum(({ skipped }) => skipped),
    behindMs: Math.max(...reports.map(({ behindMs }) => behindMs)),
    failed,
    longestGapMs: Math.max(...gapsMs),
    gapsMs,
  };
}

// What a daemon is made of. One that changes nothing only logs and prints.
import type { Config } from '../model/config.ts';
import type { ServiceKey } from '../model/kubernetes.ts';
import type { Core } from './core.ts';
import { DriftWatch } from './drift/drift-watch.ts';
import { driftTeller, type Tellers } from './drift/tell-drift.ts';
import { ServiceTroubles } from './events/service-troubles.ts';
import { Troubles } from './events/troubles.ts';
import { createFollowers } from './followers/followers.ts';
import { createTakeOver } from './followers/take-over.ts';
import { hostSettingsPart } from './host-settings.ts';
import { logPasses } from './log-passes.ts';
import type { DaemonPart } from './daemon-part.ts';
import { nodeWatch } from './node-watch.ts';
import { ProxyHealth } from './serving/proxy-health.ts';
import { createServing, type ClusterListener } from './serving/serving.ts';

/** The parts, and who hears of the API server. */
export type Parts = {
  readonly parts: readonly DaemonPart[];
  readonly cluster: ClusterListener;
};

/** Makes the parts; none of them does anything yet. */
export async function createParts(core: Core): Promise<Parts> {
  const { dryRun } = core;
  const troubles = new Troubles({ ...core, nodeName: core.config.nodeName });
  const node = nodeWatch({ ...core, troubles });
  const always = [logPasses(core), serviceTroubles(core), node, configPart(core)];
  if (dryRun !== undefined) {
    return {
      parts: [...always, dryRun],
      cluster: { onHealth: () => {}, onEvent: () => {}, onProblems: () => {} },
    };
  }
  const { parts, cluster } = await changingParts(core, troubles);
  return { parts: [...always, ...parts], cluster };
}

async function changingParts(core: Core, troubles: Troubles): Promise<Parts> {
  const { config, backend, families, source, host, tools, log } = core;
  const { clock } = host;
  const { syncPeriodMs } = config;
  const health = new ProxyHealth({ now: clock.now, families, syncPeriodMs });
  const { parts, metrics, cluster } = await createServing({
    ...core,
    source: source.status,
    health,
    troubles: () => troubles.all,
    connections: (family) => backend.connections(family),
  });
  tools.listeners.add(metrics.commandEnded);
  return {
    parts: [
      hostSettingsPart({ config, files: host.files, log }),
      ...parts,
      driftPart(core, { troubles, count: metrics.drifted }),
      core.localhost.part(() => takeOver(core, core.reconciler.config)),
      ...createFollowers({
        ...core,
        exec: tools.exec,
        isProxyHealthy: () => health.isHealthy,
        onFlowsRemoved: metrics.flowsRemoved,
      }),
      createTakeOver({ ...core, exec: tools.exec, mode: backend.name, troubles }),
    ],
    cluster,
  };
}

function driftPart(core: Core, told: Pick<Tellers, 'troubles' | 'count'>): DaemonPart {
  const { config, host, loop, tools } = core;
  const { nodeName, syncPeriodMs } = config;
  return new DriftWatch({
    ...core,
    syncPeriodMs,
    own: tools.own,
    clock: host.clock,
    hear: host.hearChanges,
    nudge: () => loop.nudge('drift'),
    listener: driftTeller({ ...core, ...told, nodeName }),
  });
}

function takeOver({ reconciler, localhost, loop }: Core, config: Config): void {
  reconciler.reconfigure(localhost.inForce(config));
  loop.nudge('configuration');
}

function serviceTroubles({ state, record, log, dryRun }: Core): DaemonPart {
  const exists = (service: ServiceKey): boolean => state.service(service) !== undefined;
  return new ServiceTroubles({ exists, record, log, isDryRun: dryRun !== undefined });
}

// Takes over other configurations.
function configPart(core: Core): DaemonPart {
  const { followConfig, log, signal } = core;
  if (followConfig === undefined) return {};
  const onConfig = (config: Config): void => takeOver(core, config);
  return { run: () => followConfig({ log, signal, onConfig }) };
}

// What the daemon keeps in step with the rules, besides the rules: the servers at healthCheckNodePort, the
// warning of taken node ports, conntrack entries, and its own memory.
import type { Logger } from 'pino';
import type { ClusterState } from '../../cluster/state.ts';
import { removeStaleFlows } from '../../host/netfilter/conntrack.ts';
import type { Exec } from '../../host/tools/exec.ts';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { Family, Ip } from '../../model/ip.ts';
import { families } from '../../model/ip.ts';
import { touchedFrontends } from '../../netfilter/flows.ts';
import { takesNodePorts } from '../../model/settings.ts';
import type { Unit } from '../../netfilter/program.ts';
import { nodeIpsOf } from '../../resolve/node-ips.ts';
import { HealthCheckNodePorts } from '../../serve/health-check-node-ports.ts';
import type { Reconciler } from '../../sync/reconcile.ts';
import type { Host } from '../host.ts';
import type { DaemonPart } from '../daemon-part.ts';
import { whereInStep } from '../pass.ts';
import { FlowKeeper } from './flow-keeper.ts';
import { healthCheckAddresses, HealthChecks } from './health-checks.ts';
import { TakenPorts } from './taken-ports.ts';

/** What the followers work with. */
export type FollowersOptions = {
  readonly state: ClusterState;
  readonly reconciler: Reconciler<Unit>;
  readonly exec: Exec;
  readonly host: Host;
  readonly isProxyHealthy: () => boolean;
  /** Hears of every look for stale flows. */
  readonly onFlowsRemoved: (family: Family, removed: number, seconds: number) => void;
  readonly record: RecordEvent;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** Makes the followers of a daemon; nothing happens before a pass. */
export function createFollowers(options: FollowersOptions): readonly DaemonPart[] {
  return [
    healthCheckPart(options),
    takenPortsPart(options),
    flowPart(options),
    memoryPart(options),
  ];
}

function healthCheckPart(options: FollowersOptions): DaemonPart {
  const { reconciler, state, host, isProxyHealthy, record, log } = options;
  const servers = new Map(
    families.map((family) => [family, new HealthCheckNodePorts(isProxyHealthy)]),
  );
  const addresses = (family: Family): readonly string[] => {
    const { config } = reconciler;
    const nodeIps = Object.values(nodeIpsOf(config, state.node).ips);
    return healthCheckAddresses(config, { nodeIps, hostIps: host.hostIps() }, family);
  };
  const checks = new HealthChecks({ servers, addresses, record, log });
  return {
    ...whereInStep(({ family, settled }) => checks.update(family, settled)),
    goOn: () => checks.hasFailed,
    async close() {
      for (const server of servers.values()) server.close();
    },
  };
}

function takenPortsPart(options: FollowersOptions): DaemonPart {
  const { log, host } = options;
  const takes = (ip: Ip): boolean => families.some((family) => takesIn(options, family, ip));
  const { readListeners } = host;
  const takenPorts = new TakenPorts({ readListeners, takesNodePorts: takes, log });
  return whereInStep(({ family, settled }) => takenPorts.look(family, settled));
}

// Each reads the whole table, which is 0.25 s where it has 100,000 entries: this is a minute of them.
const maxDeletions = 250;
const conntrackTimeoutMs = 60_000;

// Flows are mostly gone within 0.1 s: only where there are very many is it not waited for.
const longestQuietMs = 2000;

function flowPart(options: FollowersOptions): DaemonPart {
  const { reconciler, host, log, signal, onFlowsRemoved } = options;
  const { clock, execLines } = host;
  const limits = { deletions: maxDeletions, timeoutMs: conntrackTimeoutMs, signal };
  const keeper = new FlowKeeper({
    async remove(selection) {
      const start = clock.now();
      const removal = await removeStaleFlows(execLines, selection, limits);
      onFlowsRemoved(selection.family, removal.removed, (clock.now() - start) / 1000);
      return removal;
    },
    view: (family) => ({
      frontendAt: (id) => reconciler.desired(family)?.decisions.frontendAt(id),
      takesNodePorts: (ip) => takesIn(options, family, ip),
    }),
    log,
    signal,
  });
  return {
    ...whereInStep(({ family, settled: { before, after } }) =>
      keeper.add(family, touchedFrontends([...before, ...after])),
    ),
    goOn() {
      keeper.goOn();
      return false;
    },
    async quiet() {
      if (keeper.isIdle) return;
      await Promise.race([keeper.idle(), clock.delay(longestQuietMs, signal)]);
    },
    close: () => keeper.idle(),
  };
}

const memoryDelayMs = 3000;

// Given back once, when the rules stand and what a start brings with it has settled.
function memoryPart({ host, signal }: FollowersOptions): DaemonPart {
  let isDue = true;
  host.keepGarbageSmall();
  return whereInStep(() => {
    if (!isDue) return;
    isDue = false;
    void host.clock
      .delay(memoryDelayMs, signal)
      .then(() => signal.aborted || host.giveBackMemory());
  });
}

function takesIn({ reconciler, host }: FollowersOptions, family: Family, ip: Ip): boolean {
  const nodePorts = reconciler.desired(family)?.settings.nodePorts;
  return nodePorts !== undefined && takesNodePorts(nodePorts, ip, host.hostIps());
}

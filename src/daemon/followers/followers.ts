// What `sluice run` keeps in step with the rules, besides the rules: conntrack entries, the servers at
// healthCheckNodePort, the warning of taken node ports, and the setting for node ports at 127.0.0.1.
import { setTimeout as delay } from 'node:timers/promises';
import type { Logger } from 'pino';
import { removeStaleFlows } from '../../host/netfilter/conntrack.ts';
import type { ExecLines } from '../../host/tools/exec-lines.ts';
import type { Exec } from '../../host/tools/exec.ts';
import { readListeners } from '../../host/network/listening-ports.ts';
import { keepRouteLocalnet } from '../../host/kernel/route-localnet.ts';
import type { RecordEvent } from '../../model/cluster-event.ts';
import type { Config } from '../../model/config.ts';
import type { Family, Ip } from '../../model/ip.ts';
import { families } from '../../model/ip.ts';
import { touchedFrontends } from '../../netfilter/flows.ts';
import { takesNodePorts } from '../../netfilter/node-port-address.ts';
import type { Unit } from '../../netfilter/program.ts';
import type { ClusterState } from '../../cluster/state.ts';
import { nodeIpsOf } from '../../resolve/node-ips.ts';
import { HealthCheckNodePorts } from '../../serve/health-check-node-ports.ts';
import type { Follower } from '../pass.ts';
import { FlowKeeper } from './flow-keeper.ts';
import { healthCheckAddresses, HealthChecks } from './health-checks.ts';
import type { Reconciler } from '../../sync/reconcile.ts';
import { TakenPorts } from './taken-ports.ts';

/** What the followers work with. */
export type FollowersOptions<U extends Unit> = {
  readonly config: Config;
  readonly state: ClusterState;
  readonly reconciler: Reconciler<U>;
  readonly exec: Exec;
  readonly execLines: ExecLines;
  /** All addresses on the host's interfaces, now. */
  readonly hostIps: () => readonly Ip[];
  readonly isProxyHealthy: () => boolean;
  /** Hears of every look for stale flows. */
  readonly onFlowsRemoved: (family: Family, removed: number, seconds: number) => void;
  readonly record: RecordEvent;
  readonly log: Logger;
  readonly signal: AbortSignal;
};

/** All of them together. */
export type Followers = {
  readonly followers: readonly Follower[];
  /** To be called now and then: takes up what could not be finished; true where that takes a pass. */
  readonly goOn: () => boolean;
  /** Resolves when nothing of it goes on beside the passes, or has gone on for long enough. */
  readonly untilQuiet: () => Promise<void>;
  readonly close: () => Promise<void>;
};

// Each reads the whole table, which is 0.25 s where it has 100,000 entries: this is a minute of them.
const maxDeletions = 250;
const conntrackTimeoutMs = 60_000;

// Flows are mostly gone within 0.1 s: only where there are very many is it not waited for.
const longestQuietMs = 2000;

/** Makes the followers of a daemon; nothing happens before one of them is called. */
export function createFollowers<U extends Unit>(options: FollowersOptions<U>): Followers {
  const { log } = options;
  const keeper = flowKeeper(options);
  const servers = new Map(
    families.map((family) => [family, new HealthCheckNodePorts(options.isProxyHealthy)]),
  );
  const checks = healthChecks(options, servers);
  const takes = (ip: Ip): boolean => families.some((family) => takesIn(options, family, ip));
  const takenPorts = new TakenPorts({ readListeners, takesNodePorts: takes, log });
  return {
    followers: [
      localnetFollower(options),
      ({ family, settled }) => checks.update(family, settled),
      ({ family, settled }) => takenPorts.look(family, settled),
      ({ family, settled: { before, after } }) =>
        keeper.add(family, touchedFrontends([...before, ...after])),
    ],
    goOn() {
      keeper.goOn();
      return checks.hasFailed;
    },
    async untilQuiet() {
      if (keeper.isIdle) return;
      await Promise.race([keeper.idle(), delay(longestQuietMs, undefined, { ref: false })]);
    },
    async close() {
      for (const server of servers.values()) server.close();
      await keeper.idle();
    },
  };
}

// Not before the rules that shut out what others send to loopback addresses are there.
function localnetFollower<U extends Unit>({ reconciler, exec }: FollowersOptions<U>): Follower {
  let isAllowed = false;
  return async ({ family }) => {
    if (isAllowed || reconciler.desired(family)?.settings.localhostNodePorts !== true) return;
    await keepRouteLocalnet(exec);
    isAllowed = true;
  };
}

function flowKeeper<U extends Unit>(options: FollowersOptions<U>): FlowKeeper {
  const { reconciler, execLines, log, signal, onFlowsRemoved } = options;
  const limits = { deletions: maxDeletions, timeoutMs: conntrackTimeoutMs, signal };
  return new FlowKeeper({
    async remove(selection) {
      const start = performance.now();
      const removal = await removeStaleFlows(execLines, selection, limits);
      onFlowsRemoved(selection.family, removal.removed, (performance.now() - start) / 1000);
      return removal;
    },
    view: (family) => ({
      frontendAt: (id) => reconciler.desired(family)?.decisions.frontendAt(id),
      takesNodePorts: (ip) => takesIn(options, family, ip),
    }),
    log,
    signal,
  });
}

function healthChecks<U extends Unit>(
  { reconciler, state, hostIps, record, log }: FollowersOptions<U>,
  servers: ReadonlyMap<Family, HealthCheckNodePorts>,
): HealthChecks {
  return new HealthChecks({
    record,
    servers,
    addresses: (family) => {
      const { config } = reconciler;
      const nodeIps = Object.values(nodeIpsOf(config, state.node).ips);
      return healthCheckAddresses(config, { nodeIps, hostIps: hostIps() }, family);
    },
    log,
  });
}

function takesIn<U extends Unit>(
  { reconciler, hostIps }: FollowersOptions<U>,
  family: Family,
  ip: Ip,
): boolean {
  const nodePorts = reconciler.desired(family)?.settings.nodePorts;
  return nodePorts !== undefined && takesNodePorts(nodePorts, ip, hostIps());
}

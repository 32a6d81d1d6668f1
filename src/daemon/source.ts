// Where the daemon gets the cluster's objects from: manifests where they are named, the API server
// otherwise.
import type { Logger } from 'pino';
import type { EventRecorder } from '../cluster/api/events/event-recorder.ts';
import type { ClusterSource } from '../cluster/api/follow-cluster.ts';
import type { ManifestSource } from '../cluster/manifests/follow-manifests.ts';
import type { Config } from '../model/config.ts';
import type { StatusSource } from '../model/daemon-status.ts';
import type { Node } from '../model/kubernetes.ts';
import type { Batch } from './loop.ts';

/** What following a source takes. */
export type Following = {
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Sends its Events to the API server that is followed. */
  readonly recorder: EventRecorder | undefined;
  /** Hears of everything that is wrong with the objects now, a line each. */
  readonly onProblems?: (lines: readonly string[]) => void;
} & Pick<ClusterSource, 'onHealth' | 'onEvent'>;

/** A source of objects. */
export type Source = {
  /** As status prints it. */
  readonly status: StatusSource;
  /** Delivers batches until the signal comes; throws where it cannot be used at all. */
  readonly follow: (following: Following, deliver: (batch: Batch) => void) => Promise<void>;
};

// What reads YAML, and what signs in, is larger than all of Sluice: either is loaded only where it is used.

/**
 * A file or folder of manifests, or `-`: standard input. What was good of it is kept over a restart below
 * `stateFolder`, if there is one.
 */
export function manifestSource(
  path: string,
  { stdin, stateFolder }: Pick<ManifestSource, 'stdin' | 'stateFolder'>,
): Source {
  return {
    status: { kind: 'manifests', path },
    async follow({ signal, log, onProblems }, deliver) {
      const { followManifests } = await import('../cluster/manifests/follow-manifests.ts');
      await followManifests({ path, stdin, signal, log, stateFolder, onProblems }, deliver);
    },
  };
}

// As kube-proxy waits for the Node's pod ranges before it gives up on them.
const podRangeWaitMs = 5 * 60_000;

/** The API server that the configuration names. */
export function clusterSource(config: Config): Source {
  const { clientConnection, nodeName } = config;
  return {
    status: { kind: 'api-server' },
    async follow({ recorder, ...following }, deliver) {
      const { ApiConnection } = await import('../cluster/api/connection/connection.ts');
      const { followCluster } = await import('../cluster/api/follow-cluster.ts');
      const { kubeconfig, master } = clientConnection;
      const connection = await ApiConnection.open({ kubeconfig, master });
      const source = { connection, nodeName, ...following, ...nodeWait(config) };
      await Promise.all([
        followCluster(source, deliver),
        recorder?.run(connection, following.signal),
      ]);
    },
  };
}

// In this mode nothing distinguishes pods from others until the Node says what its pods' range is.
function nodeWait({ detectLocal }: Config) {
  if (detectLocal.mode !== 'NodeCIDR') return {};
  const isNodeReady = (node: Node | undefined): boolean => (node?.podCidrs.length ?? 0) > 0;
  return { isNodeReady, nodeWaitMs: podRangeWaitMs };
}

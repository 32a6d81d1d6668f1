// Where `sluice run` gets the cluster's objects from: manifests where they are named, the API server
// otherwise.
import type { Logger } from 'pino';
import type { EventRecorder } from '../cluster/api/events/event-recorder.ts';
import type { ClusterSource } from '../cluster/api/follow-cluster.ts';
import type { ByteStream } from '../cluster/manifests/files.ts';
import type { Config } from '../model/config.ts';
import type { Node } from '../model/kubernetes.ts';
import type { Batch } from './loop.ts';

/** What names the source, and what following it takes. */
export type SourceOptions = {
  /** The file, the folder, or `-`; undefined: the API server that `config` names. */
  readonly manifests: string | undefined;
  readonly config: Config;
  readonly stdin: ByteStream;
  readonly signal: AbortSignal;
  readonly log: Logger;
  /** Sends its Events to the API server that is followed. */
  readonly recorder: EventRecorder | undefined;
} & Pick<ClusterSource, 'onHealth' | 'onEvent'>;

// As kube-proxy waits for the Node's pod ranges before it gives up on them.
const podRangeWaitMs = 5 * 60_000;

/** Delivers batches until the signal comes; throws where the source cannot be used at all. */
export async function followSource(
  { manifests, config, stdin, signal, log, recorder, ...listeners }: SourceOptions,
  deliver: (batch: Batch) => void,
): Promise<void> {
  // Either is loaded only where it is used: what reads YAML, and what signs in, is larger than all of
  // Sluice.
  if (manifests !== undefined) {
    const { followManifests } = await import('../cluster/manifests/follow-manifests.ts');
    return followManifests({ path: manifests, stdin, signal, log }, deliver);
  }
  const { ApiConnection } = await import('../cluster/api/connection/connection.ts');
  const { followCluster } = await import('../cluster/api/follow-cluster.ts');
  const { kubeconfig, master } = config.clientConnection;
  const connection = await ApiConnection.open({ kubeconfig, master });
  const { nodeName } = config;
  const source = { connection, nodeName, signal, log, ...listeners, ...nodeWait(config) };
  await Promise.all([followCluster(source, deliver), recorder?.run(connection, signal)]);
}

// In this mode nothing tells pods from others until the Node says what its pods' range is.
function nodeWait({ detectLocal }: Config) {
  if (detectLocal.mode !== 'NodeCIDR') return {};
  const isNodeReady = (node: Node | undefined): boolean => (node?.podCidrs.length ?? 0) > 0;
  return { isNodeReady, nodeWaitMs: podRangeWaitMs };
}

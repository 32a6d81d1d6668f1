// The Events of `sluice run` about its own Node, and who sends them: only a proxy that follows an API server
// has a recipient.
import type { Logger } from 'pino';
import { EventRecorder } from '../../cluster/api/events/event-recorder.ts';
import type { BindError } from '../../errors.ts';
import {
  recordNothing,
  type ClusterEvent,
  type RecordEvent,
  type Regarding,
} from '../../model/cluster-event.ts';

/** Who sends Events, if anyone, and what all parts give theirs to. */
export type ProxyEvents = {
  readonly recorder: EventRecorder | undefined;
  readonly record: RecordEvent;
};

/** Makes them; nothing is sent before the recorder runs. */
export function createEvents(options: {
  readonly nodeName: string;
  /** The cluster is followed, and changed. */
  readonly isLive: boolean;
  readonly log: Logger;
}): ProxyEvents {
  if (!options.isLive) return { recorder: undefined, record: recordNothing };
  const recorder = new EventRecorder(options);
  return { recorder, record: (event) => recorder.record(event) };
}

// In kube-proxy's words, for who looks for them.
const action = 'StartKubeProxy';

/** This proxy follows the cluster now. */
export function startingEvent(nodeName: string, version: string): ClusterEvent {
  const regarding = nodeRegarding(nodeName);
  return { regarding, type: 'Normal', reason: 'Starting', action, note: `sluice ${version}` };
}

/** A port cannot be had, and the proxy ends for it. */
export function cannotServeEvent(
  nodeName: string,
  what: 'health' | 'metrics' | 'debug',
  { message: note }: BindError,
): ClusterEvent {
  const reasons = {
    health: 'FailedToStartProxierHealthcheck',
    metrics: 'FailedToStartMetricServer',
    debug: 'FailedToStartDebugServer',
  };
  const regarding = nodeRegarding(nodeName);
  return { regarding, type: 'Warning', reason: reasons[what], action, note };
}

/** The Node by its name for a uid, as the kubelet does: `kubectl describe node` looks for both. */
export function nodeRegarding(nodeName: string): Regarding {
  return { kind: 'Node', namespace: '', name: nodeName, uid: nodeName };
}

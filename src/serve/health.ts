// /healthz and /livez as kube-proxy serves them: load balancers ask the first whether to send traffic to
// this node, the kubelet asks the second whether to restart the proxy.
import type { ClusterReach, ProxyStatus } from '../model/proxy-status.ts';
import type { Answer, Answerer } from './answer.ts';
import { jsonAnswer, notFound } from './answer.ts';

/** Whom a path is for. */
export type HealthPath = '/healthz' | '/livez';

export type HealthOptions = {
  readonly status: () => ProxyStatus;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  /** Hears of every answer. */
  readonly onAnswer?: (path: HealthPath, status: number) => void;
};

/** Answers the two paths, and no other. */
export function healthAnswerer({ status, nowMs, onAnswer }: HealthOptions): Answerer {
  return (path) => {
    if (path !== '/healthz' && path !== '/livez') return notFound;
    const answer = healthAnswer(path, status(), nowMs());
    onAnswer?.(path, answer.status);
    return answer;
  };
}

/** What is said at `path`; only /healthz cares about the Node. */
function healthAnswer(
  path: HealthPath,
  { families, isNodeEligible, cluster }: ProxyStatus,
  nowMs: number,
): Answer {
  const healthy = families.every(({ isHealthy }) => isHealthy);
  const isOk = healthy && (path === '/livez' || isNodeEligible);
  const updates = families.map(({ sinceUpdateMs }) => nowMs - sinceUpdateMs);
  const status = families.map(({ family, sinceUpdateMs, isHealthy }) => [
    family,
    { lastUpdated: goTime(nowMs - sinceUpdateMs), healthy: isHealthy },
  ]);
  const body = {
    // Where all is well nothing is left to update: the rules are those of this moment.
    lastUpdated: isOk ? goTime(nowMs) : lastOf(updates),
    currentTime: goTime(nowMs),
    ...(path === '/healthz' ? { nodeEligible: isNodeEligible } : {}),
    healthy,
    ...(status.length > 0 ? { status: Object.fromEntries(status) as object } : {}),
    // Not in kube-proxy. It is reported, and makes nothing unhealthy.
    ...(cluster === undefined ? {} : { apiServer: reachOf(cluster) }),
  };
  return jsonAnswer(body, isOk ? 200 : 503);
}

function reachOf({ isConnected, sinceMs }: ClusterReach): object {
  return { connected: isConnected, since: goTime(sinceMs) };
}

function lastOf(times: readonly number[]): string {
  return times.length === 0 ? '0001-01-01T00:00:00Z' : goTime(Math.max(...times));
}

// RFC 3339 as Go prints it: without zeros at the end of a fraction.
function goTime(ms: number): string {
  return new Date(ms).toISOString().replace(/\.?0+Z$/, 'Z');
}

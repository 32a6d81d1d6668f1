// What the metrics server has at its paths, as kube-proxy: for Prometheus, for people, and for tests that
// ask which mode a node runs in. Profiles are not offered.
import type { KubeProxyConfiguration, ProxyMode } from '../model/config.ts';
import { connectionsPath } from '../model/connections.ts';
import { statusPath } from '../model/daemon-status.ts';
import { passesPath } from '../model/pass-record.ts';
import type { Answer, Answerer } from './answer.ts';
import { jsonAnswer, notFound, textAnswer } from './answer.ts';
import { debugObjectsPath } from './debug-objects.ts';

export type MetricsPages = {
  readonly mode: ProxyMode;
  /** The configuration in force. */
  readonly configuration: () => KubeProxyConfiguration;
  readonly metrics: () => Promise<Answer>;
  /** What the rules are made from; undefined: they are not served. */
  readonly debugObjects?: () => Answer;
  /** The flight record; undefined where none is kept. */
  readonly passes?: () => Answer;
  /** What the daemon reports of itself. */
  readonly status?: () => Answer;
  /** New connections of Services, read from the kernel for who asks. */
  readonly connections?: () => Promise<Answer>;
  /** The page for people at a path; undefined where it is none of them. */
  readonly page?: (path: string) => Answer | undefined;
};

/** Answers the paths of the metrics server. */
export function metricsAnswerer({
  mode,
  configuration,
  metrics,
  debugObjects,
  passes,
  status,
  connections,
  page,
}: MetricsPages): Answerer {
  return (path) => {
    switch (path) {
      case '/metrics':
        return metrics();
      // Says that this server runs, and nothing of the rules: that is the health server's.
      case '/healthz':
      case '/healthz/ping':
        return textAnswer('ok');
      case '/proxyMode':
        return textAnswer(mode);
      case '/configz':
        return jsonAnswer({ 'kubeproxy.config.k8s.io': configuration() });
      case debugObjectsPath:
        return debugObjects?.() ?? notFound;
      case passesPath:
        return passes?.() ?? notFound;
      case connectionsPath:
        return connections?.() ?? notFound;
      case statusPath:
        return status?.() ?? notFound;
      default:
        return page?.(path) ?? notFound;
    }
  };
}

// What the metrics server has at its paths, as kube-proxy: for Prometheus, and for tests that ask which mode a
// node runs in. Profiles are not offered.
import type { KubeProxyConfiguration, ProxyMode } from '../model/config.ts';
import type { Answer, Answerer } from './answer.ts';
import { jsonAnswer, notFound, textAnswer } from './answer.ts';

export type MetricsPages = {
  readonly mode: ProxyMode;
  /** The configuration in force. */
  readonly configuration: () => KubeProxyConfiguration;
  readonly metrics: () => Promise<Answer>;
};

/** Answers the paths of the metrics server. */
export function metricsAnswerer({ mode, configuration, metrics }: MetricsPages): Answerer {
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
      default:
        return notFound;
    }
  };
}

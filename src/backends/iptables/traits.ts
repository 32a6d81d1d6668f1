// What iptables mode is like, as kube-proxy's iptables mode is.
import type { Traits } from '../../model/settings.ts';

const metric = 'kubeproxy_sync_proxy_rules_iptables';

export const iptablesTraits: Traits = {
  mode: 'iptables',
  rules: {
    guardsClusterIps: false,
    acceptsForwarded: true,
    refusesAtEveryHook: false,
    hairpins: 'all',
    acceptsHealthChecks: true,
  },
  hasLocalhostNodePorts: true,
  nodePortAddresses: 'all',
  alwaysCounts: true,
  owner: 'iptables',
  sharesNames: true,
  takesBothFamilies: false,
  listCommand: 'iptables-save -t nat',
  metrics: {
    failures: `${metric}_restore_failures_total`,
    partialFailures: `${metric}_partial_restore_failures_total`,
    rules: { total: `${metric}_total`, last: `${metric}_last`, tables: ['filter', 'nat'] },
  },
};

// What nftables mode is like, as kube-proxy's nftables mode is.
import type { Traits } from '../../model/settings.ts';

export const nftablesTraits: Traits = {
  mode: 'nftables',
  rules: {
    guardsClusterIps: true,
    acceptsForwarded: false,
    refusesAtEveryHook: true,
    hairpins: 'on-this-node',
    acceptsHealthChecks: false,
  },
  hasLocalhostNodePorts: false,
  nodePortAddresses: 'primary',
  alwaysCounts: false,
  owner: 'sluice nftables',
  sharesNames: false,
  takesBothFamilies: true,
  listCommand: 'nft list ruleset',
  metrics: { failures: 'kubeproxy_sync_proxy_rules_nftables_sync_failures_total' },
};

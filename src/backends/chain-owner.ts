// Whose chain it is that a packet passed: ours by the names that the backend in use gives, others' as far as
// their names show it. Pure.
import type { ProxyMode } from '../model/config.ts';
import type { TracePlace } from '../netfilter/parse-trace.ts';
import { isOurIptablesChain } from './iptables/names.ts';
import { isOurNftablesChain } from './nftables/schema.ts';

/** Who makes chains; undefined for anybody who is not known by the names. */
export type ChainOwner = 'Sluice' | (typeof others)[number][0] | undefined;

const owns: Readonly<Record<ProxyMode, (place: TracePlace) => boolean>> = {
  nftables: isOurNftablesChain,
  iptables: isOurIptablesChain,
};

/**
 * Others by the names of their chains, each `FAMILY TABLE CHAIN`: the kubelet's (pkg/kubelet/
 * kubelet_network_linux.go), kube-router's (pkg/controllers/netpol, pkg/controllers/proxy), kube-proxy's own
 * table (pkg/proxy/nftables) and those of its IPVS mode (pkg/proxy/ipvs).
 */
const others = [
  ['kubelet', /^ip6? \w+ KUBE-(FIREWALL|MARK-DROP|KUBELET-CANARY|IPTABLES-HINT)$/],
  ['kube-router', /^ip6? \w+ KUBE-(ROUTER|POD-FW|NWPLCY)-/],
  [
    'kube-proxy',
    /^ip6? (kube-proxy |\w+ KUBE-(LOAD-BALANCER|NODE-PORT|IPVS-(OUT-)?FILTER|SOURCE-RANGES-FIREWALL)$)/,
  ],
] as const satisfies readonly (readonly [string, RegExp])[];

/** Whose chain it is on a node with this proxy mode; chains that another mode names are kube-proxy's there. */
export function chainOwner(mode: ProxyMode, place: TracePlace): ChainOwner {
  if (owns[mode](place)) return 'Sluice';
  const name = `${place.family} ${place.table} ${place.chain}`;
  const known = others.find(([, pattern]) => pattern.test(name));
  if (known !== undefined) return known[0];
  return isOurIptablesChain(place)
    ? 'kube-proxy'
    : isOurNftablesChain(place)
      ? 'Sluice'
      : undefined;
}

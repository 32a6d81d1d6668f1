// The settings that each host's kernel gets before it has any interface: text for `sh`, run in its namespace.
// Interfaces made later take their values from `default`.
import type { Host } from './topology.ts';
import { nodes } from './topology.ts';

const everywhere: Readonly<Record<string, number>> = {
  'ipv4/conf/*/rp_filter': 0,
  'ipv4/conf/*/accept_redirects': 0,
  'ipv4/conf/*/send_redirects': 0,
  'ipv6/conf/*/disable_ipv6': 0,
  'ipv6/conf/*/accept_ra': 0,
  'ipv6/conf/*/accept_redirects': 0,
  'ipv6/conf/*/accept_dad': 0,
  'ipv6/conf/*/dad_transmits': 0,
  // Else a burst of refusals looks like a timeout.
  'ipv4/icmp_ratelimit': 0,
  'ipv4/icmp_msgs_per_sec': 1_000_000,
  'ipv4/icmp_msgs_burst': 1_000_000,
  'ipv6/icmp/ratelimit': 0,
};

// As kubeadm demands of a node; a kernel that cannot filter bridged packets has no such files.
const onNodes: Readonly<Record<string, number>> = {
  'ipv4/ip_forward': 1,
  'ipv6/conf/all/forwarding': 1,
  'ipv6/conf/default/forwarding': 1,
  // Else both the LAN's device and the macvlan on it answer for the addresses of either.
  'ipv4/conf/*/arp_ignore': 1,
  'bridge/bridge-nf-call-iptables': 1,
  'bridge/bridge-nf-call-ip6tables': 1,
};

const elsewhere: Readonly<Record<string, number>> = {
  'ipv4/ip_forward': 0,
  'ipv6/conf/all/forwarding': 0,
};

/** The shell script that sets up the network stack of `host`; settings this kernel lacks are skipped. */
export function sysctlScript(host: Host): string {
  const isNode = nodes.some((node) => node.host === host);
  // Forwarding first: changing it resets other settings of the interfaces.
  const settings = { ...(isNode ? onNodes : elsewhere), ...everywhere };
  return Object.entries(settings)
    .map(([name, value]) => settingLine(name, value))
    .join('');
}

function settingLine(name: string, value: number): string {
  return `for f in /proc/sys/net/${name}; do [ ! -e "$f" ] || echo ${value} > "$f"; done\n`;
}

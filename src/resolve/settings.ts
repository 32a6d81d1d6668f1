// From the configuration and what the cluster says of this node to the settings of one family. Pure.
import { traitsOf } from '../backends/traits.ts';
import type { Config } from '../model/config.ts';
import { frontendId } from '../model/forwarding.ts';
import type { Cidr, Family, Ip } from '../model/ip.ts';
import { cidrContains, familyOf } from '../model/ip.ts';
import type { ApiServer, Node, ServiceCidr } from '../model/kubernetes.ts';
import type { FamilySettings } from '../model/settings.ts';
import { takesNodePorts } from '../model/settings.ts';
import { nodeIpsOf } from './node-ips.ts';
import { hasLocalhostNodePorts, resolveNodePortAddresses } from './node-port-addresses.ts';
import { detectedPods } from './pod-source.ts';

/** What of the cluster, besides Services, the settings depend on. */
export type SettingsInputs = {
  /** All addresses on the host's interfaces. */
  readonly hostIps: readonly Ip[];
  readonly node: Node | undefined;
  readonly serviceCidrs: readonly ServiceCidr[];
  readonly apiServer?: ApiServer;
  /** Conntrack calls no packet INVALID for being outside of TCP's window. */
  readonly isTcpLiberal?: boolean;
};

/** The settings of one family. */
export function resolveSettings(
  config: Config,
  { node, serviceCidrs, hostIps, isTcpLiberal = false, ...inputs }: SettingsInputs,
  family: Family,
): FamilySettings {
  const nodeIps = Object.values(nodeIpsOf(config, node).ips);
  const { rules } = traitsOf(config.proxyMode);
  const nodePorts = resolveNodePortAddresses(config, { nodeIps, hostIps }, family);
  return {
    ...rules,
    family,
    masqueradeMark: 2 ** config.masqueradeBit,
    masqueradeAll: config.masqueradeAll,
    podSource: detectedPods(config, node, family).source,
    // Those packets are what the rule is for; else it only does harm where routes differ by direction.
    dropsInvalid: rules.acceptsForwarded && !isTcpLiberal,
    serviceCidrs: ofFamily(
      serviceCidrs.flatMap(({ cidrs }) => cidrs),
      family,
    ).toSorted(),
    nodePorts,
    nodePortIps: ofFamily(hostIps, family)
      .filter((ip) => takesNodePorts(nodePorts, ip, hostIps) && !isLinkLocal(ip))
      .toSorted(),
    apiServers: (inputs.apiServer?.addresses ?? [])
      .filter(({ ip }) => familyOf(ip) === family)
      .map(({ ip, port }) => frontendId({ ip, protocol: 'tcp', port }))
      .toSorted(),
    localhostNodePorts: hasLocalhostNodePorts(config, nodeIps, family),
  };
}

function ofFamily<T extends Cidr | Ip>(ranges: readonly T[], family: Family): readonly T[] {
  return [...new Set(ranges)].filter((range) => familyOf(range) === family);
}

function isLinkLocal(ip: Ip): boolean {
  return cidrContains('fe80::/10' as Cidr, ip);
}

// Whose addresses are pods', and which take node ports: the values of fields in, parts of the Config out.
import { traitsOf } from '../backends/traits.ts';
import type { Config, DetectLocal } from '../model/config.ts';
import { familyOf, type Cidr } from '../model/ip.ts';
import type { FieldValues } from './fields.ts';
import type { Origin, Report } from './origin.ts';

/** How pods are distinguished from others; each mode needs its own argument. */
export function detectLocal(values: FieldValues, origin: Origin, report: Report): DetectLocal {
  const needed = (path: 'detectLocal.bridgeInterface' | 'detectLocal.interfaceNamePrefix') => {
    const value = values[path];
    if (value === '') {
      report('detectLocalMode', `${values.detectLocalMode} needs ${origin.nameOf(path)}`);
    }
    return value;
  };
  switch (values.detectLocalMode) {
    case 'ClusterCIDR':
      return { mode: 'ClusterCIDR', clusterCidrs: clusterCidrs(values.clusterCIDR, report) };
    case 'NodeCIDR':
      return { mode: 'NodeCIDR' };
    case 'BridgeInterface':
      return { mode: 'BridgeInterface', name: needed('detectLocal.bridgeInterface') };
    case 'InterfaceNamePrefix':
      return { mode: 'InterfaceNamePrefix', prefix: needed('detectLocal.interfaceNamePrefix') };
  }
}

function clusterCidrs(cidrs: readonly Cidr[], report: Report): readonly Cidr[] {
  const families = new Set(cidrs.map(familyOf));
  if (cidrs.length > 0 && families.size !== cidrs.length) {
    report('clusterCIDR', `${cidrs.join(',')} is not one CIDR, or one of each IP family`);
  }
  return cidrs;
}

/** As in kube-proxy, what is not said is `primary` for nftables, and every address for iptables. */
export function nodePortAddresses(
  { nodePortAddresses: entries, mode }: FieldValues,
  report: Report,
): Config['nodePortAddresses'] {
  const cidrs = entries.filter((entry): entry is Cidr => entry !== 'primary');
  if (entries.length === cidrs.length) {
    const isPrimary = traitsOf(mode).nodePortAddresses === 'primary';
    return entries.length === 0 && isPrimary ? 'primary' : cidrs;
  }
  if (entries.length > 1) {
    report('nodePortAddresses', `primary must stand alone, not in ${entries.join(',')}`);
  }
  return 'primary';
}

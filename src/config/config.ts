// Makes the one frozen Config: flag values and the host's name in, a Config or all that is wrong with
// them out. Each value was parsed already; here they must make sense together.
import { UsageError } from '../errors.ts';
import type { Config, DetectLocal, NftInput, ProxyMode } from '../model/config.ts';
import { familyOf, type Cidr } from '../model/ip.ts';

/** The values that a Config is made of, by flag; undefined where a flag was not given. */
export type ConfigFlags = {
  readonly 'proxy-mode': ProxyMode;
  readonly 'hostname-override': string | undefined;
  readonly 'cluster-cidr': readonly Cidr[];
  readonly 'detect-local-mode': DetectLocal['mode'];
  readonly 'pod-bridge-interface': string | undefined;
  readonly 'pod-interface-name-prefix': string | undefined;
  readonly 'masquerade-all': boolean;
  readonly 'iptables-masquerade-bit': number;
  readonly 'nft-input': NftInput;
};

/** The Config that the flags ask for, deeply frozen; throws UsageError with a line for each fault. */
export function configFromFlags(flags: ConfigFlags, hostname: string): Config {
  const faults: string[] = [];
  const config: Config = {
    proxyMode: flags['proxy-mode'],
    nodeName: nodeName(flags['hostname-override'], hostname, faults),
    detectLocal: detectLocal(flags, faults),
    masqueradeAll: flags['masquerade-all'],
    masqueradeBit: flags['iptables-masquerade-bit'],
    nftInput: flags['nft-input'],
  };
  if (faults.length > 0) throw new UsageError(faults.join('\n'));
  return deepFreeze(config);
}

/** kube-proxy compares node names trimmed and in lower case, and a blank one is an error. */
function nodeName(override: string | undefined, hostname: string, faults: string[]): string {
  const name = (override || hostname).trim().toLowerCase();
  // Only what someone typed is checked: what a host calls itself is nothing that a flag could mend.
  if (override && !/^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(name)) {
    faults.push(`--hostname-override: ${JSON.stringify(override)} cannot be the name of a node`);
  } else if (name === '') faults.push('this host has no name: set --hostname-override');
  return name;
}

function detectLocal(flags: ConfigFlags, faults: string[]): DetectLocal {
  switch (flags['detect-local-mode']) {
    case 'ClusterCIDR':
      return { mode: 'ClusterCIDR', clusterCidrs: clusterCidrs(flags['cluster-cidr'], faults) };
    case 'NodeCIDR':
      return { mode: 'NodeCIDR' };
    case 'BridgeInterface': {
      const name = needed(flags, 'pod-bridge-interface', faults);
      return { mode: 'BridgeInterface', name };
    }
    case 'InterfaceNamePrefix': {
      const prefix = needed(flags, 'pod-interface-name-prefix', faults);
      return { mode: 'InterfaceNamePrefix', prefix };
    }
  }
}

function clusterCidrs(cidrs: readonly Cidr[], faults: string[]): readonly Cidr[] {
  const [first, second] = cidrs;
  const isOnePerFamily =
    cidrs.length <= 1 ||
    (cidrs.length === 2 &&
      first !== undefined &&
      second !== undefined &&
      familyOf(first) !== familyOf(second));
  if (!isOnePerFamily) {
    faults.push(`--cluster-cidr: ${cidrs.join(',')} is not one CIDR, or one of each IP family`);
  }
  return cidrs;
}

function needed(
  flags: ConfigFlags,
  name: 'pod-bridge-interface' | 'pod-interface-name-prefix',
  faults: string[],
): string {
  const value = flags[name] ?? '';
  if (value === '')
    faults.push(`--detect-local-mode=${flags['detect-local-mode']} needs --${name}`);
  return value;
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

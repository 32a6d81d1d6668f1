// The traits of every backend: data that all parts may ask for, without a backend itself.
import type { ProxyMode } from '../model/config.ts';
import type { Traits } from '../model/settings.ts';
import { iptablesTraits } from './iptables/traits.ts';
import { nftablesTraits } from './nftables/traits.ts';

const traits: Readonly<Record<ProxyMode, Traits>> = {
  nftables: nftablesTraits,
  iptables: iptablesTraits,
};

/** All there are. */
export const proxyModes: readonly ProxyMode[] = Object.values(traits).map(({ mode }) => mode);

/** What a proxy mode is like. */
export function traitsOf(mode: ProxyMode): Traits {
  return traits[mode];
}

/** Whether this is the name of a proxy mode. */
export function isProxyMode(name: unknown): name is ProxyMode {
  return typeof name === 'string' && Object.hasOwn(traits, name);
}

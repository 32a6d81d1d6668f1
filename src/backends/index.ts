// The one list of backends: a new one is a folder beside these and a line here.
import type { Exec } from '../host/tools/exec.ts';
import type { Config, ProxyMode } from '../model/config.ts';
import type { Traits } from '../model/settings.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Backend, PureBackend } from './backend.ts';
import { createIptablesBackend } from './iptables/backend.ts';
import { iptablesTraits } from './iptables/traits.ts';
import { createNftablesBackend } from './nftables/backend.ts';
import { nftablesTraits } from './nftables/traits.ts';

/** What a command does with a backend, whatever kind of units that backend has. */
export type WithBackend<R> = <U extends Unit>(backend: Backend<U>) => R;

/** What of the configuration bears on how a backend works. */
export type BackendConfig = Pick<Config, 'proxyMode' | 'nftInput' | 'serviceCounters'>;

const backends: Readonly<
  Record<ProxyMode, <R>(exec: Exec, config: BackendConfig, use: WithBackend<R>) => R>
> = {
  nftables: (exec, { nftInput, serviceCounters }, use) =>
    use(createNftablesBackend(exec, nftInput, serviceCounters)),
  iptables: (exec, _config, use) => use(createIptablesBackend(exec)),
};

const noTool: Exec = (file) => Promise.reject(new Error(`nothing is asked of ${file} here`));

/** Calls `use` with what the backend that the configuration asks for does without any tool. */
export function withPureBackend<R>(
  config: Config,
  use: <U extends Unit>(backend: PureBackend<U>) => R,
): R {
  return withBackend(noTool, config, use);
}

/**
 * Calls `use` once for every backend, with what creates it without a configuration: it counts nothing, and
 * writes to nft in its own language.
 */
export function eachBackend<R>(
  use: <U extends Unit>(traits: Traits, create: (exec: Exec) => Backend<U>) => R,
): readonly R[] {
  return [
    use(nftablesTraits, (exec) => createNftablesBackend(exec, 'text')),
    use(iptablesTraits, (exec) => createIptablesBackend(exec)),
  ];
}

/** Calls `use` with the backend that the configuration asks for. */
export function withBackend<R>(exec: Exec, config: BackendConfig, use: WithBackend<R>): R {
  return backends[config.proxyMode](exec, config, use);
}

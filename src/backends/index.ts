// The one list of backends: a new one is a folder beside these and a line here.
import type { Exec } from '../host/exec.ts';
import type { Config, ProxyMode } from '../model/config.ts';
import type { Unit } from '../netfilter/program.ts';
import type { Backend, PureBackend } from './backend.ts';
import { createIptablesBackend } from './iptables/backend.ts';
import { createNftablesBackend } from './nftables/backend.ts';

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

/** Calls `use` with the backend that the configuration asks for. */
export function withBackend<R>(exec: Exec, config: BackendConfig, use: WithBackend<R>): R {
  return backends[config.proxyMode](exec, config, use);
}

// Signs requests in: what proves to the API server who we are, as options of a node:https request.
import type { RequestOptions } from 'node:https';
import { loadKubeconfig, type ClusterAccess, type LoadedConfig } from './kubeconfig.ts';
import { TokenFile } from './token-file.ts';

/** The options of a signed request. */
export type SignedOptions = {
  readonly server: URL;
  readonly options: RequestOptions;
};

/** Who we are to the API server. Invariant: #token reads the token file that #loaded names. */
export class SignIn {
  readonly #access: ClusterAccess;
  #loaded: LoadedConfig;
  #token: TokenFile | undefined;
  #pending: Promise<SignedOptions> | undefined;

  private constructor(access: ClusterAccess, loaded: LoadedConfig) {
    this.#access = access;
    this.#loaded = loaded;
    this.#token = tokenOf(loaded);
  }

  /** Throws ClusterAccessError where `access` leads nowhere. */
  static async load(access: ClusterAccess): Promise<SignIn> {
    return new SignIn(access, await loadKubeconfig(access));
  }

  /** The options for one request: certificates and tokens are read anew, plugins run as needed. */
  options(): Promise<SignedOptions> {
    // One for all who ask meanwhile, so that plugins that hang do not pile up.
    this.#pending ??= this.#sign().finally(() => {
      this.#pending = undefined;
    });
    return this.#pending;
  }

  /** Forgets what the server has refused: the kubeconfig is read again, and plugins are asked again. */
  async renew(): Promise<void> {
    this.#loaded = await loadKubeconfig(this.#access);
    this.#token = tokenOf(this.#loaded);
  }

  async #sign(): Promise<SignedOptions> {
    const { config, cluster } = this.#loaded;
    const options: RequestOptions = {};
    await config.applyToHTTPSOptions(options);
    // The library keeps the agent, and with it certificates that have been replaced since; only its
    // agents for proxies are of use.
    if (!cluster.proxyUrl) delete options.agent;
    if (this.#token !== undefined) {
      const authorization = `Bearer ${await this.#token.read()}`;
      options.headers = { ...(options.headers as object), Authorization: authorization };
    }
    return { server: new URL(cluster.server), options };
  }
}

function tokenOf({ tokenFile }: LoadedConfig): TokenFile | undefined {
  return tokenFile === undefined ? undefined : new TokenFile(tokenFile);
}

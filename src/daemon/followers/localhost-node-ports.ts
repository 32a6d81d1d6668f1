// Node ports at 127.0.0.1, as this host lets us have them: they need a setting of the kernel, which a
// container that is not privileged may not write. There they are off, as if the configuration said so.
import type { Logger } from 'pino';
import { traitsOf } from '../../backends/traits.ts';
import type { Exec } from '../../host/tools/exec.ts';
import {
  proveRouteLocalnet,
  keepRouteLocalnet,
  routeLocalnet,
} from '../../host/kernel/route-localnet.ts';
import type { Config, KubeProxyConfiguration } from '../../model/config.ts';
import type { DaemonPart } from '../daemon-part.ts';
import { whereInStep } from '../pass.ts';

const remedy =
  `set ${routeLocalnet}=1 on this node (a container must be privileged for that), ` +
  'or iptables.localhostNodePorts: false in the configuration';

/** What it works with. */
export type LocalhostNodePortsOptions = { readonly exec: Exec; readonly log: Logger };

/** Invariant: once #isPossible is false, it stays so, and was told. */
export class LocalhostNodePorts {
  readonly #options: LocalhostNodePortsOptions;
  #isPossible = true;
  #isSet = false;

  constructor(options: LocalhostNodePortsOptions) {
    this.#options = options;
  }

  /** Finds out whether the setting can be made, where a configuration asks for it. */
  async look({ proxyMode, localhostNodePorts, nodePortAddresses }: Config): Promise<void> {
    const isAsked = localhostNodePorts && nodePortAddresses !== 'primary';
    if (!isAsked || !traitsOf(proxyMode).hasLocalhostNodePorts) return;
    try {
      await proveRouteLocalnet(this.#options.exec);
    } catch (error) {
      this.#tell(error as Error);
    }
  }

  /** A configuration as it is in force on this host. */
  inForce(config: Config): Config {
    if (this.#isPossible || !config.localhostNodePorts) return config;
    const { iptables } = config.document as { readonly iptables: KubeProxyConfiguration };
    const document = { ...config.document, iptables: { ...iptables, localhostNodePorts: false } };
    return { ...config, localhostNodePorts: false, document };
  }

  /** Makes the setting once rules need it, not before those that shut others out; `onImpossible`: it cannot be made. */
  part(onImpossible: () => void): DaemonPart {
    return whereInStep(async ({ desired }) => {
      if (this.#isSet || !desired.settings.localhostNodePorts) return;
      try {
        await keepRouteLocalnet(this.#options.exec);
        this.#isSet = true;
      } catch (error) {
        this.#tell(error as Error);
        onImpossible();
      }
    });
  }

  #tell({ message }: Error): void {
    if (!this.#isPossible) return;
    this.#isPossible = false;
    this.#options.log.warn(
      { setting: routeLocalnet, value: 1, error: message },
      `node ports do not answer at 127.0.0.1: ${remedy}`,
    );
  }
}

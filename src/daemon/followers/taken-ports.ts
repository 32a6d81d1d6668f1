// Tells of node ports that a program of this host listens on: the rules come first, so that program is
// not reached any more by what is sent to the node's addresses.
import type { Logger } from 'pino';
import type { Listener } from '../../host/network/listening-ports.ts';
import type { Frontend, ServiceForwarding } from '../../model/forwarding.ts';
import { hostPort } from '../../model/forwarding.ts';
import type { Family, Ip } from '../../model/ip.ts';
import { servicePortName } from '../../model/kubernetes.ts';
import type { Settled } from '../../sync/update.ts';

/** What TakenPorts works with. */
export type TakenPortsOptions = {
  readonly readListeners: () => Promise<readonly Listener[]>;
  /** Whether node ports answer at this address. */
  readonly takesNodePorts: (ip: Ip) => boolean;
  readonly log: Logger;
};

/** Invariant: #known holds each Service's node ports that were looked up, with the families they are in. */
export class TakenPorts {
  readonly #options: TakenPortsOptions;
  readonly #known = new Map<string, Set<Family>>();

  constructor(options: TakenPortsOptions) {
    this.#options = options;
  }

  /** Looks up the node ports that are new; reads nothing where none is. */
  async look(family: Family, { before, after }: Settled): Promise<void> {
    const now = nodePorts(after);
    for (const id of nodePorts(before).keys()) if (!now.has(id)) this.#forget(family, id);
    const fresh = [...now].filter(([id]) => this.#learn(family, id)).map(([, port]) => port);
    if (fresh.length === 0) return;
    const { readListeners, takesNodePorts } = this.#options;
    const listeners = Map.groupBy(await readListeners(), portId);
    for (const frontend of fresh) {
      const [listener] = (listeners.get(portId(frontend.address)) ?? []).filter(
        ({ ip }) => ip === undefined || takesNodePorts(ip),
      );
      if (listener !== undefined) this.#warn(frontend, listener);
    }
  }

  #warn({ service, portName, address: { protocol, port } }: Frontend, { ip }: Listener): void {
    const listensAt = ip === undefined ? `*:${port}` : hostPort(ip, port);
    const name = servicePortName(service, portName);
    this.#options.log.warn(
      { service: name, port, protocol, listensAt },
      'a program of this host listens on a node port; it gets nothing there any more',
    );
  }

  // A node port of both families is reported once.
  #learn(family: Family, id: string): boolean {
    const families = this.#known.get(id);
    if (families === undefined) this.#known.set(id, new Set([family]));
    else families.add(family);
    return families === undefined;
  }

  #forget(family: Family, id: string): void {
    const families = this.#known.get(id);
    families?.delete(family);
    if (families?.size === 0) this.#known.delete(id);
  }
}

function nodePorts(services: readonly ServiceForwarding[]): ReadonlyMap<string, Frontend> {
  const found = new Map<string, Frontend>();
  for (const { service, frontends } of services) {
    for (const frontend of frontends) {
      if (frontend.kind !== 'NodePort') continue;
      found.set(`${service} ${portId(frontend.address)}`, frontend);
    }
  }
  return found;
}

function portId({ protocol, port }: Pick<Listener, 'protocol' | 'port'>): string {
  return `${protocol} ${port}`;
}

// Counts the Service ports whose traffic is dropped here for want of an endpoint on this node, kept by
// what passes touch.
import type { Frontend, ServiceForwarding } from '../../model/forwarding.ts';
import type { LocalPolicy } from '../../model/receipt.ts';
import type { Settled } from '../../sync/update.ts';

/** Invariant: the counts are those of all Services that were settled last. */
export class WithoutLocal {
  readonly #count = { internal: 0, external: 0 };

  /** Takes over what changed. */
  settle({ before, after }: Settled): void {
    this.#add(before, -1);
    this.#add(after, 1);
  }

  get now(): Readonly<Record<LocalPolicy, number>> {
    return { ...this.#count };
  }

  #add(services: readonly ServiceForwarding[], sign: 1 | -1): void {
    for (const { frontends } of services) {
      for (const policy of ['internal', 'external'] as const) {
        // One Service port has many frontends.
        const ports = frontends.filter(lacksLocal[policy]).map(portOf);
        this.#count[policy] += sign * new Set(ports).size;
      }
    }
  }
}

const lacksLocal: Readonly<Record<LocalPolicy, (frontend: Frontend) => boolean>> = {
  internal: ({ kind, route }) => kind === 'ClusterIP' && route.kind === 'drop',
  external: ({ route }) => route.kind === 'forward-local' && route.pool.members.length === 0,
};

function portOf({ portName, address: { protocol } }: Frontend): string {
  return `${protocol} ${portName}`;
}

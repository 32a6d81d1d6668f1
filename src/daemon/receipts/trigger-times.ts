// When what led to changes of EndpointSlices happened, kept until the kernel follows it: what
// network_programming_duration_seconds is made of.
import type { Family } from '../../model/ip.ts';
import type { ClusterChange, EndpointSlice, ServiceKey } from '../../model/kubernetes.ts';

export type TriggerTimesOptions = {
  /** A slice as it is before the changes. */
  readonly known: (id: string) => EndpointSlice | undefined;
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
};

// Where rules cannot be written for long; those that are waited for longest are kept.
const maxPending = 10_000;

/** Invariant: #pending has what the kernel of the slice's family does not follow yet. */
export class TriggerTimes {
  readonly #options: TriggerTimesOptions;
  readonly #startedMs: number;
  readonly #pending = new Map<Family, Map<ServiceKey, number[]>>();
  #size = 0;

  constructor(options: TriggerTimesOptions) {
    this.#options = options;
    this.#startedMs = options.nowMs();
  }

  /** Takes up changes that are about to be taken over. */
  take(changes: readonly ClusterChange[]): void {
    const batch = new Map<string, EndpointSlice | undefined>();
    for (const change of changes) {
      if (change.op === 'set' && change.object.kind !== 'EndpointSlice') continue;
      if (change.op === 'delete' && change.kind !== 'EndpointSlice') continue;
      const id = change.op === 'set' ? change.object.id : change.id;
      const before = batch.has(id) ? batch.get(id) : this.#options.known(id);
      const after = change.op === 'set' ? (change.object.value as EndpointSlice) : undefined;
      batch.set(id, after);
      if (after === undefined) this.#forget(before);
      else this.#note(before, after);
    }
  }

  /** The kernel of the family follows all of it: how long ago each was, in seconds. */
  settle(family: Family): readonly number[] {
    const times = [...(this.#pending.get(family)?.values() ?? [])].flat();
    this.#pending.delete(family);
    this.#size -= times.length;
    return times.map((ms) => Math.max(0, this.#options.nowMs() - ms) / 1000);
  }

  // What happened before this process came is no measure of it.
  #note(before: EndpointSlice | undefined, after: EndpointSlice): void {
    const { family, service, triggeredAtMs } = after;
    if (triggeredAtMs === undefined || triggeredAtMs <= this.#startedMs) return;
    if (triggeredAtMs === before?.triggeredAtMs || this.#size >= maxPending) return;
    const ofFamily = this.#pending.get(family) ?? new Map<ServiceKey, number[]>();
    this.#pending.set(family, ofFamily);
    const times = ofFamily.get(service) ?? [];
    ofFamily.set(service, times);
    times.push(triggeredAtMs);
    this.#size += 1;
  }

  // As kube-proxy: there is no telling what of it the other slices stand for.
  #forget(gone: EndpointSlice | undefined): void {
    if (gone === undefined) return;
    const ofFamily = this.#pending.get(gone.family);
    this.#size -= ofFamily?.get(gone.service)?.length ?? 0;
    ofFamily?.delete(gone.service);
  }
}

// When what led to changes of EndpointSlices happened, kept until the kernel follows it: what
// network_programming_duration_seconds is made of.
import type { Family } from '../../model/ip.ts';
import type { EndpointSlice, ServiceKey } from '../../model/kubernetes.ts';
import type { BegunPass } from '../pass.ts';

// Where rules cannot be written for long; those that are waited for longest are kept.
const maxPending = 10_000;

/** Invariant: #pending has what the kernel of the slice's family does not follow yet. */
export class TriggerTimes {
  readonly #nowMs: () => number;
  readonly #startedMs: number;
  readonly #pending = new Map<Family, Map<ServiceKey, number[]>>();
  #size = 0;

  /** `nowMs` gives milliseconds since the epoch. */
  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
    this.#startedMs = nowMs();
  }

  /** Takes up the changes of a pass. */
  take({ changes, before: objects }: Pick<BegunPass, 'changes' | 'before'>): void {
    const slices = new Map<string, EndpointSlice>();
    for (const { kind, id, was } of objects) {
      if (kind === 'EndpointSlice' && was !== undefined) slices.set(id, was as EndpointSlice);
    }
    for (const change of changes) {
      if (change.op === 'set' && change.object.kind !== 'EndpointSlice') continue;
      if (change.op === 'delete' && change.kind !== 'EndpointSlice') continue;
      const id = change.op === 'set' ? change.object.id : change.id;
      const before = slices.get(id);
      if (change.op === 'delete') {
        slices.delete(id);
        this.#forget(before);
        continue;
      }
      const after = change.object.value as EndpointSlice;
      slices.set(id, after);
      this.#note(before, after);
    }
  }

  /** The kernel of the family follows all of it: how long ago each was, in seconds. */
  settle(family: Family): readonly number[] {
    const times = [...(this.#pending.get(family)?.values() ?? [])].flat();
    this.#pending.delete(family);
    this.#size -= times.length;
    return times.map((ms) => Math.max(0, this.#nowMs() - ms) / 1000);
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

// The last passes, for who asks later what happened: changes and outcomes in, a record out that can be
// replayed without a kernel. It costs what a pass touched, never the size of the cluster.
import type { ClusterState } from '../../cluster/state.ts';
import type { Config, ProxyMode } from '../../model/config.ts';
import type { Family, Ip } from '../../model/ip.ts';
import type { ClusterChange } from '../../model/kubernetes.ts';
import type {
  Asker,
  ChangedObjects,
  FlightRecord,
  PassRecord,
  RecordedInputs,
} from '../../model/pass-record.ts';
import { flightRecordVersion } from '../../model/pass-record.ts';
import type { ObjectBefore } from '../objects-before.ts';
import type { BegunPass, Pass, PassListener } from '../pass.ts';
import { familyRecord, namedOf } from './family-record.ts';
import { historyOf, undoBytes } from './undo-log.ts';

/** What a FlightRecorder works with. */
export type FlightRecorderOptions = {
  /** Of Sluice. */
  readonly version: string;
  readonly mode: ProxyMode;
  readonly families: readonly Family[];
  readonly isTcpLiberal: boolean;
  readonly state: Pick<ClusterState, 'objects'>;
  /** In force now. */
  readonly config: () => Config;
  readonly hostIps: () => readonly Ip[];
  /** Milliseconds since the epoch. */
  readonly nowMs: () => number;
  readonly limits?: RecorderLimits;
};

/** What is kept at most. */
export type RecorderLimits = {
  readonly passes: number;
  /** Of what is needed to replay them; of a pass alone, this many objects. */
  readonly undoBytes: number;
  readonly objects: number;
};

const defaultLimits: RecorderLimits = { passes: 1000, undoBytes: 1_000_000, objects: 4000 };

/** What a pass works from; `undo` is undefined where it cannot be gone back. */
type Taken = {
  readonly asked: readonly Asker[];
  readonly changes: readonly ChangedObjects[];
  readonly config: Config;
  readonly hostIps: readonly Ip[];
  undo: readonly ObjectBefore[] | undefined;
  bytes: number;
};

type Kept = Taken & { readonly record: PassRecord };

/**
 * Invariant: #kept has the last passes; where one of them has no `undo`, none before it has. #taken is
 * the pass that goes on, #before what was in force before the first of #kept.
 */
export class FlightRecorder implements PassListener {
  readonly #options: FlightRecorderOptions;
  readonly #limits: RecorderLimits;
  readonly #kept: Kept[] = [];
  #before: Pick<Taken, 'config' | 'hostIps'>;
  #taken: Taken | undefined;
  #bytes = 0;
  #number = 0;

  constructor(options: FlightRecorderOptions) {
    this.#options = options;
    this.#limits = options.limits ?? defaultLimits;
    this.#before = { config: options.config(), hostIps: options.hostIps() };
  }

  /** The passes that are kept, the oldest first. */
  get passes(): readonly PassRecord[] {
    return this.#kept.map(({ record }) => record);
  }

  began({ asked, changes, before }: BegunPass): void {
    const { config, hostIps } = this.#options;
    const undo = changes.length <= this.#limits.objects ? before : undefined;
    const bytes = (undo ?? []).reduce((sum, entry) => sum + undoBytes(entry), 0);
    const last = this.#kept.at(-1) ?? this.#before;
    const ips = hostIps();
    this.#taken = {
      asked,
      changes: changedObjects(changes),
      config: config(),
      hostIps: ips.join() === last.hostIps.join() ? last.hostIps : ips,
      undo,
      bytes,
    };
    this.#bytes += bytes;
    if (undo === undefined) this.#forgetUndo(this.#kept.length);
  }

  ended({ families }: Pass): void {
    const taken = this.#taken;
    if (taken === undefined) return;
    this.#taken = undefined;
    this.#number += 1;
    const record: PassRecord = {
      number: this.#number,
      atMs: this.#options.nowMs(),
      asked: taken.asked,
      changes: taken.changes,
      families: families.map((pass) =>
        familyRecord(pass, { isReplayed: taken.undo !== undefined }),
      ),
    };
    this.#keep({ ...taken, record });
  }

  /** All that is known; nothing of it changes afterwards. */
  export(): FlightRecord {
    const { version, mode, families, isTcpLiberal, state } = this.#options;
    const from = this.#kept.findLastIndex(({ undo }) => undo === undefined) + 1;
    // A pass that goes on has changed the objects already.
    const isLost = this.#taken !== undefined && this.#taken.undo === undefined;
    const replayable = isLost ? [] : this.#kept.slice(from);
    const inFlight = this.#taken?.undo === undefined ? [] : [this.#taken.undo];
    const undo = [...replayable.map((kept) => kept.undo ?? []), ...inFlight];
    const { objects, changes } = historyOf(state, undo);
    const configs = new Index<Config>();
    const hostIps = new Index<readonly Ip[]>();
    const place = (of: Pick<Taken, 'config' | 'hostIps'>): RecordedInputs => ({
      config: configs.of(of.config),
      hostIps: hostIps.of(of.hostIps),
    });
    const base = { ...place(this.#kept[from - 1] ?? this.#before), objects };
    const steps = replayable.map((kept, index) => {
      return { number: kept.record.number, ...place(kept), changes: changes[index] ?? [] };
    });
    const { passes } = this;
    return {
      version: flightRecordVersion,
      sluice: version,
      mode,
      families,
      isTcpLiberal,
      configs: configs.all,
      hostIps: hostIps.all,
      passes,
      base,
      steps,
    };
  }

  #keep(kept: Kept): void {
    this.#kept.push(kept);
    if (this.#kept.length > this.#limits.passes) {
      this.#forgetUndo(1);
      const gone = this.#kept.shift();
      if (gone !== undefined) this.#before = gone;
    }
    while (this.#bytes > this.#limits.undoBytes) {
      this.#forgetUndo(this.#kept.findIndex(({ undo }) => undo !== undefined) + 1);
    }
  }

  // From the first on: whoever goes back cannot leave one out.
  #forgetUndo(count: number): void {
    for (const kept of this.#kept.slice(0, count)) {
      this.#bytes -= kept.bytes;
      kept.undo = undefined;
      kept.bytes = 0;
    }
  }
}

/** Invariant: #all holds each value once. */
class Index<T> {
  readonly #all: T[] = [];

  get all(): readonly T[] {
    return this.#all;
  }

  of(value: T): number {
    const at = this.#all.indexOf(value);
    return at === -1 ? this.#all.push(value) - 1 : at;
  }
}

function changedObjects(changes: readonly ClusterChange[]): readonly ChangedObjects[] {
  const ids = new Map<ChangedObjects['kind'], Set<string>>();
  for (const change of changes) {
    const { kind, id } = change.op === 'set' ? change.object : change;
    const known = ids.get(kind);
    if (known === undefined) ids.set(kind, new Set([id]));
    else known.add(id);
  }
  return [...ids].map(([kind, names]) => ({ kind, ...namedOf(names) }));
}

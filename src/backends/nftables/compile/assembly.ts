// The nftables Program of one family, kept as pieces; see Assembly in backend.ts.
import type { ServiceCounters } from '../../../model/config.ts';
import type { Family } from '../../../model/ip.ts';
import type { ServiceKey } from '../../../model/kubernetes.ts';
import type { Part, ServiceRules } from '../../../model/ruleset.ts';
import type { Program } from '../../../netfilter/program.ts';
import { programOf } from '../../../netfilter/program.ts';
import type { Assembly, Change } from '../../backend.ts';
import { changeOf } from '../../change-of.ts';
import type { ServiceUnits } from './pieces.ts';
import { compileEntries, compileFrame, compileService } from './pieces.ts';
import type { SharedUnits } from './shared-chain.ts';
import type { NftPart } from '../names.ts';
import type { NftUnit } from '../unit.ts';

/** Units that Services share, before and after a change. */
type SharedChange = { readonly before: NftUnit[]; readonly after: NftUnit[] };

/**
 * Invariant: #shared counts, for each unit that Services share, how often the pieces hold it, and
 * holds none that is in no piece; #sharedChains names its chains, and #entries enter just these.
 */
export class NftAssembly implements Assembly<NftUnit> {
  readonly #family: Family;
  readonly #parts: readonly NftPart[];
  readonly #counters: ServiceCounters;
  readonly #frame: readonly NftUnit[];
  #entries: readonly NftUnit[];
  readonly #pieces = new Map<ServiceKey, ServiceUnits>();
  // Settings are the same for as long as this lives; there are as many as Services have shapes.
  readonly #known: SharedUnits = new Map();
  readonly #sharedChains = new Set<string>();
  readonly #shared = new Map<string, { readonly unit: NftUnit; readonly count: number }>();

  constructor(family: Family, parts: readonly Part[], counters: ServiceCounters = 'off') {
    this.#family = family;
    this.#parts = parts.filter((part) => part.name !== 'localnet');
    this.#counters = counters;
    this.#frame = compileFrame(family, this.#parts, counters);
    this.#entries = this.#compileEntries();
  }

  replace(pieces: ReadonlyMap<ServiceKey, ServiceRules | undefined>): Change<NftUnit> {
    const was: ServiceUnits[] = [];
    const now: ServiceUnits[] = [];
    const touched = new Map<string, NftUnit | undefined>();
    for (const [service, rules] of pieces) {
      const old = this.#pieces.get(service);
      const piece =
        rules === undefined ? undefined : compileService(rules, this.#known, this.#counters);
      // In this order, so that what stays is changed in place: a Map remembers what was deleted.
      for (const unit of piece?.shared ?? []) this.#count(unit, 1, touched);
      for (const unit of old?.shared ?? []) this.#count(unit, -1, touched);
      if (old !== undefined) was.push(old);
      if (piece === undefined) this.#pieces.delete(service);
      else {
        now.push(piece);
        this.#pieces.set(service, piece);
      }
    }
    const shared = this.#sharedChange(touched);
    if (this.#noteChains(touched)) this.#enter(shared);
    return changeOf(
      () => programOf([...was.flatMap(({ own }) => own), ...shared.before]),
      () => programOf([...now.flatMap(({ own }) => own), ...shared.after]),
    );
  }

  whole(): Program<NftUnit> {
    return programOf(this.units());
  }

  *units(): Generator<NftUnit> {
    for (const unit of this.#frame) yield unit;
    for (const unit of this.#entries) yield unit;
    const seen = new Set<string>();
    // Sorted, so that nobody can tell in which order the Services came.
    for (const service of [...this.#pieces.keys()].sort()) {
      const { own = [], shared = [] } = this.#pieces.get(service) ?? {};
      for (const unit of shared) {
        if (seen.has(unit.id)) continue;
        seen.add(unit.id);
        yield unit;
      }
      yield* own;
    }
  }

  /** Makes #sharedChains follow #shared; returns whether that changes it. */
  #noteChains(touched: ReadonlyMap<string, NftUnit | undefined>): boolean {
    let isChanged = false;
    for (const [id, was] of touched) {
      const unit = this.#shared.get(id)?.unit;
      if (was?.kind === 'chain' && unit === undefined) this.#sharedChains.delete(was.name);
      else if (was === undefined && unit?.kind === 'chain') this.#sharedChains.add(unit.name);
      else continue;
      isChanged = true;
    }
    return isChanged;
  }

  #sharedChange(touched: ReadonlyMap<string, NftUnit | undefined>): SharedChange {
    const before = [...touched.values()].filter((unit) => unit !== undefined);
    const after = [...touched.keys()].flatMap((id) => this.#shared.get(id)?.unit ?? []);
    return { before, after };
  }

  /** Makes #entries follow #shared, and adds what that changes. */
  #enter({ before, after }: SharedChange): void {
    const entries = this.#compileEntries();
    for (const [index, unit] of entries.entries()) {
      const was = this.#entries[index];
      if (was === undefined || was.text === unit.text) continue;
      before.push(was);
      after.push(unit);
    }
    this.#entries = entries;
  }

  #compileEntries(): readonly NftUnit[] {
    return compileEntries(this.#family, this.#parts, this.#sharedChains);
  }

  #count(unit: NftUnit, step: 1 | -1, touched: Map<string, NftUnit | undefined>): void {
    const entry = this.#shared.get(unit.id);
    if (!touched.has(unit.id)) touched.set(unit.id, entry?.unit);
    const count = (entry?.count ?? 0) + step;
    if (count === 0) this.#shared.delete(unit.id);
    else this.#shared.set(unit.id, { unit: entry?.unit ?? unit, count });
  }
}

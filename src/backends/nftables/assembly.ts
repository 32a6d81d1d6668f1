// The nftables Program of one family, kept as pieces; see Assembly in backend.ts.
import type { Family } from '../../model/ip.ts';
import type { ServiceKey } from '../../model/kubernetes.ts';
import type { Part, ServiceRules } from '../../model/ruleset.ts';
import type { Assembly, Change } from '../backend.ts';
import type { ClassChains } from './class-chain.ts';
import type { Piece } from './compile.ts';
import { compileFrame, compileService } from './compile.ts';
import type { NftUnit } from './unit.ts';

/**
 * Invariant: #shared counts, for each unit that Services share, how often the pieces hold it, and
 * holds none that is in no piece.
 */
export class NftAssembly implements Assembly<NftUnit> {
  readonly #frame: readonly NftUnit[];
  readonly #pieces = new Map<ServiceKey, Piece>();
  // Settings are the same for as long as this lives; there are as many as Services have shapes.
  readonly #classChains: ClassChains = new Map();
  readonly #shared = new Map<string, { readonly unit: NftUnit; readonly count: number }>();

  constructor(family: Family, parts: readonly Part[]) {
    this.#frame = compileFrame(family, parts);
  }

  replace(pieces: ReadonlyMap<ServiceKey, ServiceRules | undefined>): Change<NftUnit> {
    const before = new Map<string, NftUnit>();
    const after = new Map<string, NftUnit>();
    const touched = new Map<string, NftUnit | undefined>();
    for (const [service, rules] of pieces) {
      const old = this.#pieces.get(service);
      const piece = rules === undefined ? undefined : compileService(rules, this.#classChains);
      for (const unit of old?.own ?? []) before.set(unit.id, unit);
      for (const unit of piece?.own ?? []) after.set(unit.id, unit);
      for (const unit of old?.shared ?? []) this.#count(unit, -1, touched);
      for (const unit of piece?.shared ?? []) this.#count(unit, 1, touched);
      if (piece === undefined) this.#pieces.delete(service);
      else this.#pieces.set(service, piece);
    }
    for (const [id, unit] of touched) {
      if (unit !== undefined) before.set(id, unit);
      const now = this.#shared.get(id);
      if (now !== undefined) after.set(id, now.unit);
    }
    return { before, after };
  }

  whole(): ReadonlyMap<string, NftUnit> {
    const units = new Map<string, NftUnit>();
    for (const unit of this.#frame) units.set(unit.id, unit);
    // Sorted, so that nobody can tell in which order the Services came.
    for (const service of [...this.#pieces.keys()].sort()) {
      const { own = [], shared = [] } = this.#pieces.get(service) ?? {};
      for (const unit of shared) if (!units.has(unit.id)) units.set(unit.id, unit);
      for (const unit of own) units.set(unit.id, unit);
    }
    return units;
  }

  #count(unit: NftUnit, step: 1 | -1, touched: Map<string, NftUnit | undefined>): void {
    const entry = this.#shared.get(unit.id);
    if (!touched.has(unit.id)) touched.set(unit.id, entry?.unit);
    const count = (entry?.count ?? 0) + step;
    if (count === 0) this.#shared.delete(unit.id);
    else this.#shared.set(unit.id, { unit: entry?.unit ?? unit, count });
  }
}

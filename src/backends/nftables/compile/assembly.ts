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
import { compileFrame, compileService, ownUnits, standingOf } from './pieces.ts';
import type { SharedUnits } from './shared-chain.ts';
import { arranged, rowId, standingIn } from './slots.ts';
import type { NftUnit } from '../unit.ts';

/** The units of a Service; undefined where it has none. */
type Piece = ServiceUnits | undefined;

/** Units that Services share, before and after a change. */
type SharedChange = { readonly before: readonly NftUnit[]; readonly after: readonly NftUnit[] };

/** Invariant: #shared counts, for each unit that Services share, how often the pieces hold it, and holds none that is in no piece. */
export class NftAssembly implements Assembly<NftUnit> {
  readonly #frame: readonly NftUnit[];
  readonly #pieces = new Map<ServiceKey, ServiceUnits>();
  // Settings are the same for as long as this lives; there are as many as Services have shapes.
  readonly #known: SharedUnits = new Map();
  readonly #shared = new Map<string, { readonly unit: NftUnit; readonly count: number }>();

  constructor(family: Family, parts: readonly Part[], counters: ServiceCounters = 'off') {
    const used = parts.filter((part) => part.name !== 'localnet');
    this.#frame = compileFrame(family, used, counters);
  }

  replace(pieces: ReadonlyMap<ServiceKey, ServiceRules | undefined>): Change<NftUnit> {
    const changed: { readonly old: Piece; readonly now: Piece }[] = [];
    const touched = new Map<string, NftUnit | undefined>();
    for (const [service, rules] of pieces) {
      const old = this.#pieces.get(service);
      const now =
        rules === undefined ? undefined : compileService(rules, this.#known, standingOf(old));
      // In this order, so that what stays is changed in place: a Map remembers what was deleted.
      for (const unit of now?.shared ?? []) this.#count(unit, 1, touched);
      for (const unit of old?.shared ?? []) this.#count(unit, -1, touched);
      if (now === undefined) this.#pieces.delete(service);
      else this.#pieces.set(service, now);
      changed.push({ old, now });
    }
    const shared = this.#sharedChange(touched);
    const units = (one: Piece, other: Piece): readonly NftUnit[] =>
      one === undefined ? [] : ownUnits(one, other);
    return changeOf(
      () => programOf([...changed.flatMap(({ old, now }) => units(old, now)), ...shared.before]),
      () => programOf([...changed.flatMap(({ old, now }) => units(now, old)), ...shared.after]),
    );
  }

  adopt(units: Iterable<NftUnit>): void {
    const standing = standingIn(units);
    if (standing.size === 0) return;
    for (const [service, piece] of this.#pieces) {
      const rows = piece.rows.map((row) => ({
        ...row,
        endpoints: arranged(row.endpoints, standing.get(rowId(row.map, row.address))),
      }));
      const isSame = rows.every(({ endpoints }, at) => endpoints === piece.rows[at]?.endpoints);
      if (!isSame) this.#pieces.set(service, { ...piece, rows });
    }
  }

  whole(): Program<NftUnit> {
    return programOf(this.units());
  }

  *units(): Generator<NftUnit> {
    for (const unit of this.#frame) yield unit;
    const seen = new Set<string>();
    // Sorted, so that nobody can tell in which order the Services came.
    for (const service of [...this.#pieces.keys()].sort()) {
      const piece = this.#pieces.get(service);
      if (piece === undefined) continue;
      for (const unit of piece.shared) {
        if (seen.has(unit.id)) continue;
        seen.add(unit.id);
        yield unit;
      }
      yield* ownUnits(piece);
    }
  }

  #sharedChange(touched: ReadonlyMap<string, NftUnit | undefined>): SharedChange {
    const before = [...touched.values()].filter((unit) => unit !== undefined);
    const after = [...touched.keys()].flatMap((id) => this.#shared.get(id)?.unit ?? []);
    return { before, after };
  }

  #count(unit: NftUnit, step: 1 | -1, touched: Map<string, NftUnit | undefined>): void {
    const entry = this.#shared.get(unit.id);
    if (!touched.has(unit.id)) touched.set(unit.id, entry?.unit);
    const count = (entry?.count ?? 0) + step;
    if (count === 0) this.#shared.delete(unit.id);
    else this.#shared.set(unit.id, { unit: entry?.unit ?? unit, count });
  }
}

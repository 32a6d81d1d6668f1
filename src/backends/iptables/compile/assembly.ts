// The iptables Program of one family, kept as pieces; see Assembly in backend.ts.
import type { Family } from '../../../model/ip.ts';
import type { ServiceKey } from '../../../model/kubernetes.ts';
import type { Part, ServiceRules } from '../../../model/ruleset.ts';
import type { Program } from '../../../netfilter/program.ts';
import { programOf } from '../../../netfilter/program.ts';
import type { Assembly, Change } from '../../backend.ts';
import { changeOf } from '../../change-of.ts';
import type { ServiceUnits } from './service.ts';
import { compileService } from './service.ts';
import type { TreeName, TreePlace } from '../dispatch/places.ts';
import { treeMatch, treeNames, treePlaces } from '../dispatch/places.ts';
import type { DispatchRule, PrefixMatch } from '../dispatch/tree.ts';
import { DispatchTree } from '../dispatch/tree.ts';
import { compileFrame, compileTails } from './frame.ts';
import type { ChainUnit, IptablesUnit } from '../unit.ts';
import { chainUnit } from '../unit.ts';

const noPiece: ServiceUnits = { chains: [], entries: new Map() };

/**
 * Invariant: each dispatch holds exactly the entries of #pieces, and the units of its chains as they
 * are now.
 */
export class IptablesAssembly implements Assembly<IptablesUnit> {
  readonly #frame: readonly IptablesUnit[];
  readonly #pieces = new Map<ServiceKey, ServiceUnits>();
  readonly #dispatches: ReadonlyMap<TreeName, Dispatch>;

  /** `more` are units that stand whatever Services there are. */
  constructor(family: Family, parts: readonly Part[], more: readonly IptablesUnit[] = []) {
    this.#frame = [...compileFrame(family, parts), ...more];
    const tails = compileTails(parts);
    this.#dispatches = new Map(
      treeNames.flatMap((name) => {
        const tail = tails.get(name);
        if (tail === undefined) return [];
        const at = { place: treePlaces[name], tail };
        return [[name, new Dispatch(treeMatch(name, family), at)] as const];
      }),
    );
  }

  replace(pieces: ReadonlyMap<ServiceKey, ServiceRules | undefined>): Change<IptablesUnit> {
    const swaps = [...pieces].map(([service, rules]) => this.#swap(service, rules));
    const dispatched = [...this.#dispatches].map(([name, dispatch]) => {
      const was = swaps.flatMap((swap) => swap.was.entries.get(name) ?? []);
      const now = swaps.flatMap((swap) => swap.now.entries.get(name) ?? []);
      return dispatch.replace(was, now);
    });
    return changeOf(
      () =>
        programOf([
          ...dispatched.flatMap(({ before }) => [...before.values()]),
          ...swaps.flatMap(({ was }) => was.chains),
        ]),
      () =>
        programOf([
          ...dispatched.flatMap(({ after }) => [...after.values()]),
          ...swaps.flatMap(({ now }) => now.chains),
        ]),
    );
  }

  whole(): Program<IptablesUnit> {
    return programOf(this.units());
  }

  *units(): Generator<IptablesUnit> {
    for (const unit of this.#frame) yield unit;
    for (const dispatch of this.#dispatches.values()) yield* dispatch.units();
    // Sorted, so that the order in which the Services came does not show.
    for (const service of [...this.#pieces.keys()].sort()) {
      yield* this.#pieces.get(service)?.chains ?? [];
    }
  }

  #swap(
    service: ServiceKey,
    rules: ServiceRules | undefined,
  ): { readonly was: ServiceUnits; readonly now: ServiceUnits } {
    const was = this.#pieces.get(service) ?? noPiece;
    const now = rules === undefined ? noPiece : compileService(rules);
    if (rules === undefined) this.#pieces.delete(service);
    else this.#pieces.set(service, now);
    return { was, now };
  }
}

type DispatchPlace = {
  readonly place: TreePlace;
  /** The rules of the root behind those of the tree. */
  readonly tail: readonly string[];
};

/** A dispatch tree with its chains as units. Invariant: #units is what #tree spells. */
class Dispatch {
  readonly #at: DispatchPlace;
  readonly #tree: DispatchTree;
  readonly #units = new Map<string, ChainUnit>();

  constructor(matchOf: PrefixMatch, at: DispatchPlace) {
    this.#at = at;
    this.#tree = new DispatchTree(matchOf, at.place);
    this.#refresh(at.place.root);
  }

  *units(): Generator<ChainUnit> {
    for (const chain of this.#tree.chains()) {
      const unit = this.#units.get(chain);
      if (unit !== undefined) yield unit;
    }
  }

  /** Exchanges entries; returns the chains that this changes. */
  replace(was: readonly DispatchRule[], now: readonly DispatchRule[]): Change<ChainUnit> {
    const touched = new Set<string>();
    const touch = (chains: ReadonlySet<string>): void => {
      for (const chain of chains) touched.add(chain);
    };
    // All removals first: an address may have gone from one Service to another.
    for (const rule of was) touch(this.#tree.remove(rule));
    for (const rule of now) touch(this.#tree.insert(rule));
    const before = new Map<string, ChainUnit>();
    const after = new Map<string, ChainUnit>();
    for (const chain of [...touched].sort()) {
      const old = this.#units.get(chain);
      const unit = this.#refresh(chain);
      if (old?.text === unit?.text) continue;
      if (old !== undefined) before.set(old.id, old);
      if (unit !== undefined) after.set(unit.id, unit);
    }
    return { before, after };
  }

  #refresh(chain: string): ChainUnit | undefined {
    const { place, tail } = this.#at;
    const rules = this.#tree.rules(chain);
    if (rules === undefined) {
      this.#units.delete(chain);
      return undefined;
    }
    const isRoot = chain === place.root;
    const unit = chainUnit(place.table, chain, { rules: isRoot ? [...rules, ...tail] : rules });
    this.#units.set(chain, unit);
    return unit;
  }
}

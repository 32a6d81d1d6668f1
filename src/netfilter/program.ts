// A Program: what a kernel should hold, or was seen to hold, as named units. Both backends fill it;
// nothing here knows how a unit is spelled.
import type { Family } from '../model/ip.ts';
import type { ServiceKey } from '../model/kubernetes.ts';

/** The smallest thing that a plan creates, replaces or deletes. Equal text means equal content. */
export type Unit = {
  /** Unique in its Program, such as `chain services` or `nat KUBE-SVC-XPGD46QRK7WJZT7O`. */
  readonly id: string;
  /** What it is in the backend's own words: chain, map, set, element, jump. */
  readonly kind: string;
  /** The Service that it stands for, or undefined where it serves all of them. */
  readonly owner: ServiceKey | undefined;
  /** How people read it, in the backend's own syntax; byte-stable. */
  readonly text: string;
  /** What it is but for a place among others that means nothing, such as the slot of an endpoint. */
  readonly unordered?: string | undefined;
  /** Others use it too: it is made where it is missing, but no plan deletes it. */
  readonly stays?: boolean;
  /** What of others' leads here: a plan that deletes it can but empty it. */
  readonly heldBy?: readonly string[];
};

/** Units by their id. */
export type Program<U extends Unit = Unit> = ReadonlyMap<string, U>;

/** The Program of these units, each of which is there once. */
export function programOf<U extends Unit>(units: Iterable<U>): Program<U> {
  const program = new Map<string, U>();
  for (const unit of units) program.set(unit.id, unit);
  return program;
}

/** A Program for each family; a family that the host does not have is absent. */
export type Programs<U extends Unit = Unit> = ReadonlyMap<Family, Program<U>>;

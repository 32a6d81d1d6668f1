// The kernel as a flight record describes it, for a pass that is run again: it holds what it was found to hold
// then, and refuses what it refused then.
import { setImmediate as turn } from 'node:timers/promises';
import type { Assembler } from '../../backends/backend.ts';
import { ToolError } from '../../errors.ts';
import type { Family } from '../../model/ip.ts';
import type { FamilyRecord, Found, PassRecord } from '../../model/pass-record.ts';
import { applyPlan, unitOf, type Plan } from '../../netfilter/plan.ts';
import type { Program, Unit } from '../../netfilter/program.ts';
import type { Desired } from '../../sync/desired.ts';
import type { Kernel, Reconciler } from '../../sync/reconcile.ts';

/** A pass of one family that is run again. */
type Again = { readonly record: FamilyRecord; readonly desired: Desired<Unit>; isFound: boolean };

/** Invariant: #held has what the passes that were run again left, #named what was refused last. */
export class RecordedKernel implements Kernel<Unit> {
  readonly #assembler: Assembler;
  readonly #held = new Map<Family, Program>();
  #again = new Map<Family, Again>();
  #named: readonly string[] = [];

  constructor(assembler: Assembler) {
    this.#assembler = assembler;
  }

  /** The next pass is this one; families that were read then are read again. */
  begin({ families }: PassRecord, reconciler: Reconciler<Unit>): void {
    this.#again = new Map();
    for (const record of families) {
      const desired = reconciler.desired(record.family);
      if (desired === undefined) continue;
      this.#again.set(record.family, { record, desired, isFound: false });
      if (record.isFull) reconciler.distrust(record.family);
    }
  }

  assemble(...args: Parameters<Assembler['assemble']>): ReturnType<Assembler['assemble']> {
    return this.#assembler.assemble(...args);
  }

  async observe(family: Family): Promise<Program> {
    // What was found is kept as its difference from what is wanted, which is decided meanwhile.
    await turn();
    const again = this.#again.get(family);
    if (again !== undefined && !again.isFound) {
      again.isFound = true;
      this.#held.set(family, kernelAsFound(wantedBut(again), again.record.kernel?.found));
    }
    return this.#read(family);
  }

  async apply(family: Family, plan: Plan): Promise<void> {
    const again = this.#again.get(family);
    const { error } = again?.record ?? {};
    if (error !== undefined) throw new Error(error);
    if (again !== undefined) this.#refuse(again, plan);
    this.#held.set(family, applyPlan(this.#read(family), plan));
  }

  unitsNamedIn(): readonly string[] {
    return this.#named;
  }

  #refuse({ record: { refused = [] }, desired }: Again, plan: Plan): void {
    const bad = new Set(
      refused.filter((service) => !desired.decisions.statusOf(service).isQuarantined),
    );
    if (bad.size === 0) return;
    const units = plan.map(unitOf).filter(({ owner }) => owner !== undefined && bad.has(owner));
    this.#named = units.map(({ id }) => id);
    const details = { command: 'replay', exitCode: 1, stderr: '', input: '' };
    throw new ToolError('refused then', details);
  }

  #read(family: Family): Program {
    return this.#held.get(family) ?? new Map<string, Unit>();
  }
}

/** What is wanted when the Services that were refused then keep what they had. */
function wantedBut({ record: { refused = [] }, desired }: Again): Program {
  if (refused.length === 0) return desired.whole();
  const { candidates } = desired.decisions;
  desired.quarantineOnly(new Set(refused), candidates);
  const wanted = desired.whole();
  desired.quarantineOnly(new Set(), candidates);
  return wanted;
}

// What is not in the record was as wanted, for all that can be said.
function kernelAsFound(wanted: Program, found: Found | undefined): Program {
  if (found === undefined || found.kind === 'unrecorded') return wanted;
  if (found.kind === 'nothing') return new Map();
  const present = new Map(wanted);
  for (const id of found.missing) present.delete(id);
  for (const unit of found.present) present.set(unit.id, unit as Unit);
  return present;
}

// How much of ours a family's kernel holds, kept by what each plan changes: counting all of it takes
// long in a large cluster.
import type { Holdings } from '../../model/receipt.ts';
import type { Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';

/** Invariant: what it holds is what `count` and every `apply` since then add up to. */
export class HoldingsCount {
  #units = new Map<string, number>();
  #rules = new Map<string, number>();

  /** Counts all there is. */
  count(whole: Iterable<Unit>): void {
    // Kinds and tables of which nothing is left are reported as well.
    this.#units = zeros(this.#units);
    this.#rules = zeros(this.#rules);
    for (const unit of whole) this.#add(unit, 1);
  }

  /** Takes over a plan that was carried out. */
  apply(steps: Plan): void {
    for (const step of steps) {
      if (step.op !== 'create') this.#add(step.was, -1);
      if (step.op !== 'delete') this.#add(step.unit, 1);
    }
  }

  /** What is held now. */
  get now(): Holdings {
    return { units: this.#units, rules: this.#rules };
  }

  #add(unit: Unit, sign: 1 | -1): void {
    add(this.#units, unit.kind, sign);
    const table = tableOf(unit);
    if (table !== undefined) add(this.#rules, table, sign * rulesIn(unit));
  }
}

/** The rules that a plan writes, by iptables table. */
export function rulesWritten(steps: Plan): ReadonlyMap<string, number> {
  const written = new Map<string, number>();
  for (const step of steps) {
    if (step.op === 'delete') continue;
    const table = tableOf(step.unit);
    if (table !== undefined) add(written, table, rulesIn(step.unit));
  }
  return written;
}

function zeros(counts: ReadonlyMap<string, number>): Map<string, number> {
  return new Map([...counts.keys()].map((key) => [key, 0]));
}

function add(counts: Map<string, number>, key: string, count: number): void {
  counts.set(key, (counts.get(key) ?? 0) + count);
}

// Units of iptables alone have one.
function tableOf(unit: Unit): string | undefined {
  return 'table' in unit && typeof unit.table === 'string' ? unit.table : undefined;
}

// A line is a rule.
function rulesIn({ text }: Unit): number {
  if (text === '') return 0;
  let lines = 1;
  for (let at = text.indexOf('\n'); at !== -1; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

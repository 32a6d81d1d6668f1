// Digests that show whether two plans, or two Programs, are the same without keeping either.
import { hash } from 'node:crypto';
import type { Plan } from '../../netfilter/plan.ts';
import { unitOf } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';

/** Of a plan; neither the order of its steps matters nor that of units in places that mean nothing. */
export function planDigest(steps: Plan): string {
  const sum = new Sum();
  const unordered = new Map<string, number>();
  const count = (unit: Unit | undefined, by: number): void => {
    const id = unit?.unordered;
    if (id !== undefined) unordered.set(id, (unordered.get(id) ?? 0) + by);
  };
  for (const step of steps) {
    const { id, unordered: place } = unitOf(step);
    const was = step.op === 'create' ? undefined : step.was;
    const is = step.op === 'delete' ? undefined : step.unit;
    count(was, -1);
    count(is, 1);
    if (place === undefined) sum.add([step.op, id, was?.text ?? '', is?.text ?? ''].join('\0'));
  }
  for (const [id, by] of unordered) if (by !== 0) sum.add(`${id}\0${by}`);
  return sum.hex;
}

/** Of the units of a Program, whatever their order, and how many they are. */
export function unitsDigest(units: Iterable<Unit>): {
  readonly digest: string;
  readonly size: number;
} {
  const sum = new Sum();
  let size = 0;
  for (const { id, text, unordered } of units) {
    sum.add(unordered ?? `${id}\0${text}`);
    size += 1;
  }
  return { digest: sum.hex, size };
}

/** Invariant: #parts are the sums of the digests that were added, each modulo 2^32. */
class Sum {
  readonly #parts = new Uint32Array(4);

  add(text: string): void {
    const digest = hash('sha256', text, 'buffer');
    for (const part of this.#parts.keys()) {
      this.#parts[part] = (this.#parts[part] ?? 0) + digest.readUInt32LE(part * 4);
    }
  }

  get hex(): string {
    return [...this.#parts].map((part) => part.toString(16).padStart(8, '0')).join('');
  }
}

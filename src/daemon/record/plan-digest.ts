// Digests that show whether two plans, or two Programs, are the same without keeping either.
import { hash } from 'node:crypto';
import type { Plan } from '../../netfilter/plan.ts';
import type { Unit } from '../../netfilter/program.ts';

/** Of a plan; the order of its steps does not matter. */
export function planDigest(steps: Plan): string {
  const sum = new Sum();
  for (const step of steps) {
    const { id } = step.op === 'delete' ? step.was : step.unit;
    const was = step.op === 'create' ? '' : step.was.text;
    const is = step.op === 'delete' ? '' : step.unit.text;
    sum.add([step.op, id, was, is].join('\0'));
  }
  return sum.hex;
}

/** Of the units of a Program, whatever their order, and how many they are. */
export function unitsDigest(units: Iterable<Unit>): {
  readonly digest: string;
  readonly size: number;
} {
  const sum = new Sum();
  let size = 0;
  for (const { id, text } of units) {
    sum.add(`${id}\0${text}`);
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

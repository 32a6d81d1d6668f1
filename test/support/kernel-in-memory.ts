// A kernel that is a Program for each family, behind either backend's own decisions: for every test that needs
// no packets. A plan is carried out on a copy, which takes the place of what there was only as a whole.
import type { Backend } from '../../src/backends/backend.ts';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import { ToolError } from '../../src/errors.ts';
import type { HearOptions } from '../../src/host/netfilter/table-changes.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import type { Family } from '../../src/model/ip.ts';
import { families } from '../../src/model/ip.ts';
import { applyPlan, type Plan } from '../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../src/netfilter/program.ts';

/** Why a plan is not carried out; undefined where it is. */
export type Fault = (plan: Plan) => Error | undefined;

const noTools = (): Promise<never> => Promise.reject(new Error('no tool is run here'));

/** Both backends, without a tool to run: what they decide, spell and compare is all there. */
export const backendsWithoutTools: readonly Backend[] = [
  createNftablesBackend(noTools, 'text') as unknown as Backend,
  createIptablesBackend(noTools) as unknown as Backend,
];

/** The error of a tool that refuses what it is told. */
export function refusal(): ToolError {
  const stderr = 'Error: Could not process rule\nmore of it';
  return new ToolError(`nft: ${stderr}`, { command: 'nft', exitCode: 1, stderr, input: '' });
}

/** Refuses every plan that makes something of a unit like this. */
export function refusing(isBad: (unit: Unit) => boolean): Fault {
  return (plan) =>
    plan.some((step) => step.op !== 'delete' && isBad(step.unit)) ? refusal() : undefined;
}

/** Invariant: #programs has what the plans that were carried out, and the foreign changes, add up to. */
export class KernelInMemory {
  /** Asked before each plan that has a step. */
  fault: Fault | undefined;
  /** What was asked of it, in order: `observe IPv4`, `apply IPv4` for a plan with a step. */
  readonly calls: string[] = [];
  readonly backend: Backend;
  readonly #programs = new Map<Family, Program>();
  readonly #listeners = new Set<HearOptions>();

  constructor(mode: ProxyMode) {
    const pure = backendsWithoutTools.find(({ name }) => name === mode);
    if (pure === undefined) throw new Error(`no backend for ${mode}`);
    this.backend = {
      ...pure,
      probe: async () => ({ families, findings: [] }),
      observe: async (family) => {
        this.calls.push(`observe ${family}`);
        return this.read(family);
      },
      apply: async (family, plan) => this.apply(family, plan),
      connections: async () => [],
      touches:
        () =>
        ({ family }) => ({ family, certainty: 'sure' }),
      canariesStand: async (family) => this.read(family).size > 0,
    };
  }

  /** What it holds now. */
  read(family: Family): Program {
    return this.#programs.get(family) ?? new Map<string, Unit>();
  }

  /** Carries out a plan, or throws and changes nothing. */
  apply(family: Family, plan: Plan): void {
    if (plan.length === 0) return;
    this.calls.push(`apply ${family}`);
    const fault = this.fault?.(plan);
    if (fault !== undefined) throw fault;
    this.#programs.set(family, carriedOut(this.read(family), plan));
  }

  /** Another process, whose id is 812, changes what there is. */
  change(family: Family, edit: (program: Map<string, Unit>) => void): void {
    const copy = new Map(this.read(family));
    edit(copy);
    this.#programs.set(family, copy);
    const change = { kind: 'change', isDeleted: false, object: 'other', family } as const;
    for (const { onMessage } of this.#listeners) {
      onMessage({ ...change, table: 'any', chain: undefined });
      onMessage({
        kind: 'end',
        author: { pid: 812, process: 'firewalld' },
        generation: undefined,
      });
    }
  }

  /** Tells of foreign changes alone. */
  readonly tell = async (options: HearOptions): Promise<void> => {
    const { promise, resolve } = Promise.withResolvers<void>();
    options.signal.addEventListener('abort', () => resolve(), { once: true });
    this.#listeners.add(options);
    options.onListening();
    if (!options.signal.aborted) await promise;
    this.#listeners.delete(options);
  };
}

// What is not as the plan takes it to be is refused, as nft does.
function carriedOut(program: Program, plan: Plan): Program {
  try {
    return applyPlan(program, plan);
  } catch {
    throw refusal();
  }
}

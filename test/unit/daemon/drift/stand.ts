// A watch with passes, tools and time in the hand of a test.
import { touchesOurTable } from '../../../../src/backends/nftables/read/touches.ts';
import type { HearChanges, HearOptions } from '../../../../src/host/netfilter/table-changes.ts';
import type { Plan } from '../../../../src/netfilter/plan.ts';
import { plan } from '../../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../../src/netfilter/program.ts';
import { DriftWatch } from '../../../../src/daemon/drift/drift-watch.ts';
import type { Desired } from '../../../../src/sync/desired.ts';
import type { FamilyPass } from '../../../../src/sync/reconcile.ts';
import { ManualClock } from '../../../cluster/manual-clock.ts';

const chain: Unit = { id: 'chain services', kind: 'chain', owner: undefined, text: 'x' };
export const missing: Plan = [{ op: 'create', unit: chain }];
export const wanted: Program = new Map([[chain.id, chain]]);

export function pass(plan: Plan, isFull: boolean, error?: Error): FamilyPass<Unit> {
  const change = { before: new Map<string, Unit>(), after: new Map<string, Unit>() };
  return {
    family: 'IPv4',
    desired: {} as Desired<Unit>,
    plan,
    update: { change, isTraceable: true, decided: new Set(), conflicts: [], faults: new Map() },
    quarantined: new Map(),
    settled: { before: [], after: [] },
    error,
    isFull,
    durationMs: 1,
    phaseMs: { resolve: 0, plan: 0, apply: 0 },
  };
}

/** A watch over one family whose kernel the test plays, which tells of changes or does not. */
export function stand(touches: 'told' | 'untold' = 'told') {
  const said: string[] = [];
  const ending = new AbortController();
  const clock = new ManualClock();
  const kernel = { program: wanted, canaries: true as boolean | undefined, reads: 0, asked: 0 };
  const ears: (HearOptions & { readonly end: (error: Error) => void })[] = [];
  const hear: HearChanges = (options) =>
    new Promise((resolve, reject) => {
      ears.push({ ...options, end: reject });
      options.signal.addEventListener('abort', () => resolve());
    });
  const watch = new DriftWatch({
    backend: {
      touches: () => (touches === 'told' ? touchesOurTable : undefined),
      async observe() {
        kernel.reads += 1;
        return kernel.program;
      },
      async canariesStand() {
        kernel.asked += 1;
        return kernel.canaries;
      },
    },
    reconciler: {
      distrust: (family) => void said.push(`distrust ${family}`),
      desired: () => ({ planFrom: (present: Program) => plan(present, wanted) }) as never,
    },
    families: ['IPv4'],
    own: { claim: () => false },
    hear,
    nudge: () => void said.push('nudge'),
    listener: {
      repaired: ({ source, authors, repaired }) =>
        void said.push(
          `repaired ${source} ${authors.map(({ pid }) => pid).join()} ${repaired.create}`,
        ),
      outcome: (_family, outcome) => void said.push(outcome),
      looping: () => void said.push('looping'),
      calm: () => void said.push('calm'),
      deaf: (why) => void said.push(`deaf: ${why?.message}`),
      listening: () => void said.push('listening'),
    },
    syncPeriodMs: 30_000,
    clock,
    signal: ending.signal,
  });
  const running = watch.run();
  const passOver = (plan: Plan, isFull: boolean, error?: Error): void => {
    watch.began();
    watch.ended({ families: [pass(plan, isFull, error)] });
  };
  return {
    watch,
    clock,
    kernel,
    ears,
    /** What was said since the last call. */
    said: () => said.splice(0),
    pass: passOver,
    /** The kernel is heard, and then comes the first pass. */
    begin: (): void => {
      ears[0]?.onListening();
      passOver([], true);
    },
    change: (pid: number, table = 'sluice'): void => {
      const ear = ears.at(-1);
      const change = { kind: 'change', isDeleted: true, object: 'chain', family: 'IPv4' } as const;
      ear?.onMessage({ ...change, table, chain: 'services' });
      ear?.onMessage({
        kind: 'end',
        author: { pid, process: 'firewalld' },
        generation: undefined,
      });
    },
    end: async (): Promise<void> => {
      ending.abort();
      await running;
    },
  };
}

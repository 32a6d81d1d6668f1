// A watch with passes, tools and time in the hand of a test.
import { touchesOurTable } from '../../../../src/backends/nftables/read/touches.ts';
import type { FollowMonitor, MonitorOptions } from '../../../../src/host/netfilter/nft-monitor.ts';
import type { Plan } from '../../../../src/netfilter/plan.ts';
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
    update: { change, isTraceable: true, conflicts: [], faults: new Map() },
    quarantined: new Map(),
    settled: { before: [], after: [] },
    error,
    isFull,
    durationMs: 1,
    phaseMs: { resolve: 0, plan: 0, apply: 0 },
  };
}

/** A watch over one family whose monitor and kernel the test plays. */
export function stand(touches: 'nft' | 'none' = 'nft') {
  const said: string[] = [];
  const ending = new AbortController();
  const clock = new ManualClock();
  const kernel = { program: wanted, canaries: true as boolean | undefined, reads: 0, asked: 0 };
  const monitors: (MonitorOptions & { readonly end: (error: Error) => void })[] = [];
  const follow: FollowMonitor = (options) =>
    new Promise((resolve, reject) => {
      monitors.push({ ...options, end: reject });
      options.signal.addEventListener('abort', () => resolve());
    });
  const watch = new DriftWatch({
    backend: {
      touches: () => (touches === 'nft' ? touchesOurTable : undefined),
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
      desired: () => ({ whole: () => wanted }) as never,
    },
    families: ['IPv4'],
    own: { claim: () => false },
    follow,
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
    monitors,
    /** What was said since the last call. */
    said: () => said.splice(0),
    pass: passOver,
    /** The first pass, which took so long, and then nft monitor, which listens from then on. */
    begin: async (tookMs = 0): Promise<void> => {
      watch.began();
      await clock.advance(tookMs);
      watch.ended({ families: [pass([], true)] });
      await clock.advance(0);
      monitors[0]?.onListening();
      await clock.advance(0);
      kernel.asked = 0;
    },
    change: (pid: number): void => {
      const monitor = monitors.at(-1);
      monitor?.onLine('delete chain ip sluice services');
      monitor?.onLine(`# new generation 5 by process ${pid} (firewalld)`);
    },
    end: async (): Promise<void> => {
      ending.abort();
      await running;
    },
  };
}

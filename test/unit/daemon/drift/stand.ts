// A watch with passes, tools and time in the hand of a test.
import { vi } from 'vitest';
import { touchesOurTable } from '../../../../src/backends/nftables/read/touches.ts';
import type { FollowMonitor, MonitorOptions } from '../../../../src/host/netfilter/nft-monitor.ts';
import type { Plan } from '../../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../../src/netfilter/program.ts';
import { DriftWatch } from '../../../../src/daemon/drift/drift-watch.ts';
import type { FamilyPass } from '../../../../src/sync/reconcile.ts';

const chain: Unit = { id: 'chain services', kind: 'chain', owner: undefined, text: 'x' };
export const missing: Plan = [{ op: 'create', unit: chain }];
export const wanted: Program = new Map([[chain.id, chain]]);

export function pass(plan: Plan, isFull: boolean, error?: Error): FamilyPass<Unit> {
  const change = { before: new Map<string, Unit>(), after: new Map<string, Unit>() };
  return {
    family: 'IPv4',
    plan,
    update: { change, isTraceable: true, lost: [], faults: new Map() },
    heldBack: new Map(),
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
  const kernel = { program: wanted, canaries: true as boolean | undefined, reads: 0, asked: 0 };
  const monitors: (MonitorOptions & { readonly end: (error: Error) => void })[] = [];
  const follow: FollowMonitor = (options) =>
    new Promise((resolve, reject) => {
      monitors.push({ ...options, end: reject });
      options.signal.addEventListener('abort', () => resolve());
    });
  const watch = new DriftWatch<Unit>({
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
    now: () => Date.now(),
    signal: ending.signal,
  });
  const running = watch.run();
  const passOver = (plan: Plan, isFull: boolean, error?: Error): void => {
    watch.begun();
    watch.passed([pass(plan, isFull, error)]);
  };
  return {
    watch,
    kernel,
    monitors,
    /** What was said since the last call. */
    said: () => said.splice(0),
    pass: passOver,
    /** The first pass, which took so long, and then nft monitor, which listens from then on. */
    begin: async (tookMs = 0): Promise<void> => {
      watch.begun();
      vi.setSystemTime(Date.now() + tookMs);
      watch.passed([pass([], true)]);
      await vi.advanceTimersByTimeAsync(0);
      monitors[0]?.onListening();
      await vi.advanceTimersByTimeAsync(0);
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

// When a pass is asked for, and what is said: with passes, tools and time in the hand of the test.
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import { touchesOurTable } from '../../../../src/backends/nftables/touches.ts';
import type { FollowMonitor, MonitorOptions } from '../../../../src/host/nft-monitor.ts';
import type { Plan } from '../../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../../src/netfilter/program.ts';
import { DriftWatch } from '../../../../src/sync/drift/drift-watch.ts';
import type { FamilyPass } from '../../../../src/sync/reconcile.ts';

const chain: Unit = { id: 'chain services', kind: 'chain', owner: undefined, text: 'x' };
const missing: Plan = [{ op: 'create', unit: chain }];
const wanted: Program = new Map([[chain.id, chain]]);

function pass(plan: Plan, isFull: boolean, error?: Error): FamilyPass<Unit> {
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
function stand(touches: 'nft' | 'none' = 'nft') {
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
  return {
    watch,
    kernel,
    monitors,
    /** What was said since the last call. */
    said: () => said.splice(0),
    pass: (plan: Plan, isFull: boolean, error?: Error): void => {
      watch.begun();
      watch.passed([pass(plan, isFull, error)]);
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

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'Date'] });
});
afterEach(() => {
  vi.useRealTimers();
});

describe('a change by others', () => {
  test('is repaired by the next pass, which is asked for at once', async () => {
    const { change, pass: passOver, said, end } = stand();
    passOver([], true);
    change(812);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired monitor 812 1']);
    await end();
  });

  test('before the first pass is nothing: that one reads everything', async () => {
    const { change, said, end } = stand();
    change(812);
    expect(said()).toEqual([]);
    await end();
  });

  test('while a pass goes on is looked at after it', async () => {
    const { watch, change, pass: passOver, said, end } = stand();
    passOver([], true);
    watch.begun();
    change(812);
    watch.passed([pass([], false)]);
    expect(said()).toEqual(['nudge', 'nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired monitor 812 1']);
    await end();
  });

  test('that comes to nothing is not talked about', async () => {
    const { change, pass: passOver, said, end } = stand();
    passOver([], true);
    change(812);
    passOver([], true);
    expect(said()).toEqual(['nudge', 'distrust IPv4', 'unchanged']);
    await end();
  });

  test('that could not be repaired yet is told of when it is', async () => {
    const { change, pass: passOver, said, end } = stand();
    passOver([], true);
    change(812);
    passOver([], true, new Error('locked'));
    passOver(missing, true);
    expect(said()).toEqual([
      'nudge',
      'distrust IPv4',
      'failed',
      'repaired',
      'repaired monitor 812 1',
    ]);
    await end();
  });
});

test('a change in the cluster is no drift, though it is carried out by the same pass', async () => {
  const { watch, change, said, end } = stand();
  watch.begun();
  watch.passed([pass([], true)]);
  change(812);
  watch.begun();
  const one = pass(missing, true);
  const update = { ...one.update, change: { before: new Map(), after: wanted } };
  watch.passed([{ ...one, update }]);
  expect(said()).toEqual(['nudge', 'distrust IPv4', 'unchanged']);
  await end();
});

test('who undoes each repair is told of once, waited for, and told of when he stops', async () => {
  const { change, pass: passOver, said, end } = stand();
  passOver([], true);
  const all: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    change(812);
    await vi.advanceTimersByTimeAsync(round > 5 ? 20_000 : 0);
    passOver(missing, true);
    all.push(...said().filter((word) => !/^(nudge|distrust)/.test(word)));
  }
  expect(all.filter((word) => word === 'looping')).toEqual(['looping']);
  expect(all.filter((word) => word === 'delayed').length).toBe(2);
  expect(all.at(-1)).toBe('repaired');
  await vi.advanceTimersByTimeAsync(60_000);
  expect(said()).toEqual(['calm']);
  await end();
});

describe('nft monitor', () => {
  test('that ends is said once, started again and again, and what was missed is looked for', async () => {
    const { monitors, pass: passOver, said, end } = stand();
    monitors[0]?.onListening();
    passOver([], true);
    monitors[0]?.end(new Error('killed'));
    await vi.advanceTimersByTimeAsync(0);
    expect(said()).toEqual(['deaf: killed']);
    await vi.advanceTimersByTimeAsync(1000);
    monitors[1]?.end(new Error('again'));
    await vi.advanceTimersByTimeAsync(1999);
    expect([monitors.length, said()]).toEqual([2, []]);
    await vi.advanceTimersByTimeAsync(1);
    expect(monitors.length).toBe(3);
    monitors[2]?.onListening();
    expect(said()).toEqual(['listening', 'nudge']);
    await end();
  });

  test('keeps the first pass waiting until it listens, or cannot', async () => {
    const { watch, monitors, end } = stand();
    const ready = watch.untilReady();
    monitors[0]?.onListening();
    await ready;
    await end();
    const other = stand('none');
    await other.watch.untilReady();
    await other.end();
  });
});

describe('the audit', () => {
  test('reads beside the passes, rarely where nft monitor listens', async () => {
    const { monitors, kernel, pass: passOver, said, end } = stand();
    monitors[0]?.onListening();
    passOver([], true);
    await vi.advanceTimersByTimeAsync(19 * 30_000);
    expect(kernel).toMatchObject({ reads: 0, asked: 0 });
    kernel.program = new Map();
    await vi.advanceTimersByTimeAsync(30_000);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired audit  1']);
    await end();
  });

  test('reads each period where nobody tells of changes, and where all is well says nothing', async () => {
    const { kernel, pass: passOver, said, end } = stand('none');
    await vi.advanceTimersByTimeAsync(60_000);
    expect(kernel).toMatchObject({ reads: 0, asked: 0 });
    passOver([], true);
    await vi.advanceTimersByTimeAsync(60_000);
    expect([kernel.reads, kernel.asked, said()]).toEqual([2, 2, []]);
    await end();
  });

  test('lets be what a failed pass left, which the loop tries again', async () => {
    const { kernel, pass: passOver, said, end } = stand('none');
    passOver([], true, new Error('locked'));
    kernel.program = new Map();
    await vi.advanceTimersByTimeAsync(90_000);
    expect([kernel.reads, said()]).toEqual([0, []]);
    await end();
  });
});

describe('the canary', () => {
  test('that is gone has the rules looked at', async () => {
    const { kernel, pass: passOver, said, end } = stand('none');
    passOver([], true);
    kernel.canaries = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(said()).toEqual(['nudge']);
    passOver(missing, true);
    expect(said()).toEqual(['distrust IPv4', 'repaired', 'repaired canary  1']);
    await end();
  });

  test('that cannot be asked for now says nothing', async () => {
    const { kernel, pass: passOver, said, end } = stand('none');
    passOver([], true);
    kernel.canaries = undefined;
    await vi.advanceTimersByTimeAsync(90_000);
    expect(said()).toEqual([]);
    kernel.canaries = false;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(said()).toEqual(['nudge']);
    await end();
  });

  test('is asked for no more once the proxy stops', async () => {
    const { kernel, pass: passOver, said, end } = stand('none');
    passOver([], true);
    await end();
    kernel.canaries = false;
    await vi.advanceTimersByTimeAsync(90_000);
    expect([kernel.asked, said()]).toEqual([0, []]);
  });
});

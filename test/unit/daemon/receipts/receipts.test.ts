// What metrics are made of: counts kept by what passes touch must be those of the whole. The backends are
// the real ones, above a kernel that is a Program.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClusterState } from '../../../../src/cluster/state.ts';
import { runPass } from '../../../../src/daemon/pass.ts';
import { HoldingsCount } from '../../../../src/daemon/receipts/holdings.ts';
import { Receipts } from '../../../../src/daemon/receipts/receipts.ts';
import { HealthListener } from '../../../../src/daemon/serving/health-listener.ts';
import { ProxyHealth } from '../../../../src/daemon/serving/proxy-health.ts';
import type { ProxyMode } from '../../../../src/model/config.ts';
import { families } from '../../../../src/model/ip.ts';
import type { ClusterChange } from '../../../../src/model/kubernetes.ts';
import type { PassMetrics, QueuedChanges, Receipt } from '../../../../src/model/receipt.ts';
import type { Unit } from '../../../../src/netfilter/program.ts';
import { Reconciler } from '../../../../src/sync/reconcile.ts';
import { configFor } from '../../../support/config.ts';
import { KernelInMemory } from '../../../support/kernel-in-memory.ts';
import { decodeAll } from '../../../support/packets.ts';
import { batches } from '../../../support/random-cluster.ts';
import { both, L, node, R, service, slice, type Endpoint } from '../../../support/web-service.ts';

const startMs = Date.parse('2026-01-31T12:00:00Z');

/** Everything that hears of passes for metrics and health, above a kernel that takes 5 ms for a plan. */
function stand(mode: ProxyMode) {
  const kernel = new KernelInMemory(mode);
  const fault: { error: Error | undefined } = { error: undefined };
  const clock = { ms: 0 };
  kernel.fault = () => {
    clock.ms += 5;
    return fault.error;
  };
  const state = new ClusterState('node-1');
  const now = (): number => clock.ms;
  const reconciler = new Reconciler<Unit>({
    backend: kernel.backend,
    families,
    config: configFor(mode),
    state,
    hostIps: () => [],
    dryRun: false,
    now,
  });
  const receipts: Receipt[] = [];
  const queued: QueuedChanges[] = [];
  const metrics: PassMetrics = {
    queued: (changes) => void queued.push(changes),
    taken: () => {},
    passed: (receipt) => void receipts.push(receipt),
  };
  const health = new ProxyHealth({ now });
  const listeners = [
    new HealthListener(health, 'node-1'),
    new Receipts(metrics, () => startMs + clock.ms),
  ];
  const options = { nodeName: 'node-1', state, reconciler, listeners };
  return {
    clock,
    fault,
    health,
    queued,
    kernel,
    receipts,
    /** One pass; the receipts of it. */
    pass: async (changes: readonly ClusterChange[]): Promise<readonly Receipt[]> => {
      for (const listener of listeners) listener.queued(changes);
      const from = receipts.length;
      await runPass(options, { asked: ['cluster'], changes, version: '1' });
      return receipts.slice(from);
    },
  };
}

const set = (...raw: readonly object[]): readonly ClusterChange[] =>
  decodeAll(raw).map((object) => ({ op: 'set', object }));

/** What the rules of one Service with two endpoints are counted as. */
const counted = {
  nftables: {
    holdings: {
      units: new Map(Object.entries({ table: 1, set: 4, map: 23, chain: 22, element: 14 })),
      rules: new Map(),
    },
    rulesWritten: new Map(),
  },
  iptables: {
    holdings: {
      units: new Map(Object.entries({ jump: 12, rule: 3, chain: 15 })),
      rules: new Map(Object.entries({ filter: 16, nat: 21 })),
    },
    rulesWritten: new Map(Object.entries({ filter: 16, nat: 21 })),
  },
};

describe.each(['nftables', 'iptables'] as const)('%s', (mode) => {
  test('what is counted by changes is what counting all of it gives', async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.integer({ min: 0, max: 6 }), async (list, failing) => {
        const { pass, fault, kernel } = stand(mode);
        for (const [index, changes] of list.entries()) {
          fault.error = index === failing ? new Error('the kernel refuses') : undefined;
          for (const { family, isFailed, holdings } of await pass(changes)) {
            const whole = new HoldingsCount();
            whole.count(kernel.read(family).values());
            if (isFailed) continue;
            expect(nonZero(holdings.units)).toEqual(nonZero(whole.now.units));
            expect(nonZero(holdings.rules)).toEqual(nonZero(whole.now.rules));
          }
        }
      }),
      { numRuns: 40 },
    );
  });

  test('a pass is told of with what it took, read and did', async () => {
    const { pass, queued } = stand(mode);
    const objects = set(node, service(), slice(both));
    const [first] = await pass(objects);
    expect(queued).toEqual([{ services: 1, slices: 1 }]);
    expect(first).toEqual({
      family: 'IPv4',
      isFailed: false,
      isFull: true,
      durationMs: 5,
      phaseMs: { resolve: 0, plan: 0, apply: 5 },
      operations: { create: mode === 'nftables' ? 64 : 30, replace: 0, delete: 0 },
      quarantined: 0,
      conflicts: 0,
      programmingSeconds: [],
      withoutLocal: { internal: 0, external: 0 },
      ...counted[mode],
    });
    const [again] = await pass(set(slice([{ ip: R }])));
    expect([again?.isFailed, again?.isFull]).toEqual([false, false]);
    const [none] = await pass(set(slice([{ ip: R }])));
    expect(none?.operations).toEqual({ create: 0, replace: 0, delete: 0 });
  });

  test('a pass that fails reads all the next time, and health waits for that one', async () => {
    const { pass, fault, health, clock } = stand(mode);
    health.updated();
    await pass(set(node, service(), slice(both)));
    fault.error = new Error('no');
    const failed = await pass(set(slice([{ ip: R }])));
    expect(failed.map(({ isFailed, isFull }) => [isFailed, isFull])).toEqual([
      [true, false],
      [false, false],
    ]);
    clock.ms += 60_000;
    expect(health.isHealthy).toBe(false);
    fault.error = undefined;
    const [mended] = await pass([]);
    expect([mended?.isFailed, mended?.isFull]).toEqual([false, true]);
    expect(health.isHealthy).toBe(true);
  });

  test('an address that two Services claim counts as a conflict, until one of them goes', async () => {
    const { pass } = stand(mode);
    const other = structuredClone(service()) as { metadata: { name: string } };
    other.metadata.name = 'other';
    const [first] = await pass(set(node, service(), other, slice(both)));
    expect(first?.conflicts).toBe(4);
    const [second] = await pass([{ op: 'delete', kind: 'Service', id: 'demo/other' }]);
    expect(second?.conflicts).toBe(0);
  });
});

function nonZero(counts: ReadonlyMap<string, number>): Readonly<Record<string, number>> {
  return Object.fromEntries([...counts].filter(([, count]) => count !== 0));
}

describe('Service ports without endpoints here', () => {
  const local = { internalTrafficPolicy: 'Local' };
  const externalLocal = { externalTrafficPolicy: 'Local' };
  const [here, there]: readonly (readonly Endpoint[])[] = [[{ ip: L }], [{ ip: R }]];

  test.each<
    [name: string, spec: object, endpoints: readonly Endpoint[] | undefined, counts: string]
  >([
    ['internal Local, with one', local, here, '0 0'],
    ['internal Local, without', local, there, '1 0'],
    ['external Local, with one', externalLocal, here, '0 0'],
    ['external Local, without', externalLocal, there, '0 1'],
    ['both Local, without', { ...local, ...externalLocal }, there, '1 1'],
    ['both Local, no endpoints at all', { ...local, ...externalLocal }, [], '0 0'],
    ['none Local', {}, there, '0 0'],
  ])('%s', async (_, spec, endpoints = [], counts) => {
    const { pass } = stand('iptables');
    const count = ({ withoutLocal: { internal, external } }: Receipt): string =>
      `${internal} ${external}`;
    const [first] = await pass(set(node, service(spec), slice(endpoints)));
    expect(first && count(first)).toBe(counts);
    const [moved] = await pass(set(slice([{ ip: L }])));
    expect(moved && count(moved)).toBe('0 0');
    const [gone] = await pass([{ op: 'delete', kind: 'Service', id: 'demo/web' }]);
    expect(gone && count(gone)).toBe('0 0');
  });
});

test('the rules that are counted are those of a full restore, before and after endpoints come', async () => {
  const { pass, kernel } = stand('iptables');
  const written = (): Readonly<Record<string, number>> => {
    const input = kernel.backend.encode(
      'IPv4',
      [...kernel.read('IPv4').values()].map((unit) => ({ op: 'create', unit })),
    );
    const byTable: Record<string, number> = {};
    let table = '';
    for (const line of input.split('\n')) {
      if (line.startsWith('*')) table = line.slice(1);
      else if (/^-[AI] /.test(line)) byTable[table] = (byTable[table] ?? 0) + 1;
    }
    return byTable;
  };
  for (const endpoints of [[], both]) {
    const [receipt] = await pass(set(node, service(), slice(endpoints)));
    expect(Object.fromEntries(receipt?.holdings.rules ?? [])).toEqual(written());
  }
});

describe('the time from a change to its rules', () => {
  const annotated = (time: string | undefined, endpoints = both): object => {
    const raw = slice(endpoints) as { metadata: object };
    const name = 'endpoints.kubernetes.io/last-change-trigger-time';
    const annotations = time === undefined ? {} : { [name]: time };
    return { ...raw, metadata: { ...raw.metadata, annotations } };
  };
  const started = '2026-01-31T12:00:00Z';
  const later = (ms: number): string => new Date(startMs + ms).toISOString();
  const ages = (receipts: readonly Receipt[]): readonly (readonly number[])[] =>
    receipts.map(({ programmingSeconds }) => programmingSeconds);

  test('is told in the family of the slice, once', async () => {
    const { pass, clock } = stand('nftables');
    clock.ms = 2000;
    // What is written takes 5 ms in each family.
    expect(ages(await pass(set(node, service(), annotated(later(1000)))))).toEqual([[1.01], []]);
    expect(ages(await pass(set(annotated(later(1000)))))).toEqual([[], []]);
    expect(ages(await pass(set(annotated(later(2000), [{ ip: R }]))))).toEqual([[0.015], []]);
  });

  test.each([
    ['what was before this process', '2026-01-31T11:59:59Z'],
    ['the moment of its start', started],
    ['no time', 'yesterday'],
    ['no annotation', undefined],
  ])('is not told for %s', async (_, time) => {
    const { pass, clock } = stand('nftables');
    clock.ms = 2000;
    expect(ages(await pass(set(node, service(), annotated(time))))).toEqual([[], []]);
  });

  test('goes on where a pass fails', async () => {
    const { pass, clock, fault } = stand('nftables');
    clock.ms = 2000;
    fault.error = new Error('no');
    expect(ages(await pass(set(node, service(), annotated(later(1000)))))).toEqual([[], []]);
    fault.error = undefined;
    clock.ms = 4000;
    expect(ages(await pass([]))).toEqual([[3.01], []]);
  });

  test.each([
    ['a pass later', true],
    ['in the same pass', false],
  ])('is forgotten with a slice that goes %s', async (_, isLater) => {
    const { pass, clock, fault } = stand('nftables');
    clock.ms = 2000;
    const come = set(node, service(), annotated(later(1000)));
    const gone: ClusterChange = { op: 'delete', kind: 'EndpointSlice', id: 'demo/web-1' };
    fault.error = isLater ? new Error('no') : undefined;
    if (isLater) await pass(come);
    fault.error = undefined;
    expect(ages(await pass(isLater ? [gone] : [...come, gone]))).toEqual([[], []]);
  });
});

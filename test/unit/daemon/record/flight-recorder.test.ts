// What the flight recorder keeps leads to the same plans again, through JSON and without a kernel. The
// backends are the real ones, above a kernel that is a Program.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../../src/backends/backend.ts';
import { createIptablesBackend } from '../../../../src/backends/iptables/backend.ts';
import { createNftablesBackend } from '../../../../src/backends/nftables/backend.ts';
import { ClusterState } from '../../../../src/cluster/state.ts';
import { ToolError } from '../../../../src/errors.ts';
import type { Family, Ip } from '../../../../src/model/ip.ts';
import { families, parseIp } from '../../../../src/model/ip.ts';
import type { ClusterChange } from '../../../../src/model/kubernetes.ts';
import type { Asker, FlightRecord } from '../../../../src/model/pass-record.ts';
import { applyPlan, type Plan } from '../../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../../src/netfilter/program.ts';
import type { RecorderLimits } from '../../../../src/daemon/record/flight-recorder.ts';
import { FlightRecorder } from '../../../../src/daemon/record/flight-recorder.ts';
import { planDigest, unitsDigest } from '../../../../src/daemon/record/plan-digest.ts';
import { Reconciler } from '../../../../src/sync/reconcile.ts';
import { replay } from '../../../../src/daemon/record/replay.ts';
import { configFor } from '../../../support/config.ts';
import { decodeAll } from '../../../support/packets.ts';
import { batches } from '../../../support/random-cluster.ts';
import { both, L, node, R, service, slice } from '../../../support/web-service.ts';

const noTools = (): Promise<never> => Promise.reject(new Error('no tool is run here'));
const backends = [createNftablesBackend(noTools, 'text'), createIptablesBackend(noTools)] as const;
const startMs = Date.parse('2026-01-31T12:00:00Z');
const many: RecorderLimits = { passes: 1000, undoBytes: 1_000_000, objects: 4000 };

type Fault = ((plan: Plan) => Error | undefined) | undefined;

/** A daemon above a kernel in memory, which outlives it. */
function daemon<U extends Unit>(
  backend: Backend<U>,
  kernel: Map<Family, Program<U>>,
  limits: RecorderLimits,
) {
  const held = (family: Family): Program<U> => kernel.get(family) ?? new Map<string, U>();
  const world = { fault: undefined as Fault, hostIps: [] as readonly Ip[], ms: 0 };
  const take = (plan: Plan<U>): void => {
    const error = world.fault?.(plan);
    if (error !== undefined) throw error;
  };
  const inMemory: Backend<U> = {
    ...backend,
    observe: async (family) => held(family),
    async apply(family, plan) {
      take(plan);
      kernel.set(family, applyPlan(held(family), plan));
    },
  };
  const state = new ClusterState('node-1');
  const hostIps = (): readonly Ip[] => world.hostIps;
  // Node ports answer at addresses of the host: what those are is part of the rules.
  const config = configFor(backend.name, ['--nodeport-addresses', '192.168.0.0/16,fd00::/8']);
  const common = { state, config, hostIps, families };
  const reconciler = new Reconciler({
    ...common,
    backend: inMemory,
    dryRun: false,
    now: () => world.ms,
  });
  const recorder = new FlightRecorder<U>({
    version: '0.1.0',
    mode: backend.name,
    families,
    isTcpLiberal: false,
    nodeName: 'node-1',
    state,
    desired: (family) => reconciler.desired(family),
    config: () => reconciler.config,
    hostIps,
    nowMs: () => startMs + world.ms,
    limits,
  });
  return {
    world,
    reconciler,
    recorder,
    pass: async (changes: readonly ClusterChange[], asked: readonly Asker[] = ['cluster']) => {
      recorder.taken(changes, asked);
      const passes = await reconciler.pass(state.apply(changes));
      recorder.passed(passes);
      return passes;
    },
  };
}

function exported<U extends Unit>(recorder: FlightRecorder<U>): FlightRecord {
  return JSON.parse(JSON.stringify(recorder.export())) as FlightRecord;
}

function agreements(backend: Backend<Unit>, flight: FlightRecord): readonly unknown[] {
  return [...replay(backend, flight)].flatMap(({ families: all }) =>
    all.map(({ agreement }) => agreement),
  );
}

const set = (...raw: readonly object[]): readonly ClusterChange[] =>
  decodeAll(raw).map((object) => ({ op: 'set', object }));

function refusal(): ToolError {
  const details = { command: 'nft -f -', exitCode: 1, stderr: 'Error: no', input: '' };
  return new ToolError('nft: Error: no', details);
}

/** Refuses whatever makes anything of the Service. */
const refusing =
  (name: string): Fault =>
  (plan) =>
    plan.some((step) => step.op !== 'delete' && step.unit.owner === name) ? refusal() : undefined;

test('a digest tells every difference of a plan, and none of its order', () => {
  const unit = (id: string, text: string): Unit => ({ id, kind: 'chain', owner: undefined, text });
  const [one, two] = [unit('a', '1'), unit('b', '2')];
  const digests = [
    [],
    [{ op: 'create', unit: one }],
    [{ op: 'create', unit: unit('a', '3') }],
    [{ op: 'create', unit: unit('c', '1') }],
    [{ op: 'delete', was: one }],
    [{ op: 'replace', unit: one, was: unit('a', '2') }],
    [{ op: 'replace', unit: one, was: unit('a', '3') }],
    [{ op: 'replace', unit: unit('a', '3'), was: unit('a', '2') }],
    [
      { op: 'create', unit: one },
      { op: 'create', unit: two },
    ],
  ].map((steps) => planDigest(steps as Plan));
  expect(new Set(digests).size).toBe(digests.length);
  const reversed: Plan = [
    { op: 'create', unit: two },
    { op: 'create', unit: one },
  ];
  expect(planDigest(reversed)).toBe(digests.at(-1));
  expect(unitsDigest([one, two])).toEqual(unitsDigest([two, one]));
  expect(unitsDigest([one]).digest).not.toBe(unitsDigest([unit('a', '2')]).digest);
});

describe.each(backends.map((backend) => [backend.name, backend] as const))('%s', (_, one) => {
  const backend = one as Backend<Unit>;

  test('every pass of any history is planned alike again', async () => {
    const limits = fc.record({
      passes: fc.integer({ min: 1, max: 8 }),
      undoBytes: fc.constantFrom(0, 2000, 10_000, 1_000_000),
      objects: fc.constantFrom(3, 4000),
    });
    const at = fc.integer({ min: 0, max: 6 });
    const ips = ['192.168.0.2', 'fd00:192::2'].map((text) => parseIp(text) as Ip);
    await fc.assert(
      fc.asyncProperty(batches, limits, fc.tuple(at, at, at), async (list, limit, when) => {
        const [failing, moving, restarting] = when;
        const kernel = new Map<Family, Program<Unit>>();
        let running = daemon(backend, kernel, limit);
        const past: ClusterChange[] = [];
        for (const [index, changes] of list.entries()) {
          if (index === restarting) {
            running = daemon(backend, kernel, limit);
            await running.pass(past);
          }
          if (index === moving) running.world.hostIps = ips;
          running.world.fault = index === failing ? () => new Error('no such tool') : undefined;
          await running.pass(changes);
          past.push(...changes);
        }
        const flight = exported(running.recorder);
        expect(flight.passes.length).toBeLessThanOrEqual(limit.passes);
        const kinds = agreements(backend, flight).map((agreement) => agreement as object);
        expect(kinds.filter((agreement) => 'what' in agreement)).toEqual([]);
        for (const [index, kept] of flight.passes.entries()) {
          const isFailed = kept.families.some(({ error }) => error !== undefined);
          expect(isFailed).toBe(kept.families.every(({ error }) => error === 'no such tool'));
          expect(kept.number).toBe((flight.passes[0]?.number ?? 0) + index);
        }
      }),
      { numRuns: 60 },
    );
  });

  test('with room for all of it every pass is replayed from the first', async () => {
    const { pass, recorder } = daemon(backend, new Map(), many);
    await pass(set(node, service(), slice(both)));
    await pass(set(slice([{ ip: L }])));
    await pass([], ['host']);
    await pass([{ op: 'delete', kind: 'Service', id: 'demo/web' }]);
    const flight = exported(recorder);
    expect(flight.base.objects).toEqual([]);
    expect(flight.steps.map(({ number }) => number)).toEqual([1, 2, 3, 4]);
    expect(flight.passes.map(({ asked, changes }) => ({ asked, changes }))).toEqual([
      {
        asked: ['cluster'],
        changes: [
          { kind: 'Node', count: 1, first: ['node-1'] },
          { kind: 'Service', count: 1, first: ['demo/web'] },
          { kind: 'EndpointSlice', count: 1, first: ['demo/web-1'] },
        ],
      },
      {
        asked: ['cluster'],
        changes: [{ kind: 'EndpointSlice', count: 1, first: ['demo/web-1'] }],
      },
      { asked: ['host'], changes: [] },
      { asked: ['cluster'], changes: [{ kind: 'Service', count: 1, first: ['demo/web'] }] },
    ]);
    expect(agreements(backend, flight)).toEqual(Array(8).fill({ kind: 'same' }));
    const [, second] = [...replay(backend, flight)];
    const [recorded] = flight.passes[1]?.families ?? [];
    expect(second?.families[0]?.counts).toEqual(recorded?.plan);
    expect(recorded?.services).toEqual({ count: 1, first: ['demo/web'] });
  });

  test('a Service that the tool refuses is held back again', async () => {
    const { pass, recorder, world } = daemon(backend, new Map(), many);
    world.fault = refusing('demo/web');
    await pass(set(node, service(), slice(both)));
    world.fault = undefined;
    await pass(set(slice([{ ip: R }])));
    const flight = exported(recorder);
    expect(flight.passes[0]?.families[0]).toMatchObject({
      heldBack: { count: 1, first: [{ service: 'demo/web', why: 'nft: Error: no' }] },
      failings: { heldBack: 1 },
      refused: ['demo/web'],
    });
    expect(agreements(backend, flight).map((one_) => (one_ as { kind: string }).kind)).toEqual([
      'same',
      'same',
      'same',
      'same',
    ]);
  });

  test('what is too much to keep is left out, and what follows is replayed from there', async () => {
    const { pass, recorder } = daemon(backend, new Map(), { ...many, objects: 2 });
    await pass(set(node, service(), slice(both)));
    await pass(set(slice([{ ip: L }])));
    const flight = exported(recorder);
    expect(flight.passes).toHaveLength(2);
    expect(flight.steps.map(({ number }) => number)).toEqual([2]);
    expect(flight.base.objects.map(({ kind }) => kind).toSorted()).toEqual([
      'EndpointSlice',
      'Node',
      'Service',
    ]);
    expect(agreements(backend, flight)).toEqual([{ kind: 'same' }, { kind: 'same' }]);
  });

  test('asked in the middle of a pass, it tells of those before', async () => {
    const { pass, recorder } = daemon(backend, new Map(), many);
    await pass(set(node, service(), slice(both)));
    await pass(set(slice([{ ip: L }])));
    const before = exported(recorder);
    const going = pass(set(slice(both)));
    expect(exported(recorder)).toEqual(before);
    await going;
    expect(exported(recorder).steps).toHaveLength(3);
  });

  test('a plan that is not the recorded one is told of', async () => {
    const { pass, recorder } = daemon(backend, new Map(), many);
    await pass(set(node, service(), slice(both)));
    await pass(set(slice([{ ip: L }])));
    const flight = exported(recorder);
    const text = JSON.stringify(flight.steps);
    const steps = JSON.parse(text.replaceAll(L, '10.244.1.99')) as FlightRecord['steps'];
    const [first, , third] = agreements(backend, { ...flight, steps });
    expect([first, third]).toEqual([
      { kind: 'differs', what: 'whole' },
      { kind: 'differs', what: 'plan' },
    ]);
  });
});

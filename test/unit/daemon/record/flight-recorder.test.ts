// What the flight recorder keeps leads to the same plans again, through JSON and without a kernel. The
// backends are the real ones, above a kernel that is a Program.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../../src/backends/backend.ts';
import { ClusterState } from '../../../../src/cluster/state.ts';
import { runPass } from '../../../../src/daemon/pass.ts';
import type { RecorderLimits } from '../../../../src/daemon/record/flight-recorder.ts';
import { FlightRecorder } from '../../../../src/daemon/record/flight-recorder.ts';
import { planDigest, unitsDigest } from '../../../../src/daemon/record/plan-digest.ts';
import { replay, type Agreement, type ReplayedPass } from '../../../../src/daemon/record/replay.ts';
import type { Ip } from '../../../../src/model/ip.ts';
import { families, parseIp } from '../../../../src/model/ip.ts';
import type { ClusterChange } from '../../../../src/model/kubernetes.ts';
import type { Asker, FlightRecord } from '../../../../src/model/pass-record.ts';
import { countSteps, type Plan } from '../../../../src/netfilter/plan.ts';
import type { Unit } from '../../../../src/netfilter/program.ts';
import { Reconciler } from '../../../../src/sync/reconcile.ts';
import { configFor } from '../../../support/config.ts';
import {
  backendsWithoutTools,
  KernelInMemory,
  refusing,
} from '../../../support/kernel-in-memory.ts';
import { decodeAll } from '../../../support/packets.ts';
import { batches } from '../../../support/random-cluster.ts';
import { both, L, node, R, service, slice } from '../../../support/web-service.ts';

const many: RecorderLimits = { passes: 1000, undoBytes: 1_000_000, objects: 4000 };

/** A daemon's passes above a kernel in memory, which outlives it. */
function daemon(kernel: KernelInMemory, limits: RecorderLimits = many) {
  const { backend } = kernel;
  const world = { hostIps: [] as readonly Ip[] };
  const state = new ClusterState('node-1');
  const hostIps = (): readonly Ip[] => world.hostIps;
  // Node ports answer at addresses of the host: what those are is part of the rules.
  const config = configFor(backend.name, ['--nodeport-addresses', '192.168.0.0/16,fd00::/8']);
  const common = { state, config, hostIps, families };
  const reconciler = new Reconciler<Unit>({ ...common, backend, dryRun: false, now: () => 0 });
  const recorder = new FlightRecorder({
    version: '0.1.0',
    mode: backend.name,
    families,
    isTcpLiberal: false,
    state,
    config: () => reconciler.config,
    hostIps,
    nowMs: () => Date.parse('2026-01-31T12:00:00Z'),
    limits,
  });
  const options = { nodeName: 'node-1', state, reconciler, listeners: [recorder] };
  return {
    world,
    recorder,
    pass: (changes: readonly ClusterChange[], asked: readonly Asker[] = ['cluster']) =>
      runPass(options, { asked, changes, version: '1' }),
  };
}

function exported(recorder: FlightRecorder): FlightRecord {
  return JSON.parse(JSON.stringify(recorder.export())) as FlightRecord;
}

async function replayedAll(
  backend: Backend,
  flight: FlightRecord,
): Promise<readonly ReplayedPass[]> {
  const passes: ReplayedPass[] = [];
  for await (const pass of replay(backend, flight)) passes.push(pass);
  return passes;
}

async function agreements(backend: Backend, flight: FlightRecord): Promise<readonly Agreement[]> {
  const passes = await replayedAll(backend, flight);
  return passes.flatMap((pass) => pass.families.map(({ agreement }) => agreement));
}

const set = (...raw: readonly object[]): readonly ClusterChange[] =>
  decodeAll(raw).map((object) => ({ op: 'set', object }));

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

describe.each(backendsWithoutTools.map((one) => [one.name, one] as const))(
  '%s',
  (mode, backend) => {
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
          const kernel = new KernelInMemory(mode);
          let running = daemon(kernel, limit);
          const past: ClusterChange[] = [];
          for (const [index, changes] of list.entries()) {
            if (index === restarting) {
              running = daemon(kernel, limit);
              await running.pass(past);
            }
            if (index === moving) running.world.hostIps = ips;
            kernel.fault = index === failing ? () => new Error('no such tool') : undefined;
            await running.pass(changes);
            past.push(...changes);
          }
          const flight = exported(running.recorder);
          expect(flight.passes.length).toBeLessThanOrEqual(limit.passes);
          const all = await agreements(backend, flight);
          expect(all.filter(({ kind }) => kind === 'differs')).toEqual([]);
          for (const [index, kept] of flight.passes.entries()) {
            const errors = kept.families.flatMap(({ error }) => error ?? []);
            expect(errors.filter((error) => error !== 'no such tool')).toEqual([]);
            expect(kept.number).toBe((flight.passes[0]?.number ?? 0) + index);
          }
        }),
        { numRuns: 60 },
      );
    });

    test('with room for all of it every pass is replayed from the first', async () => {
      const { pass, recorder } = daemon(new KernelInMemory(mode));
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
      expect(await agreements(backend, flight)).toEqual(Array(8).fill({ kind: 'same' }));
      const [, second] = await replayedAll(backend, flight);
      const [recorded] = flight.passes[1]?.families ?? [];
      expect(countSteps(second?.families[0]?.plan ?? [])).toEqual(recorded?.plan);
      expect(recorded?.services).toEqual({ count: 1, first: ['demo/web'] });
    });

    test('a Service that the tool refuses is quarantined again', async () => {
      const kernel = new KernelInMemory(mode);
      const { pass, recorder } = daemon(kernel);
      kernel.fault = refusing(({ owner }) => owner === 'demo/web');
      await pass(set(node, service(), slice(both)));
      kernel.fault = undefined;
      await pass(set(slice([{ ip: R }])));
      const flight = exported(recorder);
      const { quarantined, notProgrammed, refused } = flight.passes[0]?.families[0] ?? {};
      expect([quarantined, notProgrammed, refused]).toEqual([
        {
          count: 1,
          first: [{ service: 'demo/web', why: 'nft: Error: Could not process rule' }],
        },
        { quarantined: 1, conflicts: 0 },
        ['demo/web'],
      ]);
      expect(await agreements(backend, flight)).toEqual(Array(4).fill({ kind: 'same' }));
    });

    test('what is too much to keep is left out, and what follows is replayed from there', async () => {
      const { pass, recorder } = daemon(new KernelInMemory(mode), { ...many, objects: 2 });
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
      expect(await agreements(backend, flight)).toEqual([{ kind: 'same' }, { kind: 'same' }]);
    });

    test('asked in the middle of a pass, it tells of those before', async () => {
      const { pass, recorder } = daemon(new KernelInMemory(mode));
      await pass(set(node, service(), slice(both)));
      await pass(set(slice([{ ip: L }])));
      const before = exported(recorder);
      const going = pass(set(slice(both)));
      expect(exported(recorder)).toEqual(before);
      await going;
      expect(exported(recorder).steps).toHaveLength(3);
    });

    test('a plan that is not the recorded one is told of', async () => {
      const { pass, recorder } = daemon(new KernelInMemory(mode));
      await pass(set(node, service(), slice(both)));
      await pass(set(slice([{ ip: L }])));
      const flight = exported(recorder);
      const text = JSON.stringify(flight.steps);
      const steps = JSON.parse(text.replaceAll(R, '10.244.1.99')) as FlightRecord['steps'];
      const [first, , third] = await agreements(backend, { ...flight, steps });
      expect([first, third]).toEqual([
        { kind: 'differs', what: 'whole' },
        { kind: 'differs', what: 'plan' },
      ]);
    });
  },
);

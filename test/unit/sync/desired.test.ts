// Whatever happens in a cluster, in whatever order: the pieces that are kept add up to what a fresh
// start would build, and each change names just what differs.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../../src/backends/backend.ts';
import { ClusterState } from '../../../src/cluster/state.ts';
import { families, parseIp } from '../../../src/model/ip.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ClusterChange } from '../../../src/model/kubernetes.ts';
import { plan } from '../../../src/netfilter/plan.ts';
import type { Program, Unit } from '../../../src/netfilter/program.ts';
import { Desired } from '../../../src/sync/desired.ts';
import { configFor } from '../../support/config.ts';
import { backendsWithoutTools, KernelInMemory } from '../../support/kernel-in-memory.ts';
import { batches, change } from '../../support/random-cluster.ts';
import { clusterObjects } from '../../support/service-objects.ts';

const flags = ['--nft-input', 'text'];

const hostAddresses = ['127.0.0.1', '192.168.0.2', '192.168.0.3', '::1', 'fd00:192::2'];
const hostIps = (): readonly Ip[] => hostAddresses.map((text) => parseIp(text) as Ip);

function texts(program: Program): readonly string[] {
  return [...program.values()].map(({ id, text }) => `${id}\n${text}`).toSorted();
}

function fresh(backend: Backend, changes: readonly ClusterChange[]) {
  const state = new ClusterState('node-1');
  state.apply(changes);
  return families.map((family) => {
    const desired = new Desired(backend, family, {
      config: configFor(backend.name, flags),
      state,
      hostIps,
    });
    desired.update(new Set(state.serviceKeys));
    return desired;
  });
}

function follow(backend: Backend, history: readonly ClusterChange[][]): void {
  const state = new ClusterState('node-1');
  const kernel = new KernelInMemory(backend.name);
  const kept = families.map((family) => {
    const desired = new Desired(backend, family, {
      config: configFor(backend.name, flags),
      state,
      hostIps,
    });
    kernel.apply(family, plan(new Map(), desired.whole()));
    return { family, desired };
  });
  for (const batch of history) {
    const { services, settings } = state.apply(batch);
    for (const { family, desired } of kept) {
      const { before, after } = (settings ? desired.rebuild() : desired.update(services)).change;
      kernel.apply(family, plan(before, after));
    }
  }
  const expected = fresh(backend, history.flat());
  for (const [index, { family, desired }] of kept.entries()) {
    const held = kernel.read(family);
    expect(plan(held, desired.whole())).toEqual([]);
    // But for the slots of endpoints, which stay as they are for no reason of the cluster's.
    expect(expected[index]?.planFrom(held)).toEqual([]);
    expect(texts(held)).toEqual(texts(expected[index]?.whole() ?? new Map()));
  }
}

describe.each(backendsWithoutTools.map((backend) => [backend.name, backend] as const))(
  '%s',
  (_, backend) => {
    test('batches of changes end where a fresh start ends', () => {
      fc.assert(
        fc.property(batches, (history) => follow(backend, history)),
        {
          numRuns: 300,
        },
      );
    });

    test('a Service without an address of its own that goes while all is decided again stays gone', () => {
      const state = new ClusterState('node-1');
      const inputs = { config: configFor(backend.name, flags), state, hostIps };
      const desired = new Desired<Unit>(backend, 'IPv4', inputs);
      const nothing = texts(desired.whole());
      const same = { ip: '10.96.0.1', endpoints: ['10.244.1.1'] };
      const objects = clusterObjects([
        { ...same, name: 'winner' },
        { ...same, name: 'without' },
      ]);
      desired.update(state.apply(objects.map((value) => ({ op: 'set', object: value }))).services);
      state.apply([{ op: 'delete', kind: 'Service', id: 'default/without' }]);
      desired.rebuild();
      const gone = state.apply([{ op: 'delete', kind: 'Service', id: 'default/winner' }]);
      desired.update(gone.services);
      expect(texts(desired.whole())).toEqual(nothing);
    });

    test('the order in which objects arrive cannot be told from the rules', () => {
      const objects = fc.uniqueArray(
        change.filter(({ op }) => op === 'set'),
        {
          selector: (set) => (set.op === 'set' ? `${set.object.kind} ${set.object.id}` : ''),
          maxLength: 12,
        },
      );
      const shuffled = objects.chain((all) =>
        fc.shuffledSubarray(all, { minLength: all.length }).map((other) => [all, other] as const),
      );
      fc.assert(
        fc.property(shuffled, ([one, other]) => {
          const [a, b] = [one, other].map((order) =>
            fresh(backend, order).map((desired) => texts(desired.whole())),
          );
          expect(a).toEqual(b);
        }),
        { numRuns: 200 },
      );
    });
  },
);

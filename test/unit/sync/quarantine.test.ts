// Services that are quarantined for a while, and a host whose addresses change.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ClusterState } from '../../../src/cluster/state.ts';
import type { Ip } from '../../../src/model/ip.ts';
import type { ClusterChange, ServiceKey } from '../../../src/model/kubernetes.ts';
import { frontendId } from '../../../src/model/forwarding.ts';
import { plan, unitOf } from '../../../src/netfilter/plan.ts';
import type { Unit } from '../../../src/netfilter/program.ts';
import { Desired } from '../../../src/sync/desired.ts';
import { Reconciler } from '../../../src/sync/reconcile.ts';
import { configFor } from '../../support/config.ts';
import { backendsWithoutTools, KernelInMemory } from '../../support/kernel-in-memory.ts';
import { batches } from '../../support/random-cluster.ts';
import { clusterObjects } from '../../support/service-objects.ts';

const node: ClusterChange = {
  op: 'set',
  object: {
    kind: 'Node',
    id: 'node-1',
    value: {
      name: 'node-1',
      podCidrs: [],
      ips: ['192.168.0.2' as Ip],
      zone: '',
      isEligible: true,
    },
  },
};

describe.each(backendsWithoutTools.map((backend) => [backend.name, backend] as const))(
  '%s',
  (name, backend) => {
    const config = configFor(name);
    const hostIps = (): readonly Ip[] => ['192.168.0.2' as Ip];
    const fresh = (state: ClusterState): Desired<Unit> =>
      new Desired<Unit>(backend, 'IPv4', { config, state, hostIps });

    test('whoever is quarantined while the rest goes on, the end is that of a fresh start', () => {
      const picks = fc.array(
        fc.subarray(['ns/a', 'ns/b', 'ns/c', 'ns/d', 'ns/e'] as ServiceKey[]),
        {
          minLength: 8,
          maxLength: 8,
        },
      );
      const property = fc.property(batches, picks, (history, held) => {
        const state = new ClusterState('node-1');
        const desired = fresh(state);
        for (const [index, changes] of history.entries()) {
          const { services, settings } = state.apply(changes);
          const update = settings ? desired.rebuild() : desired.update(services);
          expect(update.faults).toEqual(new Map());
          const whole = desired.whole();
          // As a bisection does: some, others, none, and at last those that are refused.
          const { candidates } = desired.decisions;
          desired.quarantineOnly(new Set(candidates), candidates);
          desired.quarantineOnly(new Set(held[index]), candidates);
          desired.quarantineOnly(new Set(), candidates);
          expect(plan(desired.whole(), whole)).toEqual([]);
          expect(plan(whole, desired.whole())).toEqual([]);
          desired.quarantineOnly(new Set(held[index]), candidates);
          // No address is anybody's twice, also where an old one is another's by now.
          const ids = [...desired.decisions.forwarding()].flatMap(({ frontends }) =>
            frontends.map(({ address }) => frontendId(address)),
          );
          expect(ids).toEqual([...new Set(ids)]);
          const missing = ids.filter((id) => desired.decisions.frontendAt(id) === undefined);
          expect(missing).toEqual([]);
          desired.settle();
        }
        // All that are quarantined are tried again when something about them changes.
        desired.update(
          new Set([
            ...state.serviceKeys,
            ...[...desired.decisions.forwarding()].map(({ service }) => service),
          ]),
        );
        const wanted = fresh(state);
        wanted.update(new Set(state.serviceKeys));
        expect(wanted.planFrom(desired.whole())).toEqual([]);
      });
      fc.assert(property, { numRuns: 150 });
    });

    test('a host that gets or loses an address that takes node ports is looked at again', async () => {
      const named = configFor(name, ['--nodeport-addresses', '192.168.0.0/16']);
      let ips = ['192.168.0.2'] as Ip[];
      const state = new ClusterState('node-1');
      const reconciler = new Reconciler<Unit>({
        backend: new KernelInMemory(name).backend,
        families: ['IPv4'],
        config: named,
        state,
        hostIps: () => ips,
        dryRun: true,
        now: () => 0,
      });
      const pass = async (): Promise<readonly string[]> => {
        const [{ plan: steps } = { plan: [] }] = await reconciler.pass(state.apply([]));
        return steps.map((step) => `${step.op} ${unitOf(step).id}`);
      };
      state.apply([node, ...clusterObjects([]).map((object) => ({ op: 'set', object }) as const)]);
      await reconciler.pass({ services: new Set(), settings: true });
      expect([reconciler.isOutdated, await pass()]).toEqual([false, []]);
      ips = ['192.168.0.2', '192.168.0.7'] as Ip[];
      expect(reconciler.isOutdated).toBe(true);
      expect(await pass()).toEqual([
        name === 'nftables' ? 'create nodeport-ips 192.168.0.7' : 'replace nat KUBE-SERVICES',
      ]);
      expect([reconciler.isOutdated, await pass()]).toEqual([false, []]);
      ips = ['192.168.0.2', '192.168.0.7', '10.0.0.1'] as Ip[];
      expect(reconciler.isOutdated).toBe(false);
    });
  },
);

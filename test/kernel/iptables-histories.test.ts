// Whatever happens in a cluster, in whatever batches: the kernel ends with the same iptables rules as
// after a fresh start, through both programs that are called iptables.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import { families, type Family, type Ip } from '../../src/model/ip.ts';
import type { ClusterChange } from '../../src/model/kubernetes.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { Desired } from '../../src/sync/desired.ts';
import { configFor } from '../support/config.ts';
import type { Machine } from '../support/iptables-machine.ts';
import { machine, ownUnits } from '../support/iptables-machine.ts';
import { variants } from '../support/one-variant.ts';
import { iptablesRules } from '../support/kernel-rules.ts';
import { batches } from '../support/random-cluster.ts';
import { clusterObjects } from '../support/service-objects.ts';

const config = configFor('iptables');
const nothing = new Map<string, IptablesUnit>();

// As many as a chain of a dispatch tree holds but for a few, so that what comes and goes beside them
// splits chains and joins them again.
const standing: readonly ClusterChange[] = clusterObjects(
  Array.from({ length: 15 }, (_, n) => ({
    name: `standing-${n}`,
    ip: `10.96.0.${10 + n}`,
    endpoints: n % 2 === 0 ? [`10.244.2.${10 + n}`] : [],
  })),
).map((object, index) => {
  if (object.kind !== 'Service') return { op: 'set', object };
  const { value } = object;
  const ports = value.ports.map((port) => ({ ...port, nodePort: 30_100 + index }));
  const externalIps = [`203.0.113.${100 + index}` as Ip];
  return { op: 'set', object: { ...object, value: { ...value, ports, externalIps } } };
});

/** Most of the Services that came at random go in the end. */
const leaving = fc
  .shuffledSubarray(['ns/a', 'ns/b', 'ns/c', 'ns/d', 'ns/e'], { minLength: 3 })
  .map((ids) => ids.map((id): ClusterChange => ({ op: 'delete', kind: 'Service', id })));

type Followed = {
  readonly family: Family;
  readonly desired: Desired<IptablesUnit>;
};

function follow(state: ClusterState, { backend }: Machine): readonly Followed[] {
  return families.map((family) => ({
    family,
    desired: new Desired(backend, family, { config, state, hostIps: () => [] }),
  }));
}

/** Programs the clusters that come of a history, one change after the other. */
async function live(on: Machine, history: readonly ClusterChange[][]): Promise<void> {
  const state = new ClusterState(config.nodeName);
  const kept = follow(state, on);
  for (const { family, desired } of kept) {
    await on.backend.apply(family, plan(await on.backend.observe(family), desired.whole()));
  }
  for (const batch of history) {
    const { services, settings } = state.apply(batch);
    for (const { family, desired } of kept) {
      const { change } = settings ? desired.rebuild() : desired.update(services);
      await on.backend.apply(family, plan(change.before, change.after));
    }
  }
  for (const { family, desired } of kept) {
    const observed = await on.backend.observe(family);
    expect(observed).toEqual(desired.whole());
    expect(plan(observed, desired.whole())).toEqual([]);
  }
}

/** Programs what a history comes to, at once. */
async function startFresh(on: Machine, history: readonly ClusterChange[][]): Promise<void> {
  const state = new ClusterState(config.nodeName);
  state.apply(history.flat());
  for (const { family, desired } of follow(state, on)) {
    desired.update(new Set(state.serviceKeys));
    await on.backend.apply(family, plan(await on.backend.observe(family), desired.whole()));
  }
}

async function cleanUp({ backend }: Machine): Promise<void> {
  for (const family of families) {
    await backend.apply(family, plan(await backend.observe(family), nothing));
    expect(ownUnits(await backend.observe(family))).toEqual(nothing);
  }
}

// iptables-save lists chains in the order of their making; what they hold does not depend on that.
async function rules({ exec }: Machine): Promise<readonly string[]> {
  const lines = (await iptablesRules(exec)).split('\n');
  const chains = Map.groupBy(lines, (line) => line.split(' ').slice(0, 2).join(' '));
  return [...chains].map(([, those]) => those.join('\n')).toSorted();
}

describe.each(variants)('%s', (variant) => {
  test('random histories end in the rules of a fresh start', async () => {
    const [lived, fresh] = [await machine(variant), await machine(variant)];
    await fc.assert(
      fc.asyncProperty(batches, leaving, async (changes, last) => {
        const history = [[...standing], ...changes, last];
        await live(lived, history);
        await startFresh(fresh, history);
        expect(await rules(lived)).toEqual(await rules(fresh));
        await cleanUp(fresh);
        await cleanUp(lived);
      }),
      { numRuns: 15, endOnFailure: true },
    );
  });
});

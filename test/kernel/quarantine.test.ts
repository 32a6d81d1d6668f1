// One Service among a thousand with an endpoint that no tool takes: found at once by the place that the tool
// names, quarantined, and no burden on the changes of all others.
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { withBackend } from '../../src/backends/index.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { serviceKey } from '../../src/model/kubernetes.ts';
import type { Unit } from '../../src/netfilter/program.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import type { FamilyPass } from '../../src/sync/reconcile.ts';
import { Reconciler } from '../../src/sync/reconcile.ts';
import { configFor } from '../support/config.ts';
import { modes, networkNamespace } from '../support/network-namespace.ts';
import { recording } from '../support/recording-exec.ts';
import { clusterObjects, type ServiceSpec } from '../support/service-objects.ts';

const count = 1000;
const culprit = 617;
const culpritKey = serviceKey('default', `svc-${culprit}`);
const hostIps = (): readonly [] => [];

// Beyond what is a port; no API server lets it through, and each tool refuses it in its own words.
const badPort = 70_000;

function spec(index: number, last: number, endpointPort = 8080): ServiceSpec {
  const [high, low] = [Math.floor(index / 250), 1 + (index % 250)];
  return {
    name: `svc-${index}`,
    ip: `10.96.${high}.${low}`,
    endpoints: [`10.${100 + high}.${low}.${last}`, `10.${100 + high}.${low}.200`],
    endpointPort,
  };
}

/** Their objects; a bad port is put in behind the decoder, which lets none through. */
function objects(specs: readonly ServiceSpec[]): readonly ClusterObject[] {
  return specs.flatMap((one) => {
    const decoded = clusterObjects([{ ...one, endpointPort: 8080 }]);
    return decoded.map((object) =>
      object.kind === 'EndpointSlice' && one.endpointPort === badPort
        ? {
            ...object,
            value: {
              ...object.value,
              ports: object.value.ports.map((port) => ({ ...port, port: badPort })),
            },
          }
        : object,
    );
  });
}

type Stand = {
  readonly pass: (changed: readonly ClusterObject[]) => Promise<FamilyPass<Unit>>;
  /** How many units differ from what these objects come to. */
  readonly differences: (all: readonly ClusterObject[]) => Promise<number | undefined>;
  /** What was run since the last call, without what it was told. */
  readonly commands: () => readonly string[];
};

async function onMachine(mode: ProxyMode, use: (stand: Stand) => Promise<void>): Promise<void> {
  const { exec } = await networkNamespace();
  const recorder = recording(exec);
  const config = configFor(mode);
  const run = async <U extends Unit>(backend: Backend<U>): Promise<void> => {
    await backend.probe();
    const state = new ClusterState(config.nodeName);
    const now = (): number => 0;
    const reconciler = new Reconciler({
      backend,
      config,
      state,
      hostIps,
      now,
      families: ['IPv4'],
      dryRun: false,
    });
    await use({
      async pass(changed) {
        const stale = state.apply(changed.map((object) => ({ op: 'set', object })));
        const [pass] = await reconciler.pass(stale);
        if (pass === undefined) throw new Error('no pass');
        return pass;
      },
      async differences(all) {
        const [wanted] = desiredOf(backend, all, { config, families: ['IPv4'], hostIps });
        return wanted?.desired.planFrom(await backend.observe('IPv4')).length;
      },
      commands: () => recorder.take().map(({ command }) => command),
    });
  };
  await withBackend(recorder.exec, config, run);
}

const isWrite = (command: string): boolean => / -f -$|-restore /.test(command);
const isRead = (command: string): boolean => / list table |-save$/.test(command);

describe.each(modes)('with %s, one Service among a thousand that the tool refuses', (mode) => {
  const reason = { nftables: /Service out of range/, iptables: /Port `70000' not valid/ }[mode];

  test('is quarantined, the other 999 follow their changes, and it comes back when it changes', async () => {
    await onMachine(mode, async ({ pass, differences, commands }) => {
      const all = Array.from({ length: count }, (_, index) => spec(index, 1));
      expect(await pass(objects(all))).toMatchObject({ error: undefined, quarantined: new Map() });
      commands();
      // It changes together with all others.
      const next = all.map((_, index) => spec(index, 2));
      const poisoned = next.with(culprit, spec(culprit, 2, badPort));
      const bad = await pass(objects(poisoned));
      expect(bad.error).toBeUndefined();
      expect([...bad.quarantined.keys()]).toEqual([culpritKey]);
      expect(bad.quarantined.get(culpritKey)?.message).toMatch(reason);
      // The place that the tool names is enough: all is refused, twice, and the rest is taken.
      expect(commands().filter(isWrite).length).toBe(3);
      expect(await differences(objects(next.with(culprit, spec(culprit, 1))))).toBe(0);
      commands();
      // What follows costs what it costs without it.
      for (const index of [0, culprit - 1, count - 1]) {
        next[index] = spec(index, 3);
        const later = await pass(objects([spec(index, 3)]));
        expect(later).toMatchObject({ error: undefined, isFull: false, quarantined: new Map() });
        const run = commands();
        expect(run.filter(isRead)).toEqual([]);
        expect(run.filter(isWrite).length).toBe(1);
      }
      expect(await differences(objects(next.with(culprit, spec(culprit, 1))))).toBe(0);
      // As bad as before in another way: the same again.
      const again = await pass(objects([spec(culprit, 4, badPort)]));
      expect([...again.quarantined.keys()]).toEqual([culpritKey]);
      expect(again.error).toBeUndefined();
      const good = spec(culprit, 5);
      expect(await pass(objects([good]))).toMatchObject({
        error: undefined,
        quarantined: new Map(),
      });
      expect(await differences(objects(next.with(culprit, good)))).toBe(0);
    });
  });

  test('of three at once each is found by what the tool names', async () => {
    await onMachine(mode, async ({ pass, differences, commands }) => {
      const all = Array.from({ length: 100 }, (_, index) => spec(index, 1));
      const bad = [3, 50, 99];
      commands();
      const poisoned = all.map((one, index) =>
        bad.includes(index) ? spec(index, 1, badPort) : one,
      );
      const { error, quarantined } = await pass(objects(poisoned));
      expect(error).toBeUndefined();
      expect([...quarantined.keys()].toSorted()).toEqual(
        bad.map((index) => serviceKey('default', `svc-${index}`)),
      );
      expect(commands().filter(isWrite).length).toBeLessThanOrEqual(6);
      expect(await differences(objects(all.filter((_, index) => !bad.includes(index))))).toBe(0);
    });
  });
});

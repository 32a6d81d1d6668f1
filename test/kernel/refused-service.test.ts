// One Service among many that the tool refuses, or that cannot be spelled: it is quarantined with the
// tool's own reason, all others go on, and it is tried again when it changes.
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { withBackend } from '../../src/backends/index.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { Config, ProxyMode } from '../../src/model/config.ts';
import type { ClusterObject, ServiceKey } from '../../src/model/kubernetes.ts';
import { serviceKey } from '../../src/model/kubernetes.ts';
import type { Unit } from '../../src/netfilter/program.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { Reconciler } from '../../src/sync/reconcile.ts';
import { configFor } from '../support/config.ts';
import { modes, networkNamespace } from '../support/network-namespace.ts';
import { clusterObjects, type ServiceSpec } from '../support/service-objects.ts';
import { recording } from '../support/recording-exec.ts';

const count = 50;
const culprit = serviceKey('default', 'svc-23');
const hostIps = (): readonly [] => [];

/** Fifty Services whose endpoints end in `last`. */
function services(last: number): readonly ClusterObject[] {
  return clusterObjects(
    Array.from({ length: count }, (_, index): ServiceSpec => ({
      name: `svc-${index}`,
      ip: `10.96.0.${1 + index}`,
      endpoints: [`10.244.${index}.${last}`, `10.244.${index}.100`],
    })),
  );
}

/** The objects, but for one Service a timeout that no API server lets through, and that no tool takes. */
function poisoned(objects: readonly ClusterObject[]): readonly ClusterObject[] {
  return objects.map((object) =>
    object.kind === 'Service' && object.id === culprit
      ? { ...object, value: { ...object.value, affinitySeconds: 1e15 } }
      : object,
  );
}

/** A backend that cannot spell one Service; `isBroken` says when. */
function forgetful<U extends Unit>(backend: Backend<U>, isBroken: () => boolean): Backend<U> {
  return {
    ...backend,
    assemble(parts, settings) {
      const assembly = backend.assemble(parts, settings);
      return {
        units: () => assembly.units(),
        whole: () => assembly.whole(),
        replace(pieces) {
          if (isBroken() && pieces.get(culprit) !== undefined) throw new Error('no such spelling');
          return assembly.replace(pieces);
        },
      };
    },
  };
}

const isWrite = (command: string): boolean => / -f -$|-restore /.test(command);

type Stand = {
  readonly pass: (objects: readonly ClusterObject[]) => Promise<{
    readonly quarantined: ReadonlyMap<ServiceKey, Error>;
    readonly error: Error | undefined;
  }>;
  /** What is missing or too much in the kernel, as to these objects. */
  readonly differences: (objects: readonly ClusterObject[]) => Promise<number | undefined>;
  readonly commands: () => readonly string[];
  readonly flush: () => Promise<void>;
};

async function withMachine(
  mode: ProxyMode,
  use: (stand: Stand) => Promise<void>,
  { isBroken = (): boolean => false, through = (exec: Exec): Exec => exec } = {},
): Promise<void> {
  const { exec } = await networkNamespace();
  const recorder = recording(through(exec));
  const config = configFor(mode);
  const run = async <U extends Unit>(backend: Backend<U>): Promise<void> => {
    await backend.probe();
    await use({
      ...standOn(backend, config, isBroken),
      commands: () => recorder.take().map(({ command }) => command),
      async flush() {
        if (mode === 'nftables') await exec('nft', ['delete', 'table', 'ip', 'sluice']);
        else for (const how of ['-F', '-X']) await exec('iptables', ['-t', 'nat', how]);
      },
    });
  };
  await withBackend(recorder.exec, config, run);
}

function standOn<U extends Unit>(
  backend: Backend<U>,
  config: Config,
  isBroken: () => boolean,
): Pick<Stand, 'pass' | 'differences'> {
  const state = new ClusterState(config.nodeName);
  const reconciler = new Reconciler({
    backend: forgetful(backend, isBroken),
    families: ['IPv4'],
    config,
    state,
    hostIps,
    dryRun: false,
    now: () => 0,
  });
  return {
    async pass(objects) {
      const stale = state.apply(objects.map((object) => ({ op: 'set', object })));
      const [pass] = await reconciler.pass(stale);
      if (pass === undefined) throw new Error('no pass');
      return pass;
    },
    async differences(objects) {
      const [wanted] = desiredOf(backend, objects, { config, families: ['IPv4'], hostIps });
      return wanted?.desired.planFrom(await backend.observe('IPv4')).length;
    },
  };
}

/** The objects of all Services but the culprit, and the culprit's of another version. */
function mixed(
  objects: readonly ClusterObject[],
  old: readonly ClusterObject[],
): readonly ClusterObject[] {
  const isCulprits = ({ id }: ClusterObject): boolean => id.startsWith(culprit);
  return [...objects.filter((each) => !isCulprits(each)), ...old.filter(isCulprits)];
}

describe.each(modes)('with %s, a Service that the tool refuses', (mode) => {
  const reason = { nftables: /Error: value too large/, iptables: /seconds/ }[mode];

  test('keeps its last good rules, and all others go on', async () => {
    await withMachine(mode, async ({ pass, differences, commands }) => {
      expect(await pass(services(1))).toMatchObject({ error: undefined, quarantined: new Map() });
      commands();
      const bad = await pass(poisoned(services(2)));
      expect(bad.error).toBeUndefined();
      expect([...bad.quarantined.keys()]).toEqual([culprit]);
      expect(bad.quarantined.get(culprit)?.message).toMatch(reason);
      expect(await differences(mixed(services(2), services(1)))).toBe(0);
      expect(commands().filter(isWrite).length).toBeLessThan(20);
      // It is let be as long as it stays as it is, and tried again when it changes.
      const others = mixed(services(3), poisoned(services(2)));
      expect(await pass(others)).toMatchObject({ error: undefined, quarantined: new Map() });
      expect(commands().filter(isWrite).length).toBe(1);
      expect(await differences(mixed(services(3), services(1)))).toBe(0);
      expect(await pass(services(4))).toMatchObject({ error: undefined, quarantined: new Map() });
      expect(await differences(services(4))).toBe(0);
    });
  });

  test('has none where it never had any', async () => {
    await withMachine(mode, async ({ pass, differences }) => {
      const bad = await pass(poisoned(services(1)));
      expect(bad.error).toBeUndefined();
      expect([...bad.quarantined.keys()]).toEqual([culprit]);
      expect(await differences(mixed(services(1), []))).toBe(0);
    });
  });
});

// Where destinations may not be translated: nft takes the line, and only the commit is refused.
const illegal = 'add rule ip sluice nat-postrouting meta l4proto tcp dnat to 192.0.2.1:80\n';

/** An nft that is told of something illegal with the second version of the culprit. */
function illegalFor(endpoint: string): (exec: Exec) => Exec {
  return (exec) => (file, args, options) => {
    const input = options?.input ?? '';
    const isBad = file === 'nft' && input.includes(endpoint);
    return exec(file, args, isBad ? { ...options, input: input + illegal } : options);
  };
}

test('a Service whose rules only the commit of nftables refuses is found as well', async () => {
  await withMachine(
    'nftables',
    async ({ pass, differences }) => {
      await pass(services(1));
      const bad = await pass(services(2));
      expect(bad.error).toBeUndefined();
      expect([...bad.quarantined.keys()]).toEqual([culprit]);
      expect(bad.quarantined.get(culprit)?.message).toMatch(/Operation not supported/);
      expect(await differences(mixed(services(2), services(1)))).toBe(0);
      expect(await pass(services(3))).toMatchObject({ error: undefined, quarantined: new Map() });
      expect(await differences(services(3))).toBe(0);
    },
    { through: illegalFor('10.244.23.2 ') },
  );
});

describe.each(modes)('with %s', (mode) => {
  test('rules that somebody took away are no fault of any Service', async () => {
    await withMachine(mode, async ({ pass, differences, flush }) => {
      await pass(services(1));
      await flush();
      const pass2 = await pass(services(2));
      expect(pass2).toMatchObject({ error: undefined, quarantined: new Map() });
      expect(await differences(services(2))).toBe(0);
    });
  });

  test('a Service that cannot be spelled is quarantined', async () => {
    let isBroken = false;
    await withMachine(
      mode,
      async ({ pass, differences }) => {
        await pass(services(1));
        isBroken = true;
        const bad = await pass(services(2));
        expect(bad.error).toBeUndefined();
        expect([...bad.quarantined]).toEqual([[culprit, new Error('no such spelling')]]);
        expect(await differences(mixed(services(2), []))).toBe(0);
        isBroken = false;
        expect(await pass(services(3))).toMatchObject({ error: undefined, quarantined: new Map() });
        expect(await differences(services(3))).toBe(0);
      },
      { isBroken: () => isBroken },
    );
  });
});

// The nftables backend against real kernels: what is written is what is read back, in each encoding, by
// the nft that takes it, in both families.
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import { containers, familyWords } from '../../src/backends/nftables/schema.ts';
import { elementUnit, type NftUnit } from '../../src/backends/nftables/unit.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import { ToolError } from '../../src/errors.ts';
import type { Exec } from '../../src/host/exec.ts';
import type { Config } from '../../src/model/config.ts';
import type { Family } from '../../src/model/ip.ts';
import { families } from '../../src/model/ip.ts';
import type { ClusterChange, ClusterObject } from '../../src/model/kubernetes.ts';
import type { Op } from '../../src/netfilter/plan.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Program } from '../../src/netfilter/program.ts';
import { Desired } from '../../src/sync/desired.ts';
import { desiredOf } from '../../src/sync/offline.ts';
import { configFor } from '../support/config.ts';
import { debian13Nft } from '../support/debian-13.ts';
import { nftRules } from '../support/kernel-rules.ts';
import { networkNamespace } from '../support/network-namespace.ts';
import { batches } from '../support/random-cluster.ts';
import { recording, type RecordingExec } from '../support/recording-exec.ts';
import { clusterObjects, type ServiceSpec } from '../support/service-objects.ts';

type Input = { readonly input: 'text' | 'json'; readonly whose: string };

const inputs: readonly Input[] = [
  { input: 'text', whose: "this machine's nft" },
  { input: 'json', whose: "Debian 13's nft" },
];
const cases = inputs.flatMap((each) => families.map((family) => ({ ...each, family })));

type Machine = {
  readonly backend: Backend<NftUnit>;
  readonly config: Config;
  readonly recorder: RecordingExec;
  /** Everything in our table, whoever put it there. */
  readonly table: () => Promise<string>;
};

/** A namespace with the nft that takes this encoding. */
async function machine(input: Input['input'], family: Family): Promise<Machine> {
  const { exec: inside } = await networkNamespace();
  const folder = input === 'json' ? await debian13Nft() : undefined;
  const exec: Exec = (file, args, options) =>
    inside(folder === undefined || file !== 'nft' ? file : join(folder, file), args, options);
  const recorder = recording(exec);
  const backend = createNftablesBackend(recorder.exec, input);
  await backend.probe();
  recorder.take();
  return {
    backend,
    config: configFor('nftables', ['--nft-input', input]),
    recorder,
    table: () => nftRules(exec, ['table', familyWords[family].table, 'sluice']),
  };
}

const addresses: Readonly<Record<Family, { service: string; pod: string }>> = {
  IPv4: { service: '10.96.0.', pod: '10.244.1.' },
  IPv6: { service: 'fd00:96::', pod: 'fd00:244:1::' },
};

/** One Service of each protocol and size, with an endpoint on this node that may be its own client. */
function handful(family: Family): readonly ClusterObject[] {
  const { service, pod } = addresses[family];
  const protocols = ['TCP', 'UDP', 'SCTP'] as const;
  const specs = protocols.flatMap((protocol, row) =>
    [0, 1, 3].map((size, column): ServiceSpec => ({
      name: `${protocol.toLowerCase()}-${size}`,
      ip: `${service}${1 + row * 3 + column}`,
      protocol,
      endpoints: Array.from({ length: size }, (_, index) => `${pod}${1 + index}`),
      local: [`${pod}1`],
    })),
  );
  return clusterObjects(specs);
}

function wanted(
  { backend, config }: Machine,
  family: Family,
  objects: Iterable<ClusterObject>,
): Program<NftUnit> {
  const [of] = desiredOf(backend, objects, { config, families: [family] });
  return of?.desired.whole() ?? new Map();
}

/** Makes the kernel hold this, from whatever it holds. */
async function load({ backend }: Machine, family: Family, whole: Program<NftUnit>): Promise<void> {
  await backend.apply(family, plan(await backend.observe(family), whole));
}

describe.each(cases)('$family in $input with $whose', ({ input, family }) => {
  test('one of everything is read back as it was written, and taken away', async () => {
    const node = await machine(input, family);
    const whole = wanted(node, family, handful(family));
    await load(node, family, whole);
    const observed = await node.backend.observe(family);
    expect(plan(observed, whole)).toEqual([]);
    expect([...observed.keys()].toSorted()).toEqual([...whole.keys()].toSorted());
    await load(node, family, new Map());
    expect(await node.backend.observe(family)).toEqual(new Map());
    await expect(node.table()).rejects.toThrow('No such file or directory');
  });

  test('changes in any order end in what a fresh start would load', async () => {
    const node = await machine(input, family);
    const property = fc.asyncProperty(batches, async (steps) => {
      const final = await carryOut(node, family, steps);
      const fresh = wanted(node, family, final);
      expect(plan(await node.backend.observe(family), fresh)).toEqual([]);
    });
    await fc.assert(property, { numRuns: 20, seed: 20260 });
  });

  test.each(['an element that is not there', 'an element that is there with another value'])(
    'a plan with %s fails and changes nothing',
    async (fault) => {
      const node = await machine(input, family);
      const { backend } = node;
      const objects = handful(family);
      const before = wanted(node, family, objects.slice(0, -4));
      await load(node, family, before);
      const listed = await node.table();
      const after = wanted(node, family, objects);
      const good = plan(before, after);
      const applying = backend.apply(family, [...good, poison(fault, before)]);
      await expect(applying).rejects.toBeInstanceOf(ToolError);
      expect(await node.table()).toBe(listed);
      await backend.apply(family, good);
      expect(plan(await backend.observe(family), after)).toEqual([]);
    },
  );

  test.each([
    { other: 'map', piece: 'map endpoints-tcp { type ADDRESS . inet_service : ADDRESS; }' },
    { other: 'set', piece: 'set of-another-release { type ADDRESS; }' },
    {
      other: 'base chain',
      piece: 'chain nat-prerouting { type nat hook prerouting priority -90; }',
    },
  ])('a table of ours with another $other is replaced in one transaction', async ({ piece }) => {
    const node = await machine(input, family);
    const { backend, recorder } = node;
    const { table, address } = familyWords[family];
    const old = `table ${table} sluice {
  set cluster-ips { type ${address}; }
  ${piece.replaceAll('ADDRESS', address)}
  chain services { accept; }
  chain left-over { accept; }
}
`;
    await recorder.exec('nft', ['-f', '-'], { input: old });
    const whole = wanted(node, family, handful(family));
    const steps = plan(await backend.observe(family), whole);
    recorder.take();
    await backend.apply(family, steps);
    const transactions = recorder.take();
    expect(transactions.map(({ command }) => command)).toEqual([
      input === 'json' ? 'nft -j -f -' : 'nft -f -',
    ]);
    expect(transactions[0]?.input).toMatch(/^(delete table|{"nftables":\[\n{"delete":{"table")/);
    expect(plan(await backend.observe(family), whole)).toEqual([]);
    expect(await node.table()).not.toContain('left-over');
  });
});

/** Applies the batches one by one as the daemon does; returns the objects that there are in the end. */
async function carryOut(
  node: Machine,
  family: Family,
  steps: readonly (readonly ClusterChange[])[],
): Promise<readonly ClusterObject[]> {
  const { backend, config } = node;
  const state = new ClusterState(config.nodeName);
  const desired = new Desired(backend, family, { config, state });
  await load(node, family, desired.whole());
  const objects = new Map<string, ClusterObject>();
  for (const changes of steps) {
    const { change } = desired.update(state.apply(changes).services);
    await backend.apply(family, plan(change.before, change.after));
    for (const step of changes) {
      if (step.op === 'set') objects.set(`${step.object.kind} ${step.object.id}`, step.object);
      else objects.delete(`${step.kind} ${step.id}`);
    }
  }
  return [...objects.values()];
}

/** A step that the kernel refuses, alone or among others. */
function poison(fault: string, present: Program<NftUnit>): Op<NftUnit> {
  if (fault === 'an element that is not there') {
    const [key] = [...present.values()].flatMap((unit) => elementKey(unit, 'cluster-ips'));
    const { name: container } = containers.clusterIps;
    const absent = key?.includes(':') === true ? 'fd00:96::ffff' : '10.96.255.255';
    return { op: 'delete', was: elementUnit({ container, key: absent }) };
  }
  const { name: container } = containers.serviceIps;
  const [key = ''] = [...present.values()].flatMap((unit) => elementKey(unit, container));
  return { op: 'create', unit: elementUnit({ container, key, value: 'drop' }) };
}

function elementKey(unit: NftUnit, container: string): readonly string[] {
  return unit.kind === 'element' && unit.container === container ? [unit.key] : [];
}

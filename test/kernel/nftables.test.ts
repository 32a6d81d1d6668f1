// The nftables backend against real kernels: what is written is what is read back, in each encoding, by
// the nft that takes it, in both families.
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { containers, familyWords } from '../../src/backends/nftables/schema.ts';
import { elementUnit, type NftUnit } from '../../src/backends/nftables/unit.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import { ToolError } from '../../src/errors.ts';
import type { Exec } from '../../src/host/tools/exec.ts';
import type { Family } from '../../src/model/ip.ts';
import { families } from '../../src/model/ip.ts';
import type { ClusterChange, ClusterObject } from '../../src/model/kubernetes.ts';
import type { Op } from '../../src/netfilter/plan.ts';
import { plan } from '../../src/netfilter/plan.ts';
import type { Program } from '../../src/netfilter/program.ts';
import { Desired } from '../../src/sync/desired.ts';
import { everyKind } from '../support/every-kind.ts';
import { hostIps, load, machine, texts, wanted } from '../support/nftables-machine.ts';
import type { Input, Machine } from '../support/nftables-machine.ts';
import { batches } from '../support/random-cluster.ts';

const inputs: readonly { readonly input: Input; readonly whose: string }[] = [
  { input: 'text', whose: "this machine's nft" },
  { input: 'json', whose: "Debian 13's nft" },
];
const cases = inputs.flatMap((each) => families.map((family) => ({ ...each, family })));

describe.each(cases)('$family in $input with $whose', ({ input, family }) => {
  test('one of everything is read back as it was written, and taken away', async () => {
    const node = await machine(input);
    const whole = wanted(node, family, everyKind(family));
    await load(node, family, whole);
    const observed = await node.backend.observe(family);
    expect(plan(observed, whole)).toEqual([]);
    expect(texts(observed)).toEqual(texts(whole));
    expect(ownersOf(observed)).toEqual(ownersOf(whole));
    await load(node, family, new Map());
    expect(await node.backend.observe(family)).toEqual(new Map());
    await expect(node.table(family)).rejects.toThrow('No such file or directory');
  });

  test('its canary stands as long as its table does', async () => {
    const { recorder, ...node } = await machine(input);
    const stands = () => node.backend.canariesStand?.(family);
    expect(await stands()).toBe(false);
    await load(node, family, wanted({ ...node }, family, []));
    expect(await stands()).toBe(true);
    await recorder.exec('nft', ['delete', 'table', familyWords[family].table, 'sluice']);
    expect(await stands()).toBe(false);
  });

  test('a saved ruleset reads as what it was saved from, in every form', async () => {
    const { backend, recorder, ...node } = await machine(input);
    const whole = wanted({ backend, ...node }, family, everyKind(family));
    const rendered = await backend.parse(family, backend.encode(family, plan(new Map(), whole)));
    expect(texts(rendered)).toEqual(texts(whole));
    await load({ backend }, family, whole);
    await addClient(recorder.exec, family, whole);
    for (const form of [[], ['-j']]) {
      const { stdout } = await recorder.exec('nft', [...form, 'list', 'ruleset']);
      const saved = await backend.parse(family, stdout);
      expect(texts(saved)).toEqual(texts(whole));
      expect(ownersOf(saved)).toEqual(ownersOf(whole));
    }
  });

  test('changes in any order end in what a fresh start would load', async () => {
    const [node, fresh] = [await machine(input), await machine(input)];
    const property = fc.asyncProperty(batches, async (steps) => {
      const objects = await carryOut(node, family, steps);
      const whole = wanted(fresh, family, objects);
      await load(fresh, family, new Map());
      await load(fresh, family, whole);
      const observed = await node.backend.observe(family);
      expect(plan(observed, whole)).toEqual([]);
      expect(texts(observed)).toEqual(texts(await fresh.backend.observe(family)));
    });
    await fc.assert(property, { numRuns: 20, endOnFailure: true });
  });

  test.each(['an element that is not there', 'an element that is there with another value'])(
    'a plan with %s fails and changes nothing',
    async (fault) => {
      const node = await machine(input);
      const { backend } = node;
      const objects = everyKind(family);
      const before = wanted(node, family, objects.slice(0, -4));
      await load(node, family, before);
      const listed = await node.table(family);
      const after = wanted(node, family, objects);
      const good = plan(before, after);
      const bad = [...good, poison(fault, before)];
      await expect(backend.apply(family, bad)).rejects.toBeInstanceOf(ToolError);
      expect(await node.table(family)).toBe(listed);
      await backend.apply(family, good);
      expect(plan(await backend.observe(family), after)).toEqual([]);
    },
  );

  test.each([
    { other: 'map', piece: 'map endpoints-tcp-3 { type ADDRESS . inet_service : ADDRESS; }' },
    { other: 'set', piece: 'set of-another-release { type ADDRESS; }' },
    {
      other: 'base chain',
      piece: 'chain nat-prerouting { type nat hook prerouting priority -90; }',
    },
  ])('a table of ours with another $other is replaced in one transaction', async ({ piece }) => {
    const node = await machine(input);
    const { backend, recorder } = node;
    const { table, address } = familyWords[family];
    const old = `table ${table} sluice {
  set cluster-ips { typeof ${table} daddr; }
  ${piece.replaceAll('ADDRESS', address)}
  chain services { accept; }
  chain left-over { accept; }
}
`;
    await recorder.exec('nft', ['-f', '-'], { input: old });
    const whole = wanted(node, family, everyKind(family));
    const steps = plan(await backend.observe(family), whole);
    recorder.take();
    await backend.apply(family, steps);
    const transactions = recorder.take();
    // The table is listed for the clients that are remembered in it.
    expect(transactions.map(({ command }) => command)).toEqual([
      `nft -j list table ${table} sluice`,
      input === 'json' ? 'nft -j -f -' : 'nft -f -',
    ]);
    expect(transactions[1]?.input).toMatch(/^(delete table|{"nftables":\[\n{"delete":{"table")/);
    expect(plan(await backend.observe(family), whole)).toEqual([]);
    expect(await node.table(family)).not.toContain('left-over');
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
  const desired = new Desired(backend, family, { config, state, hostIps: () => hostIps });
  await load(node, family, desired.whole());
  const objects = new Map<string, ClusterObject>();
  for (const changes of steps) {
    const { services, settings } = state.apply(changes);
    const { change } = settings ? desired.rebuild() : desired.update(services);
    await backend.apply(family, plan(change.before, change.after));
    for (const step of changes) {
      if (step.op === 'set') objects.set(`${step.object.kind} ${step.object.id}`, step.object);
      else objects.delete(`${step.kind} ${step.id}`);
    }
  }
  return [...objects.values()];
}

/** As a packet would: an endpoint with affinity has a client. */
async function addClient(exec: Exec, family: Family, whole: Program<NftUnit>): Promise<void> {
  const [map] = [...whole.values()].flatMap((unit) =>
    unit.kind === 'map' && unit.endpoints !== undefined ? [unit] : [],
  );
  const client = family === 'IPv4' ? '192.0.2.7' : '2001:db8::7';
  const { table } = familyWords[family];
  const [endpoint] = map?.endpoints?.[0]?.split(' . ') ?? [];
  const element = `{ ${client} : ${endpoint} }`;
  await exec('nft', ['add', 'element', table, 'sluice', map?.container.name ?? '', element]);
}

/** Whose each unit is; one that several Services may share is anybody's. */
function ownersOf(program: Program<NftUnit>): readonly string[] {
  return [...program.values()]
    .map(({ id, owner }) => {
      const isShared = id.startsWith('chain KUBE-') || id.startsWith('hairpin-connections ');
      return `${id} of ${owner !== undefined && isShared ? 'some' : owner}`;
    })
    .toSorted();
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

describe('a large transaction, which nft reads while it is spelled', () => {
  const clusterIps = (count: number): readonly NftUnit[] =>
    Array.from({ length: count }, (_, n) =>
      elementUnit({
        container: containers.clusterIps.name,
        key: `10.${n >> 16}.${(n >> 8) & 255}.${n & 255}`,
      }),
    );
  const many: readonly Op<NftUnit>[] = clusterIps(10_001).map((unit) => ({ op: 'create', unit }));

  test('is carried out whole', async () => {
    const node = await machine('text');
    await load(node, 'IPv4', wanted(node, 'IPv4', []));
    await node.backend.apply('IPv4', many);
    const observed = await node.backend.observe('IPv4');
    const missing = many.filter((step) => step.op === 'create' && !observed.has(step.unit.id));
    expect(missing).toEqual([]);
  });

  test('is carried out in parts where it makes the table', async () => {
    const node = await machine('text');
    const units = [...wanted(node, 'IPv4', everyKind('IPv4')).values(), ...clusterIps(20_000)];
    const whole = new Map(units.map((unit) => [unit.id, unit]));
    await load(node, 'IPv4', whole);
    const loads = node.recorder.take().filter(({ command }) => command === 'nft -f -');
    expect(loads).toHaveLength(2);
    expect(plan(await node.backend.observe('IPv4'), whole)).toEqual([]);
  });

  test('that is refused is told of whole', async () => {
    const { backend } = await machine('text');
    const failure = await backend.apply('IPv4', many).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(ToolError);
    expect((failure as ToolError).input).toBe(backend.encode('IPv4', many));
  });
});

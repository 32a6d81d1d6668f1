// What the number of Services costs in nftables: elements and nothing else; and what a change costs:
// the Service that it is about and nothing else.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Backend } from '../../src/backends/backend.ts';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import type { NftUnit } from '../../src/backends/nftables/unit.ts';
import { ClusterState } from '../../src/cluster/state.ts';
import { families, type Family, type Ip } from '../../src/model/ip.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { Reconciler } from '../../src/sync/reconcile.ts';
import { configFor } from '../support/config.ts';
import { objectsOf, type Kind } from '../support/every-kind.ts';
import { networkNamespace, type NetworkNamespace } from '../support/network-namespace.ts';
import { load, machine, wanted } from '../support/nftables-machine.ts';
import { recording, type RecordingExec } from '../support/recording-exec.ts';
import { clusterObjects, type ServiceSpec } from '../support/service-objects.ts';

const endpointsEach = 5;

/** The Service with this number, and five endpoints that no other has. */
function serviceNumber(number: number): ServiceSpec {
  const place = `${Math.floor(number / 200)}.${(number % 200) + 1}`;
  return {
    name: `service-${number}`,
    ip: `10.96.${place}`,
    endpoints: Array.from({ length: endpointsEach }, (_, index) => `10.${index + 1}.${place}`),
  };
}

type Node = {
  readonly namespace: NetworkNamespace;
  readonly recorder: RecordingExec;
  /** Sets these Services as they are now. */
  readonly pass: (services: readonly ServiceSpec[]) => Promise<void>;
};

/** The daemon's own parts, in a namespace, without the daemon. */
async function makeNode(): Promise<Node> {
  const namespace = await networkNamespace();
  const recorder = recording(namespace.exec);
  const backend: Backend<NftUnit> = createNftablesBackend(recorder.exec, 'text');
  await backend.probe();
  const config = configFor('nftables', ['--nft-input', 'text']);
  const state = new ClusterState(config.nodeName);
  const now = (): number => performance.now();
  const hostIps = (): readonly Ip[] => [];
  const options = { backend, families, config, state, hostIps, dryRun: false, now };
  const reconciler = new Reconciler(options);
  const pass = async (services: readonly ServiceSpec[]): Promise<void> => {
    const objects = clusterObjects(services);
    const stale = state.apply(objects.map((object) => ({ op: 'set', object })));
    const passes = await reconciler.pass(stale);
    expect(passes.map(({ error }) => error)).toEqual([undefined, undefined]);
  };
  return { namespace, recorder, pass };
}

type Counts = Readonly<Record<'chain' | 'rule' | 'set' | 'map' | 'element', number>>;

async function count({ exec }: NetworkNamespace, family: Family): Promise<Counts> {
  const table = family === 'IPv4' ? 'ip' : 'ip6';
  const { stdout } = await exec('nft', ['-j', 'list', 'table', table, 'sluice']);
  const { nftables } = JSON.parse(stdout) as { nftables: readonly Record<string, Listed>[] };
  const number = (kind: string): number => nftables.filter((item) => kind in item).length;
  const element = nftables
    .flatMap((item) => item['set'] ?? item['map'] ?? [])
    .reduce((sum, { elem = [] }) => sum + elem.length, 0);
  const [chain, rule] = [number('chain'), number('rule')];
  return { chain, rule, set: number('set'), map: number('map'), element };
}

type Listed = { readonly elem?: readonly unknown[] };

test('a hundred times the Services are as many rules and chains', async () => {
  const [few, many] = [await makeNode(), await makeNode()];
  await few.pass(Array.from({ length: 10 }, (_, index) => serviceNumber(index)));
  await many.pass(Array.from({ length: 1000 }, (_, index) => serviceNumber(index)));
  const small = await count(few.namespace, 'IPv4');
  expect(small.chain).toBeGreaterThan(0);
  expect(small.rule).toBeGreaterThan(0);
  // Each Service: its address, its frontend, its endpoints.
  expect(small.element).toBe(10 * (2 + endpointsEach));
  const large = { ...small, element: 1000 * (2 + endpointsEach) };
  expect(await count(many.namespace, 'IPv4')).toEqual(large);
  expect(await count(many.namespace, 'IPv6')).toEqual(await count(few.namespace, 'IPv6'));
});

/** Services with every kind of address, of two shapes in turn. */
function outwardServices(count: number): readonly ClusterObject[] {
  return Array.from({ length: count }, (_, index): Kind & { readonly number: number } => ({
    number: index + 1,
    type: 'LoadBalancer',
    nodePort: 30_000 + index,
    externalIps: [`203.0.113.${index + 1}` as Ip],
    loadBalancerIps: [`198.51.100.${index + 1}` as Ip],
    externalTrafficPolicy: index % 2 === 0 ? 'Cluster' : 'Local',
    local: 1,
    remote: 2,
  })).flatMap(({ number, ...kind }) => objectsOf('IPv4', kind, number));
}

test('two hundred Services that the outside reaches are as many rules and chains as two', async () => {
  const [few, many] = [await machine('text'), await machine('text')];
  await load(few, 'IPv4', wanted(few, 'IPv4', outwardServices(2)));
  await load(many, 'IPv4', wanted(many, 'IPv4', outwardServices(200)));
  const { element, ...constant } = await count(few.namespace, 'IPv4');
  expect(element).toBeGreaterThan(0);
  const { element: more, ...others } = await count(many.namespace, 'IPv4');
  expect(more).toBeGreaterThan(element);
  expect(others).toEqual(constant);
});

describe('among a thousand Services', () => {
  let node: Node;
  beforeEach(async () => {
    node = await makeNode();
    await node.pass(Array.from({ length: 1000 }, (_, index) => serviceNumber(index)));
    node.recorder.take();
  });

  test('an endpoint that comes and goes is one small transaction, each time', async () => {
    const { pass, recorder } = node;
    const before = serviceNumber(417);
    const newcomer = '10.9.2.18';
    const after = { ...before, endpoints: [...before.endpoints, newcomer], local: [newcomer] };
    await pass([after]);
    expect(recorder.take()).toEqual([
      {
        command: 'nft -f -',
        input: `add element ip sluice endpoints-tcp { 10.96.2.18 . 80 . 5 : 10.9.2.18 . 8080 }
add element ip sluice hairpin-connections { 10.9.2.18 . 10.9.2.18 . tcp . 8080 }
`,
      },
    ]);
    await pass([before]);
    expect(recorder.take()).toEqual([
      {
        command: 'nft -f -',
        input: `delete element ip sluice endpoints-tcp { 10.96.2.18 . 80 . 5 }
delete element ip sluice hairpin-connections { 10.9.2.18 . 10.9.2.18 . tcp . 8080 }
`,
      },
    ]);
  });

  test('where others have as many endpoints it is elements and nothing else', async () => {
    const { pass, recorder } = node;
    const one = serviceNumber(417);
    const few = { ...one, endpoints: one.endpoints.slice(0, 1) };
    await pass([few, { ...serviceNumber(1), endpoints: ['10.9.2.18'] }]);
    recorder.take();
    await pass([one]);
    const commands = recorder.take().flatMap(({ input }) => input.trimEnd().split('\n'));
    // One endpoint more, and the verdict that leads to another number of slots.
    expect(commands.map((command) => command.split(' ', 5).join(' '))).toEqual([
      'delete element ip sluice service-ips',
      'add element ip sluice service-ips',
      'add element ip sluice endpoints-tcp',
    ]);
  });

  test('a version that changes nothing runs no tool', async () => {
    await node.pass([serviceNumber(417)]);
    expect(node.recorder.take()).toEqual([]);
  });
});

// What `explain` answers, the tracer, the nftables kernel and the iptables kernel agree on what becomes of
// random packets in random clusters.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { createIptablesBackend } from '../../../src/backends/iptables/backend.ts';
import { createNftablesBackend } from '../../../src/backends/nftables/backend.ts';
import type { Backend } from '../../../src/backends/backend.ts';
import type { Exec } from '../../../src/host/tools/exec.ts';
import type { Config } from '../../../src/model/config.ts';
import type { Family, Ip } from '../../../src/model/ip.ts';
import { families, familyOf } from '../../../src/model/ip.ts';
import type { ClusterChange, ClusterObject, Service } from '../../../src/model/kubernetes.ts';
import { plan } from '../../../src/netfilter/plan.ts';
import type { Unit } from '../../../src/netfilter/program.ts';
import type { Packet } from '../../../src/netfilter/trace.ts';
import { explain } from '../../../src/explain/explain.ts';
import type { World } from '../../../src/explain/world.ts';
import { worldOf } from '../../../src/explain/world.ts';
import { desiredOf } from '../../../src/sync/offline.ts';
import { configFor } from '../../support/config.ts';
import { change } from '../../support/random-cluster.ts';
import { differsByDesign, faultsOf, isSame } from './judge.ts';
import type { Attempt, Network, Side } from './network.ts';
import { addresses, buildNetwork, hostIps } from './network.ts';
import { readConnections, seenOf } from './seen.ts';

const clustersPerRun = 16;
const packetsPerCluster = 140;

/** One packet as numbers that choose among what its cluster has. */
const choice = fc.record({
  side: fc.constantFrom<Side>('node', 'pod', 'lan'),
  source: fc.nat(),
  target: fc.nat(),
  noise: fc.constantFrom('none', 'none', 'none', 'none', 'port', 'protocol'),
});
/** Endpoints that fit one Service, whatever ports it has: most Services of a random cluster have none. */
const fitting = fc.array(
  fc.record({
    host: fc.integer({ min: 1, max: 4 }),
    nodeName: fc.constantFrom('node-1', 'node-1', 'node-2'),
    state: fc.constantFrom('ready', 'ready', 'ready', 'draining', 'unready'),
  }),
  { maxLength: 4 },
);
const cluster = fc.record({
  changes: fc.array(change, { minLength: 12, maxLength: 40 }),
  fitting: fc.array(fitting, { minLength: 8, maxLength: 8 }),
});
const choices = fc.array(choice, { minLength: packetsPerCluster, maxLength: packetsPerCluster });

const programmers = {
  nftables: (exec: Exec) => programmerOf(createNftablesBackend(exec, 'auto')),
  iptables: (exec: Exec) => programmerOf(createIptablesBackend(exec)),
} as const;

test.each(['nftables', 'iptables'] as const)(
  'random packets end in the %s kernel as explain says',
  async (mode) => {
    const network = await buildNetwork();
    const program = programmers[mode](network.exec);
    await network.exec('sysctl', ['-qw', 'net.ipv4.conf.all.route_localnet=1']);
    const config = configFor(mode);
    let judged = 0;
    const property = fc.asyncProperty(cluster, choices, async (random, packets) => {
      const objects = objectsOf(random);
      await program(objects, config);
      await network.exec('conntrack', ['-F']);
      const disagreements = await disagreementsOn(network, { objects, packets, config });
      judged += packets.length;
      expect(disagreements).toEqual([]);
    });
    // Not shrunk: each try is a kernel's work, and the disagreement itself is what one reads.
    await fc.assert(property, { numRuns: clustersPerRun, endOnFailure: true });
    expect(judged).toBeGreaterThanOrEqual(2_000);
  },
);

type Choice = typeof choice extends fc.Arbitrary<infer T> ? T : never;
type Sample = {
  readonly objects: readonly ClusterObject[];
  readonly packets: readonly Choice[];
  readonly config: Config;
};

async function disagreementsOn(network: Network, sample: Sample): Promise<readonly unknown[]> {
  const { objects, packets, config } = sample;
  const targets = targetsOf(objects);
  const attempts = packets.map((packet, index) => attemptOf(packet, index, targets));
  const worlds = new Map(
    families.map((family) => [family, worldOf(objects, { config, family, hostIps })]),
  );
  const errors = new Map<Attempt, string>();
  const sending = (['node', 'pod', 'lan'] as const).map(async (side) => {
    const ours = attempts.filter((attempt) => attempt.side === side);
    const codes = await network.send[side](ours);
    for (const [index, attempt] of ours.entries()) errors.set(attempt, codes[index] ?? '');
  });
  await Promise.all(sending);
  const connections = await readConnections(network.exec);
  return attempts.flatMap((attempt) => {
    const packet = packetOf(attempt);
    const world = worlds.get(familyOf(packet.destination)) as World;
    const seen = seenOf(attempt, { error: errors.get(attempt) ?? '', connections, hostIps });
    const answer = explain(world, packet);
    const faults = [
      ...(answer.ends.some((end) => isSame(end, seen, packet)) ? [] : ['the kernel']),
      ...faultsOf(answer),
      // What the backend spells is what was decided.
      ...(answer.decided === undefined || differsByDesign(packet, world.ruleset, config.proxyMode)
        ? []
        : ['what was decided']),
    ];
    return faults.length === 0 ? [] : [{ packet, faults, seen, answer }];
  });
}

type SidedAttempt = Attempt & { readonly side: Side };
type Target = { readonly ip: Ip; readonly port: number; readonly protocol: 'tcp' | 'udp' };

function attemptOf(
  { side, source, target, noise }: Choice,
  index: number,
  targets: readonly Target[],
): SidedAttempt {
  const chosen = targets[target % targets.length] as Target;
  const family = familyOf(chosen.ip);
  const sources = addresses[side].filter((ip) => familyOf(ip) === family);
  const isLoopback = chosen.ip.startsWith('127.');
  return {
    // Only the node itself can be at its loopback address.
    side: isLoopback ? 'node' : side,
    source: isLoopback ? '127.0.0.1' : (sources[source % sources.length] ?? ''),
    sourcePort: 20_000 + index,
    destination: chosen.ip,
    port: chosen.port + (noise === 'port' ? 40 : 0),
    protocol: noise === 'protocol' ? (chosen.protocol === 'tcp' ? 'udp' : 'tcp') : chosen.protocol,
  };
}

function packetOf({ side, source, destination, port, protocol }: SidedAttempt): Packet {
  const byInterface = { node: '', pod: 'cbr0', lan: 'eth0' };
  return {
    origin: side === 'node' ? 'node' : 'elsewhere',
    interface: byInterface[side],
    source: source as Ip,
    destination: destination as Ip,
    protocol,
    port,
  };
}

/** Every address that a Service claims, its node ports at the node's addresses, and a free address. */
function targetsOf(objects: readonly ClusterObject[]): readonly Target[] {
  const services = objects.flatMap(({ kind, value }) => (kind === 'Service' ? [value] : []));
  const free: Target = { ip: '10.96.99.99' as Ip, port: 80, protocol: 'tcp' };
  return [free, ...services.flatMap(targetsOfService)];
}

function targetsOfService({ clusterIps, externalIps, loadBalancerIps, ports }: Service): Target[] {
  const nodeIps = [...addresses.node, '127.0.0.1' as Ip];
  return ports.flatMap(({ protocol, port, nodePort }) => {
    if (protocol === 'sctp') return [];
    const own = [...clusterIps, ...externalIps, ...loadBalancerIps];
    return [
      ...own.map((ip) => ({ ip, port, protocol })),
      ...(nodePort === 0 ? [] : nodeIps.map((ip) => ({ ip, port: nodePort, protocol }))),
    ];
  });
}

type RandomCluster = typeof cluster extends fc.Arbitrary<infer T> ? T : never;
type FittingEndpoint = RandomCluster['fitting'][number][number];

function objectsOf({ changes, fitting: endpoints }: RandomCluster): readonly ClusterObject[] {
  const standing = standingAfter(changes);
  const services = standing.flatMap(({ kind, value }) => (kind === 'Service' ? [value] : []));
  const slices = services.flatMap((service, index) =>
    families.map((family) => fittingSlice(service, family, endpoints[index] ?? [])),
  );
  return [...standing, ...slices];
}

function fittingSlice(
  { key, namespace, name, ports }: Service,
  family: Family,
  endpoints: readonly FittingEndpoint[],
): ClusterObject {
  const sliceName = `${name}-fitting-${family.toLowerCase()}`;
  return {
    kind: 'EndpointSlice',
    id: `${namespace}/${sliceName}`,
    value: {
      namespace,
      name: sliceName,
      service: key,
      family,
      ports: ports.map(({ name: port, protocol }) => ({ name: port, protocol, port: 8080 })),
      endpoints: endpoints.map(({ host, nodeName, state }) => {
        const range = nodeName === 'node-1' ? 1 : 2;
        const ip = family === 'IPv4' ? `10.244.${range}.${host}` : `fd00:244:${range}::${host}`;
        return {
          ip: ip as Ip,
          state: {
            nodeName,
            ready: state === 'ready',
            serving: state !== 'unready',
            terminating: state === 'draining',
            zoneHints: [],
            nodeHints: [],
          },
        };
      }),
    },
  };
}

function standingAfter(changes: readonly ClusterChange[]): readonly ClusterObject[] {
  const standing = new Map<string, ClusterObject>();
  for (const item of changes) {
    if (item.op === 'set') standing.set(`${item.object.kind} ${item.object.id}`, item.object);
    else standing.delete(`${item.kind} ${item.id}`);
  }
  return [...standing.values()];
}

type Programmer = (objects: readonly ClusterObject[], config: Config) => Promise<void>;

function programmerOf<U extends Unit>(backend: Backend<U>): Programmer {
  return async (objects, config) => {
    await backend.probe();
    const from = { config, families, hostIps: (): readonly Ip[] => hostIps };
    for (const { family, desired } of desiredOf(backend, objects, from)) {
      await applyTo(backend, family, desired.whole());
    }
  };
}

async function applyTo<U extends Unit>(
  backend: Backend<U>,
  family: Family,
  wanted: ReadonlyMap<string, U>,
): Promise<void> {
  await backend.apply(family, plan(await backend.observe(family), wanted));
}

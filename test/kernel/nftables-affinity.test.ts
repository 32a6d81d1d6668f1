// Session affinity in real kernels under the nftables backend's rules: who stays, for how long, and what
// changes of the Service leave alone.
import { beforeEach, expect, test } from 'vitest';
import type { ContainerUnit } from '../../src/backends/nftables/unit.ts';
import type { Ip } from '../../src/model/ip.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { objectsOf } from '../support/every-kind.ts';
import { addresses } from './agreement/network.ts';
import type { Node } from './nftables-node.ts';
import {
  buildNode,
  clusterIp,
  fromLan,
  fromPod,
  gateway,
  node,
  pod,
  service,
} from './nftables-node.ts';

const vip = '203.0.113.50' as Ip;
const nodePort = 30_080;
const sticky = { affinitySeconds: 60, local: 2, remote: 2, nodePort, externalIps: [vip] } as const;

const clientsOf = (side: 'lan' | 'pod') =>
  addresses[side].filter((ip) => !ip.includes(':')).map((ip) => [side, ip] as const);
const [strangers, pods] = [clientsOf('lan'), clientsOf('pod')];

let on: Node;
beforeEach(async () => {
  on = await buildNode();
});

/** The endpoint that all connections of a client go to. */
async function endpointOf(from: typeof fromLan | typeof fromPod, to: string): Promise<string> {
  return (await on.outcome(from, to)).split(' ', 1).join();
}

test('a client stays with its endpoint, at all addresses of the Service', async () => {
  await on.hold(...service(sticky));
  const endpoint = await endpointOf(fromLan, `${clusterIp}:80`);
  expect(await endpointOf(fromLan, `${vip}:80`)).toBe(endpoint);
  expect(await endpointOf(fromLan, `${node}:${nodePort}`)).toBe(endpoint);
  const calls = strangers.map((from) => ({ from, to: `${vip}:80` }));
  const ends = await on.outcomes(calls);
  expect(ends.map(({ length }) => length)).toEqual(strangers.map(() => 1));
});

test('clients are spread over all endpoints', async () => {
  await on.hold(...service({ ...sticky, affinitySeconds: 1 }));
  const seen = new Set<string>();
  const many = [...pods, ...strangers].map((from) => ({ from, to: `${clusterIp}:80` }));
  // Eight new choices each time: that one of four endpoints is never chosen happens once in 10^12.
  for (let tries = 0; tries < 13 && seen.size < 4; tries += 1) {
    for (const end of (await on.outcomes(many)).flat()) seen.add(end.split(' ', 1).join());
    for (const { container } of await clientMaps()) {
      await on.exec('nft', ['flush', 'map', 'ip', 'sluice', container.name]);
    }
  }
  expect(seen.size).toBe(4);
});

test('a client that was away for the timeout may get another endpoint', async () => {
  await on.hold(...service({ ...sticky, affinitySeconds: 1 }));
  const first = await endpointOf(fromPod, `${clusterIp}:80`);
  await expect
    .poll(
      async () => {
        await expect.poll(clients, { interval: 50, timeout: 20_000 }).toEqual([]);
        return await endpointOf(fromPod, `${clusterIp}:80`);
      },
      { timeout: 100_000 },
    )
    .not.toBe(first);
});

test('the coming and going of other endpoints, and of other Services, moves no client', async () => {
  await on.hold(...service(sticky));
  const kept = await endpointOf(fromPod, `${clusterIp}:80`);
  const before = await clients();
  expect(before).toHaveLength(1);
  const isHere = kept.startsWith('10.244.1.');
  const fewer = isHere ? { remote: 1 } : { local: 1 };
  const more = isHere ? { remote: 3 } : { local: 3 };
  const another = objectsOf('IPv4', { ...sticky, nodePort: 0, externalIps: [] }, 2);
  for (const change of [fewer, more, {}]) {
    await on.hold(...service({ ...sticky, ...change }), ...another);
    expect(await clients()).toEqual(before);
    expect(await endpointOf(fromPod, `${clusterIp}:80`)).toBe(kept);
  }
});

test('a client whose endpoint is gone gets another one, and nothing is left of it', async () => {
  await on.hold(...service({ ...sticky, local: 1, remote: 0 }));
  expect(await on.outcome(fromPod, `${clusterIp}:80`)).toBe(`10.244.1.11 for ${pod}`);
  await on.hold(...service({ ...sticky, local: 0, remote: 1 }));
  expect(await clients()).toEqual([]);
  expect(await on.outcome(fromPod, `${clusterIp}:80`)).toBe(`10.244.2.11 for ${pod}`);
  const units = await on.backend.observe('IPv4');
  expect([...units.keys()].filter((id) => id.includes('10.244.1.11'))).toEqual([]);
  await on.hold(...service({ ...sticky, affinitySeconds: 0, local: 0, remote: 1 }));
  expect(await clientMaps()).toEqual([]);
});

test('a client that is remembered for an endpoint of no Service is a difference, and goes', async () => {
  await on.hold(...service(sticky));
  await endpointOf(fromPod, `${clusterIp}:80`);
  const kept = await clients();
  const [map] = await clientMaps();
  const element = '{ 192.0.2.77 : 10.244.9.9 }';
  await on.exec('nft', ['add', 'element', 'ip', 'sluice', map?.container.name ?? '', element]);
  await on.hold(...service(sticky));
  expect(await clients()).toEqual(kept);
});

test('another timeout is taken over, and clients stay', async () => {
  await on.hold(...service(sticky));
  const kept = await endpointOf(fromPod, `${clusterIp}:80`);
  await on.hold(...service({ ...sticky, affinitySeconds: 7000 }));
  expect(await clients()).toEqual([expect.stringContaining(`affinity-7000s-8080-`)]);
  expect(await endpointOf(fromPod, `${clusterIp}:80`)).toBe(kept);
  const timeouts = (await clientMaps()).map(({ container }) => container.timeoutSeconds);
  expect(timeouts).toEqual([7000]);
});

test('clients stay over a table of another shape', async () => {
  const calls = [...pods, ...strangers].map((from) => ({ from, to: `${clusterIp}:80` }));
  await on.hold(...service(sticky));
  const before = await on.outcomes(calls);
  // A set that we never made: the table is none of ours as it is.
  await on.exec('nft', ['add', 'set', 'ip', 'sluice', 'another', '{ type ipv4_addr ; }']);
  await on.hold(...service(sticky));
  expect([...(await on.backend.observe('IPv4')).keys()]).not.toContain('set another');
  expect(await on.outcomes(calls)).toEqual(before);
});

test('clients of Sluice 0.1, which had a set for each endpoint, stay', async () => {
  await on.hold(...service({ ...sticky, local: 0, remote: 3 }));
  const [map] = await clientMaps();
  const port = map?.container.name.replace(/^affinity-60s-8080-/, '') ?? '';
  for (const [, ip] of pods) {
    const set = `affinity-60s-${port}__10.244.2.12/8080`;
    await on.exec('nft', [
      'add',
      'set',
      'ip',
      'sluice',
      set,
      '{ type ipv4_addr ; flags timeout ; timeout 60s ; }',
    ]);
    await on.exec('nft', ['add', 'element', 'ip', 'sluice', set, `{ ${ip} }`]);
  }
  await on.hold(...service({ ...sticky, local: 0, remote: 3 }));
  const ends = await on.outcomes(pods.map((from) => ({ from, to: `${clusterIp}:80` })));
  expect(ends.flat().map((end) => end.split(' ', 1).join())).toEqual(pods.map(() => '10.244.2.12'));
});

test('endpoints of the cluster and of this node share one memory', async () => {
  const mine = { ...sticky, local: 3, remote: 0, externalTrafficPolicy: 'Local' } as const;
  await on.hold(...service(mine));
  const endpoint = await endpointOf(fromLan, `${clusterIp}:80`);
  expect(await on.outcome(fromLan, `${clusterIp}:80`)).toBe(`${endpoint} for ${gateway}`);
  expect(await on.outcome(fromLan, `${vip}:80`)).toBe(`${endpoint} for ${fromLan[1]}`);
});

/** The same Service, with all endpoints of this node about to end. */
function drainingHere(objects: readonly ClusterObject[]): readonly ClusterObject[] {
  return objects.map((object) => {
    if (object.kind !== 'EndpointSlice') return object;
    const endpoints = object.value.endpoints.map((endpoint) =>
      endpoint.state.nodeName === 'node-1'
        ? { ...endpoint, state: { ...endpoint.state, ready: false, terminating: true } }
        : endpoint,
    );
    return { ...object, value: { ...object.value, endpoints } };
  });
}

test('an endpoint that stands in on this node alone is none for the addresses of the whole cluster', async () => {
  const kind = { ...sticky, internalTrafficPolicy: 'Local', local: 1, remote: 1 } as const;
  await on.hold(...drainingHere(service(kind)));
  expect(await endpointOf(fromPod, `${clusterIp}:80`)).toBe('10.244.1.11');
  expect(await endpointOf(fromPod, `${vip}:80`)).toBe('10.244.2.11');
  expect(await endpointOf(fromPod, `${clusterIp}:80`)).toBe('10.244.1.11');
  expect((await clients()).map((line) => line.split('-', 1).join())).toEqual(['affinity', 'local']);
});

/** The maps that hold clients. */
async function clientMaps(): Promise<readonly ContainerUnit[]> {
  return [...(await on.backend.observe('IPv4')).values()].flatMap((unit) =>
    unit.kind === 'map' && unit.container.timeoutSeconds !== undefined ? [unit] : [],
  );
}

/** The clients that all Services remember now, each with its map. */
async function clients(): Promise<readonly string[]> {
  const listed: string[] = [];
  for (const { container } of await clientMaps()) {
    const args = ['-j', 'list', 'map', 'ip', 'sluice', container.name];
    const { nftables } = JSON.parse((await on.exec('nft', args)).stdout) as Listing;
    const elements = nftables.flatMap(({ map }) => map?.elem ?? []);
    listed.push(...elements.map(([{ elem }]) => `${container.name} ${elem.val}`));
  }
  return listed.toSorted();
}

type Listing = {
  readonly nftables: readonly {
    readonly map?: { readonly elem?: readonly [{ readonly elem: { readonly val: string } }][] };
  }[];
};

// Session affinity in real kernels under the nftables backend's rules: who stays, for how long, and what
// changes of the Service leave alone.
import { beforeEach, expect, test } from 'vitest';
import type { ContainerUnit } from '../../src/backends/nftables/unit.ts';
import type { Ip } from '../../src/model/ip.ts';
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
    for (const { container } of await clientSets()) {
      await on.exec('nft', ['flush', 'set', 'ip', 'sluice', container.name]);
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
  expect(await on.outcome(fromPod, `${clusterIp}:80`)).toBe(`10.244.2.11 for ${pod}`);
  const units = await on.backend.observe('IPv4');
  expect([...units.keys()].filter((id) => id.includes('10.244.1.11'))).toEqual([]);
  await on.hold(...service({ ...sticky, affinitySeconds: 0, local: 0, remote: 1 }));
  expect(await clientSets()).toEqual([]);
});

test('another timeout is taken over', async () => {
  await on.hold(...service(sticky));
  await endpointOf(fromPod, `${clusterIp}:80`);
  await on.hold(...service({ ...sticky, affinitySeconds: 7 }));
  await endpointOf(fromPod, `${clusterIp}:80`);
  const timeouts = (await clientSets()).map(({ container }) => container.timeoutSeconds);
  expect(timeouts).toEqual([7, 7, 7, 7]);
  expect(await clients()).toHaveLength(1);
});

test('endpoints of the cluster and of this node share one memory', async () => {
  const mine = { ...sticky, local: 3, remote: 0, externalTrafficPolicy: 'Local' } as const;
  await on.hold(...service(mine));
  const endpoint = await endpointOf(fromLan, `${clusterIp}:80`);
  expect(await on.outcome(fromLan, `${clusterIp}:80`)).toBe(`${endpoint} for ${gateway}`);
  expect(await on.outcome(fromLan, `${vip}:80`)).toBe(`${endpoint} for ${fromLan[1]}`);
});

/** The sets that hold clients. */
async function clientSets(): Promise<readonly ContainerUnit[]> {
  return [...(await on.backend.observe('IPv4')).values()].flatMap((unit) =>
    unit.kind === 'set' && unit.container.timeoutSeconds !== undefined ? [unit] : [],
  );
}

/** The clients that the endpoints of all Services remember now, each with its endpoint's set. */
async function clients(): Promise<readonly string[]> {
  const listed: string[] = [];
  for (const { container } of await clientSets()) {
    const args = ['-j', 'list', 'set', 'ip', 'sluice', container.name];
    const { nftables } = JSON.parse((await on.exec('nft', args)).stdout) as Listing;
    const elements = nftables.flatMap(({ set }) => set?.elem ?? []);
    listed.push(...elements.map(({ elem: { val } }) => `${container.name} ${val}`));
  }
  return listed.toSorted();
}

type Listing = {
  readonly nftables: readonly {
    readonly set?: { readonly elem?: readonly { readonly elem: { readonly val: string } }[] };
  }[];
};

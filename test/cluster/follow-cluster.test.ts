// All resources together, as the loop gets them: nothing before every first list is in, then one batch a
// turn, and how well the server can be heard as data.
import { setImmediate as turn } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { followCluster } from '../../src/cluster/api/follow-cluster.ts';
import { createLog } from '../../src/serve/log.ts';
import { Follower, of, smallCluster } from './follower.ts';
import { connectTo } from './listener.ts';
import { ManualClock } from './manual-clock.ts';
import { rawNode, rawService, rawSlice } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';

const everything = [
  'set EndpointSlice default/a-1',
  'set Node node-1',
  'set Service default/a',
  'set ServiceCIDR kubernetes',
];
const withoutNode = everything.filter((line) => !line.includes('Node'));

describe('the first batch', () => {
  test.each(['services', 'endpointslices', 'nodes', 'servicecidrs'])(
    'waits for the list of %s',
    async (resource) => {
      await using server = await smallCluster();
      const { promise, resolve } = Promise.withResolvers<void>();
      server.fail({ kind: 'hold', until: promise }, { matching: of(resource) });
      await using follower = await Follower.start(server);
      await follower.until(() => follower.messages.filter((m) => m === 'listed').length === 3);
      server.store.set('Service', rawService('b'));
      for (let n = 0; n < 5; n += 1) await turn();
      expect(follower.batches).toEqual([]);
      resolve();
      expect((await follower.batch()).toSorted()).toEqual(
        [...everything, 'set Service default/b'].toSorted(),
      );
    },
  );

  test('says where the server was reached', async () => {
    await using server = await smallCluster();
    await using follower = await Follower.start(server);
    await follower.batch();
    const { hostname: ip, port } = new URL(server.url);
    const value = { addresses: [{ ip, port: Number(port) }] };
    expect(follower.apiServer).toEqual([
      { op: 'set', object: { kind: 'APIServer', id: '', value } },
    ]);
  });

  test('comes when there is nothing but the Node', async () => {
    await using server = await StandInApiServer.start();
    server.store.set('Node', rawNode('node-1'));
    await using follower = await Follower.start(server);
    expect(await follower.batch()).toEqual(['set Node node-1']);
    expect(follower.batches[0]?.version).toBe('Node 2');
  });

  test('comes without the ServiceCIDRs where the server has none', async () => {
    await using server = await smallCluster();
    server.fail({ kind: 'status', code: 404 }, { matching: of('servicecidrs') });
    await using follower = await Follower.start(server);
    expect((await follower.batch()).toSorted()).toEqual(everything.slice(0, 3));
    const health = follower.health.at(-1);
    expect([health?.isListed, health?.isConnected]).toEqual([true, true]);
  });

  test('comes 30 s later without the Node', async () => {
    await using server = await smallCluster();
    server.store.delete('Node', 'node-1');
    const clock = new ManualClock();
    const nodeWaitMs = 29_500;
    await using follower = await Follower.start(server, { clock, nodeWaitMs });
    await clock.waiting(nodeWaitMs);
    await clock.advance(nodeWaitMs - 1);
    expect(follower.batches).toEqual([]);
    await clock.advance(1);
    expect((await follower.batch()).toSorted()).toEqual(withoutNode);
    expect(follower.messages.at(-1)).toBe(
      'this Node is not there, or lacks what is needed; going on',
    );
  });

  test('comes as soon as the Node has an address', async () => {
    await using server = await smallCluster();
    server.store.set('Node', rawNode('node-1', []));
    const clock = new ManualClock();
    await using follower = await Follower.start(server, { clock, nodeWaitMs: 29_500 });
    await clock.waiting(29_500);
    server.store.set('Node', rawNode('node-1'));
    expect((await follower.batch()).toSorted()).toEqual(
      [...everything, 'set Node node-1'].toSorted(),
    );
  });

  test('does not wait where the proxy needs nothing of the Node', async () => {
    await using server = await smallCluster();
    server.store.delete('Node', 'node-1');
    await using follower = await Follower.start(server, { isNodeReady: () => true });
    expect((await follower.batch()).toSorted()).toEqual(withoutNode);
  });
});

describe('afterwards', () => {
  test('what comes in one turn is one batch', async () => {
    await using server = await smallCluster();
    await using follower = await Follower.start(server);
    await follower.batch();
    server.store.set('Service', rawService('b'));
    server.store.set('EndpointSlice', rawSlice('b', ['10.244.1.2']));
    await follower.until(() => follower.batches.flatMap(({ changes }) => changes).length === 6);
    expect(follower.batches.length).toBeLessThanOrEqual(3);
    server.store.delete('Service', 'default/a');
    const n = follower.batches.length + 1;
    expect(await follower.batch(n)).toEqual(['delete Service default/a']);
    expect(follower.batches[n - 1]?.version).toBe('Service 9');
  });

  test('nothing is delivered while the server is away, and health says so', async () => {
    await using server = await smallCluster();
    await using follower = await Follower.start(server);
    await follower.batch();
    await follower.until(() => follower.health.at(-1)?.isConnected === true);
    const connectedMs = follower.health.at(-1)?.sinceMs ?? 0;
    await server.goAway();
    await follower.until(() => (follower.health.at(-1)?.lastError ?? '').includes('ECONNREFUSED'));
    // It may have been away for less than a millisecond.
    const lost = follower.health.at(-1);
    const isLater = (lost?.sinceMs ?? 0) >= connectedMs;
    expect([lost?.isListed, lost?.isConnected, isLater]).toEqual([true, false, true]);
    expect(follower.batches).toHaveLength(1);
    server.store.delete('EndpointSlice', 'default/a-1');
    server.compact();
    await server.comeBack();
    expect(await follower.batch(2)).toEqual(['delete EndpointSlice default/a-1']);
    await follower.until(() => follower.health.at(-1)?.isConnected === true);
    expect(follower.health.at(-1)?.lastError).toBeUndefined();
    expect(follower.messages.filter((m) => m === 'connected to the API server')).toHaveLength(2);
  });

  test('a bad object is logged with its field', async () => {
    await using server = await smallCluster();
    await using follower = await Follower.start(server);
    await follower.batch();
    server.store.set('Service', rawService('a', 99_999));
    await follower.until(() => follower.messages.length > 5);
    expect(follower.messages.at(-1)).toBe(
      'Service default/a: spec.ports[0].port: 99999 is not a port (1 to 65535)',
    );
  });
});

describe('the end', () => {
  test('comes with the signal, and closes every connection, also idle ones', async () => {
    await using server = await smallCluster();
    server.fail({ kind: 'status', code: 404 }, { matching: of('servicecidrs') });
    const follower = await Follower.start(server);
    await follower.batch();
    await follower.stop();
    await server.disconnected();
  });

  test('comes before the first lists are in', async () => {
    await using server = await smallCluster();
    server.fail({ kind: 'silence' }, { times: 4 });
    const follower = await Follower.start(server);
    await server.seen(() => true, 4);
    await follower.stop();
    expect(follower.batches).toEqual([]);
  });

  test('comes at once where the signal came before anything began', async () => {
    await using server = await smallCluster();
    const connection = await connectTo(server);
    const log = createLog({ stream: process.stderr, verbosity: 0 });
    const signal = AbortSignal.abort();
    await followCluster({ connection, nodeName: 'node-1', signal, log }, () => {
      throw new Error('delivered');
    });
  });

  test('comes with a fault of the one it delivers to', async () => {
    await using server = await smallCluster();
    const fault = new Error('a fault of ours');
    const following = followCluster(
      {
        connection: await connectTo(server),
        nodeName: 'node-1',
        signal: new AbortController().signal,
        log: createLog({ stream: process.stderr, verbosity: 0 }).child({}, { level: 'silent' }),
      },
      () => {
        throw fault;
      },
    );
    await expect(following).rejects.toBe(fault);
    await server.disconnected();
  });
});

// Listing once, from an API server and from manifests: objects, what beside them no rule is made of, and
// what is wrong.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { ApiConnection } from '../../src/cluster/api/connection/connection.ts';
import { listCluster, listManifests } from '../../src/cluster/list-once.ts';
import { ApiError } from '../../src/errors.ts';
import { rawService, rawSlice } from './objects.ts';
import { StandInApiServer } from './stand-in-api-server.ts';

async function standIn(): Promise<{ server: StandInApiServer; connection: ApiConnection }> {
  const server = await StandInApiServer.start();
  const connection = await ApiConnection.open({ kubeconfig: undefined, master: server.url });
  onTestFinished(async () => {
    connection.close();
    await server[Symbol.asyncDispose]();
  });
  return { server, connection };
}

/** Where it is, as an object. */
function reachedAt({ url }: StandInApiServer): object {
  const { hostname: ip, port } = new URL(url);
  return {
    kind: 'APIServer',
    id: '',
    value: { addresses: [{ ip, port: Number(port) }] },
  };
}

const asked = { nodeName: 'node-1', signal: new AbortController().signal };

test('a cluster, headless Services and pods too', async () => {
  const { server, connection } = await standIn();
  server.store.set('Service', rawService('web'));
  server.store.set('Service', rawService('bad', 0));
  server.store.set('Service', rawService('db', 5432, { clusterIP: 'None', clusterIPs: ['None'] }));
  server.store.set('EndpointSlice', {
    ...rawSlice('web', []),
    endpoints: [{ addresses: ['10.244.1.7'], targetRef: { kind: 'Pod', name: 'web-0' } }],
  });
  const { objects, asides, problems } = await listCluster(connection, asked);
  expect(objects.map(({ kind, id }) => `${kind} ${id}`)).toEqual([
    'Service default/web',
    'EndpointSlice default/web-1',
    'APIServer ',
  ]);
  expect(asides).toEqual([
    {
      kind: 'service',
      service: 'default/db',
      why: 'headless',
      field: 'spec.clusterIP',
      value: 'None',
    },
    { kind: 'pod', pod: 'default/web-0', ip: '10.244.1.7', nodeName: '' },
  ]);
  expect(problems).toEqual([
    'Service default/bad: spec.ports[0].port: 0 is not a port (1 to 65535)',
  ]);
});

test('a server without ServiceCIDRs is no fault, one that refuses Services is', async () => {
  const { server, connection } = await standIn();
  server.fail(
    { kind: 'status', code: 404 },
    { matching: ({ path }) => path.includes('servicecidrs') },
  );
  expect(await listCluster(connection, asked)).toEqual({
    objects: [reachedAt(server)],
    asides: [],
    problems: [],
    faults: 0,
  });
  server.fail(
    { kind: 'status', code: 403 },
    { matching: ({ path }) => path.includes('/services') },
  );
  await expect(listCluster(connection, asked)).rejects.toThrow(ApiError);
});

test('manifests with pods in a List', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'sluice-list-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const file = join(folder, 'all.yaml');
  const pod = {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name: 'a' },
    status: { podIPs: [{ ip: '10.244.1.9' }] },
  };
  const service = { apiVersion: 'v1', kind: 'Service', ...rawService('web') };
  await writeFile(file, JSON.stringify({ apiVersion: 'v1', kind: 'List', items: [pod, service] }));
  const { objects, asides, problems } = await listManifests(file, {});
  expect(objects.map(({ id }) => id)).toEqual(['default/web']);
  expect(asides).toEqual([{ kind: 'pod', pod: 'default/a', ip: '10.244.1.9', nodeName: '' }]);
  expect(problems).toEqual([]);
});

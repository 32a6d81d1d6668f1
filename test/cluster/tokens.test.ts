// Tokens in files, which are replaced while we run: those of a kubeconfig and those of a pod.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { ApiConnection } from '../../src/cluster/api/connection/connection.ts';
import { ClusterAccessError } from '../../src/errors.ts';
import { AccessFolder, ask, askOnce } from './access.ts';
import { StandInApiServer } from './stand-in-api-server.ts';

let folder: AccessFolder;

beforeAll(() => {
  folder = new AccessFolder();
});
afterAll(() => {
  folder[Symbol.dispose]();
});

describe('a token file', () => {
  test('is read anew, and the last token counts while it cannot be read', async () => {
    const tokens = new Set(['first']);
    await using server = await folder.server({ tokens });
    folder.write('token', 'first');
    const path = folder.kubeconfig(server.url, { user: { tokenFile: 'token' } });
    const connection = await ApiConnection.open({ kubeconfig: path });
    expect(await ask(connection)).toBe('ServiceList');
    folder.write('token', '');
    expect(await ask(connection)).toBe('ServiceList');
    tokens.clear();
    tokens.add('second');
    folder.write('token', 'second');
    expect(await ask(connection)).toBe('ServiceList');
    expect(server.requests).toHaveLength(3);
    connection.close();
  });

  test('is read again at once when a token is refused, and just once', async () => {
    await using server = await folder.server({ tokens: new Set(['second']) });
    folder.write('token', 'first');
    const path = folder.kubeconfig(server.url, { user: { tokenFile: 'token' } });
    const connection = await ApiConnection.open({ kubeconfig: path });
    expect(await ask(connection)).toBe('GET /api/v1/services: 401 Unauthorized: Unauthorized');
    expect(server.requests).toHaveLength(2);
    server.onRequest = () => folder.write('token', 'second');
    expect(await ask(connection)).toBe('ServiceList');
    expect(server.requests).toHaveLength(4);
    connection.close();
  });
});

describe('in a pod', () => {
  /** A service account's files, as the kubelet mounts them; returns the root of the mount. */
  function mount(token: string): string {
    const root = folder.path('root');
    const mounted = join(root, 'var/run/secrets/kubernetes.io/serviceaccount');
    mkdirSync(mounted, { recursive: true });
    writeFileSync(join(mounted, 'token'), token);
    writeFileSync(join(mounted, 'ca.crt'), readFileSync(folder.authority.file));
    return root;
  }

  test('the service account signs in to the server of the environment', async () => {
    await using server = await folder.server({ tokens: new Set(['pod']) });
    const { hostname, port } = new URL(server.url);
    vi.stubEnv('KUBERNETES_SERVICE_HOST', hostname);
    vi.stubEnv('KUBERNETES_SERVICE_PORT', port);
    expect(await askOnce({ serviceAccountRoot: mount('pod') })).toBe('ServiceList');
    vi.unstubAllEnvs();
  });

  test('the service account signs in to the server that --master names', async () => {
    await using server = await folder.server({ tokens: new Set(['pod']) });
    const access = { serviceAccountRoot: mount('pod'), master: server.url };
    expect(await askOnce(access)).toBe('ServiceList');
  });

  test('no token leaves the node unencrypted', async () => {
    await using server = await StandInApiServer.start();
    await askOnce({ serviceAccountRoot: mount('pod'), master: server.url });
    expect(server.requests.map(({ headers }) => headers['authorization'])).toEqual([undefined]);
  });

  test('without the variables of one, it is said what is missing', async () => {
    vi.stubEnv('KUBERNETES_SERVICE_HOST', undefined);
    const access = { serviceAccountRoot: mount('pod') };
    await expect(ApiConnection.open(access)).rejects.toThrow('it has no KUBERNETES_SERVICE_HOST');
    vi.unstubAllEnvs();
  });

  test('outside of one, it is said what is missing', async () => {
    const access = { serviceAccountRoot: '/nowhere' };
    await expect(ApiConnection.open(access)).rejects.toThrow(
      'no --kubeconfig or --master is given, and this is no pod: it has no' +
        ' /nowhere/var/run/secrets/kubernetes.io/serviceaccount/token',
    );
  });

  test('outside of one, --master alone is asked unsigned, and must be known to everyone', async () => {
    await using server = await folder.server();
    const access = { serviceAccountRoot: '/nowhere', master: server.url };
    expect(await askOnce(access)).toMatch(
      /^GET \/api\/v1\/services: unable to verify the first certificate/,
    );
  });

  test('a master that is no address is refused', async () => {
    await expect(ApiConnection.open({ master: 'ftp://x' })).rejects.toThrow(ClusterAccessError);
  });
});

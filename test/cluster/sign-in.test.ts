// Every kubeconfig there is, against a stand-in that speaks TLS and asks for a token or a certificate.
import { execFileSync } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { writeFile } from 'node:fs/promises';
import type { TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ApiConnection } from '../../src/cluster/api/connection/connection.ts';
import { defaultTiming } from '../../src/cluster/api/timing.ts';
import { ClusterAccessError } from '../../src/errors.ts';
import { AccessFolder, ask, askOnce, servicesPath } from './access.ts';
import { Authority } from './certificates.ts';
import { StandInApiServer } from './stand-in-api-server.ts';

let folder: AccessFolder;

beforeAll(() => {
  folder = new AccessFolder();
});
afterAll(() => {
  folder[Symbol.dispose]();
});

describe('a kubeconfig', () => {
  test('with a token', async () => {
    await using server = await folder.server({ tokens: new Set(['secret']) });
    const user = { token: 'secret' };
    expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, { user }) })).toBe(
      'ServiceList',
    );
    const wrong = { token: 'wrong' };
    expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, { user: wrong }) })).toBe(
      'GET /api/v1/services: 401 Unauthorized: Unauthorized',
    );
    expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, {}) })).toBe(
      'GET /api/v1/services: 403 Forbidden: services is forbidden: User "system:anonymous" cannot list resource "services" in API group "" at the cluster scope',
    );
  });

  test('with a tokenFile beside it, as kubeadm writes it', async () => {
    await using server = await folder.server({ tokens: new Set(['secret']) });
    folder.write('token', 'secret\n');
    for (const tokenFile of ['token', folder.path('token')]) {
      const path = folder.kubeconfig(server.url, { user: { tokenFile } });
      expect(await askOnce({ kubeconfig: path })).toBe('ServiceList');
    }
  });

  test('with a tokenFile beside a token: the file counts', async () => {
    await using server = await folder.server({ tokens: new Set(['secret']) });
    folder.write('token', 'secret\n');
    const user = { tokenFile: 'token', token: 'old' };
    expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, { user }) })).toBe(
      'ServiceList',
    );
  });

  test('with a client certificate, as files and as data', async () => {
    await using server = await folder.server({
      tls: { requestCert: true, rejectUnauthorized: true, ca: readFileSync(folder.authority.file) },
    });
    const { key, cert } = folder.authority.sign('proxy');
    const base64 = (text: string): string => Buffer.from(text).toString('base64');
    const files = { 'client-certificate': 'proxy.crt', 'client-key': 'proxy.key' };
    const data = { 'client-certificate-data': base64(cert), 'client-key-data': base64(key) };
    for (const user of [files, data]) {
      expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, { user }) })).toBe(
        'ServiceList',
      );
    }
    expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, {}) })).not.toBe(
      'ServiceList',
    );
  });

  test('with a client certificate that is replaced: new connections show the new one', async () => {
    await using server = await folder.server({
      tls: { requestCert: true, rejectUnauthorized: true, ca: readFileSync(folder.authority.file) },
    });
    folder.authority.sign('rotated');
    const user = { 'client-certificate': 'rotated.crt', 'client-key': 'rotated.key' };
    const connection = await ApiConnection.open({
      kubeconfig: folder.kubeconfig(server.url, { user }),
    });
    const serials = new Set<string>();
    server.onConnection = (socket) =>
      serials.add((socket as TLSSocket).getPeerCertificate().serialNumber);
    expect(await ask(connection)).toBe('ServiceList');
    expect(await ask(connection)).toBe('ServiceList');
    expect(serials.size).toBe(1);
    folder.authority.sign('rotated');
    expect(await ask(connection)).toBe('ServiceList');
    expect(serials.size).toBe(2);
    connection.close();
  });

  test('with another authority: the server is not believed', async () => {
    await using server = await folder.server();
    using stranger = new Authority();
    const cluster = { 'certificate-authority': stranger.file };
    expect(await askOnce({ kubeconfig: folder.kubeconfig(server.url, { cluster }) })).toMatch(
      /^GET \/api\/v1\/services: unable to verify the first certificate/,
    );
    const careless = { 'certificate-authority': undefined, 'insecure-skip-tls-verify': true };
    expect(
      await askOnce({ kubeconfig: folder.kubeconfig(server.url, { cluster: careless }) }),
    ).toBe('ServiceList');
  });

  test('at an address without a scheme: TLS where an authority is named, or none is asked', async () => {
    await using server = await folder.server();
    await using plain = await StandInApiServer.start();
    const hostPort = (url: string): string => new URL(url).host;
    const none = { 'certificate-authority': undefined };
    const careless = { ...none, 'insecure-skip-tls-verify': true };
    const answers = [];
    for (const [url, cluster] of [
      [server.url, {}],
      [server.url, careless],
      [plain.url, none],
    ] as const) {
      const kubeconfig = folder.kubeconfig(hostPort(url), { cluster });
      answers.push(await askOnce({ kubeconfig }));
    }
    const master = hostPort(server.url);
    answers.push(
      await askOnce({ kubeconfig: folder.kubeconfig('https://127.0.0.1:1', {}), master }),
    );
    expect(answers).toEqual(['ServiceList', 'ServiceList', 'ServiceList', 'ServiceList']);
  });

  test('with the name that the server goes by', async () => {
    await using server = await folder.server();
    const named = (name: string) =>
      askOnce({
        kubeconfig: folder.kubeconfig(server.url, { cluster: { 'tls-server-name': name } }),
      });
    expect(await named('kubernetes.test')).toBe('ServiceList');
    expect(await named('other.test')).toBe(
      "GET /api/v1/services: Hostname/IP does not match certificate's altnames: Host: other.test. is not in the cert's altnames: IP Address:127.0.0.1, DNS:kubernetes.test",
    );
  });

  test('with a plugin beside it, which is told what a plugin is told', async () => {
    await using server = await folder.server({ tokens: new Set(['from-plugin']) });
    const script = [
      '#!/bin/sh',
      'printf "%s" "$KUBERNETES_EXEC_INFO" > "$(dirname "$0")/exec-info"',
      'echo run >> "$(dirname "$0")/exec-runs"',
      `echo '{"kind":"ExecCredential","status":{"token":"'"$1"'"}}'`,
    ].join('\n');
    chmodSync(folder.write('plugin', script), 0o755);
    folder.write('exec-runs', '');
    const apiVersion = 'client.authentication.k8s.io/v1';
    const exec = {
      apiVersion,
      command: './plugin',
      args: ['from-plugin'],
      provideClusterInfo: true,
    };
    const path = folder.kubeconfig(server.url, { user: { exec } });
    const connection = await ApiConnection.open({ kubeconfig: path });
    expect(await ask(connection)).toBe('ServiceList');
    expect(await ask(connection)).toBe('ServiceList');
    expect(JSON.parse(readFileSync(folder.path('exec-info'), 'utf8'))).toEqual({
      apiVersion,
      kind: 'ExecCredential',
      spec: {
        interactive: false,
        cluster: { server: server.url, 'insecure-skip-tls-verify': false },
      },
    });
    const runs = (): string => readFileSync(folder.path('exec-runs'), 'utf8');
    expect(runs()).toBe('run\n');
    // What the plugin gave is refused: it is asked again.
    server.fail({ kind: 'status', code: 401 });
    expect(await ask(connection)).toBe('ServiceList');
    expect(runs()).toBe('run\nrun\n');
    connection.close();
  });

  test('with a plugin that hangs: requests end in time, and it is not run again', async () => {
    await using server = await folder.server({ tokens: new Set(['late']) });
    const gate = folder.path('gate');
    execFileSync('mkfifo', [gate]);
    const script = `#!/bin/sh\necho run >> ${folder.path('hung-runs')}\ncat ${gate}\n`;
    chmodSync(folder.write('hangs', script), 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: './hangs' };
    const path = folder.kubeconfig(server.url, { user: { exec } });
    const timing = { ...defaultTiming, answerMs: 100 };
    const connection = await ApiConnection.open({ kubeconfig: path }, timing);
    const late = 'GET /api/v1/services: nothing heard for 0.1 s';
    expect([await ask(connection), await ask(connection)]).toEqual([late, late]);
    await writeFile(gate, '{"kind":"ExecCredential","status":{"token":"late"}}');
    let answer = late;
    while (answer === late) answer = await ask(connection);
    expect(answer).toBe('ServiceList');
    expect(readFileSync(folder.path('hung-runs'), 'utf8')).toBe('run\n');
    connection.close();
  });

  test('with another server named by --master', async () => {
    await using server = await folder.server({ tokens: new Set(['secret']) });
    const path = folder.kubeconfig('https://192.0.2.1:6443', { user: { token: 'secret' } });
    expect(await askOnce({ kubeconfig: path, master: server.url })).toBe('ServiceList');
  });

  test('with a server behind a path', async () => {
    await using server = await folder.server();
    await askOnce({ kubeconfig: folder.kubeconfig(`${server.url}/k8s/clusters/c-1/`, {}) });
    expect(server.requests.map(({ path }) => path)).toEqual([`/k8s/clusters/c-1${servicesPath}`]);
  });

  test.each([
    ['that is not there', undefined, 'ENOENT: no such file or directory'],
    ['that is no YAML', '{', 'bad indentation|unexpected end|flow'],
    ['that is empty', '', 'kubeconfig'],
    ['without a context', 'apiVersion: v1\nkind: Config\n', 'leads to no cluster'],
  ])('%s', async (_, text, message) => {
    const path = folder.path('bad-kubeconfig');
    if (text !== undefined) writeFileSync(path, text);
    const refused = ApiConnection.open({ kubeconfig: path });
    await expect(refused).rejects.toBeInstanceOf(ClusterAccessError);
    await expect(refused).rejects.toThrow(new RegExp(message));
  });
});

// What commands work from where nothing is said: the daemon of this node, by whole command lines in both modes.
import { mkdtempDisposable, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { hostAddresses } from '../../../../src/host/network/interfaces.ts';
import type { ProxyMode } from '../../../../src/model/config.ts';
import { debugObjectsVersion } from '../../../../src/serve/debug-objects.ts';
import { commandLine } from '../../../support/command-line.ts';
import { configFor } from '../../../support/config.ts';
import { serveJson } from '../../../support/json-server.ts';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory } from '../../../support/node-in-memory.ts';
import { clusterObjects, manifestOf } from '../../../support/service-objects.ts';

const web = {
  name: 'web',
  ip: '10.96.0.10',
  endpoints: ['10.244.1.1', '10.244.2.1'],
  local: ['10.244.1.1'],
  spec: { internalTrafficPolicy: 'Local' },
};

// Each of them changes the rules.
const more = ['--masquerade-all', '--service-counters=off'];

/** A node that a daemon has programmed, whose metrics server is there, and command lines on it. */
async function healthyNode(mode: ProxyMode) {
  const { exec, files } = nodeInMemory();
  files.set('/proc/sys/net/ipv4/conf/all/route_localnet', '1');
  const flags = [...flagsFor(mode), ...more];
  const stdin = manifestOf([web]);
  await commandLine(['takeover', '--manifests', '-', '--before-file', '/nowhere', ...flags], {
    exec,
    stdin,
  });
  const told = {
    version: debugObjectsVersion,
    config: configFor(mode, more),
    hostIps: hostAddresses(),
    objects: clusterObjects([web]),
  };
  const daemon = await serveJson((path) => (path === '/debug/objects' ? told : undefined));
  const run = (...argv: readonly string[]) =>
    commandLine(argv, { exec, stdin, daemon: daemon.url });
  return { run, [Symbol.asyncDispose]: () => daemon[Symbol.asyncDispose]() };
}

const at = 'the daemon at http://127.0.0.1:10247';
const both = `note: configuration and objects of ${at}\n`;
const unnamed =
  'note: no object is a Node named "node-1": its pod CIDRs and addresses are not known\n';

test.each(modes)('a healthy node in %s mode is healthy, without a flag', async (mode) => {
  await using node = await healthyNode(mode);
  const { run } = node;
  const stderr = both + unnamed;
  expect(await run('diff')).toEqual({ exitCode: 0, stdout: '', stderr });
  const verified = await run('verify');
  expect(verified).toMatchObject({ exitCode: 0, stderr });
  expect(verified.stdout).toMatch(/^IPv4: all \d+ match; IPv6: all \d+ match\n$/);
  const explained = await run('explain', 'node', 'default/web', '-o', 'json');
  expect(explained).toMatchObject({ exitCode: 0, stderr });
  expect(JSON.parse(explained.stdout)).toMatchObject({
    mode,
    ends: [{ verdict: 'forwarded', endpoint: { ip: '10.244.1.1', port: 8080 }, share: 1 }],
  });
  const rendered = await run('render');
  const other = 'note: these are the rules of IPv4; --family IPv6 prints the others\n';
  expect(rendered).toMatchObject({
    exitCode: 0,
    stderr: mode === 'iptables' ? stderr + other : stderr,
  });
  const { stdout } = await run('render', '--manifests', '-', ...flagsFor(mode), ...more);
  expect(rendered.stdout).toBe(stdout);
  // The objects that are given are decided as the daemon would.
  const given = await run('diff', '--manifests', '-');
  expect(given).toEqual({
    exitCode: 0,
    stdout: '',
    stderr: `note: configuration of ${at}\n${unnamed}`,
  });
});

test.each(modes)('in %s mode, what is said goes before what the daemon says', async (mode) => {
  await using node = await healthyNode(mode);
  const { run } = node;
  const without = await run('diff', '--masquerade-all=false');
  expect(without).toMatchObject({ exitCode: 1, stderr: both + unnamed });
  const other = modes.find((one) => one !== mode) ?? mode;
  const { stdout } = await run(
    'explain',
    'node',
    'default/web',
    '-o',
    'json',
    '--proxy-mode',
    other,
  );
  expect(JSON.parse(stdout)).toMatchObject({ mode: other });
  await using folder = await mkdtempDisposable(join(tmpdir(), 'sluice-inputs-'));
  const config = join(folder.path, 'config.yaml');
  const { [other]: _section, ...document } = configFor(mode, more).document;
  await writeFile(config, JSON.stringify({ ...document, hostnameOverride: 'node-9' }));
  const named = await run('diff', '--config', config, '--service-counters=off');
  expect(named).toMatchObject({
    exitCode: 1,
    stderr:
      `note: ${at} runs with other values of hostnameOverride\n` +
      'note: no object is a Node named "node-9" (there are node-1 and node-2): no endpoint counts as local; name the node with --hostname-override\n',
  });
});

test('what answers there and is no daemon of this version is named', async () => {
  await using kubeProxy = await serveJson(() => undefined);
  const { exec } = nodeInMemory();
  const asked = ['explain', 'node', 'default/web', '--manifests', '-', ...flagsFor('nftables')];
  const around = { exec, stdin: manifestOf([{ ...web, spec: {} }]) };
  const { stderr } = await commandLine(asked, { ...around, daemon: kubeProxy.url });
  expect(stderr).toBe(
    'note: http://127.0.0.1:10247/debug/objects: status 404: no daemon of this version; not asked\n',
  );
  expect((await commandLine(asked, around)).stderr).toBe('');
});

test('a host that is no Node of the objects is told so first', async () => {
  const node = (name: string) =>
    `{ apiVersion: v1, kind: Node, metadata: { name: ${name} }, spec: { podCIDRs: [10.244.1.0/24] } }\n---\n`;
  const { exec } = nodeInMemory();
  const run = (stdin: string, ...flags: readonly string[]) =>
    commandLine(['diff', '--manifests', '-', ...flags], { exec, stdin });
  const nodes = node('node-1') + node('node-2') + manifestOf([web]);
  const effect = 'no endpoint counts as local; name the node with --hostname-override';
  expect((await run(nodes)).stderr).toBe(
    `note: no object is a Node named "host" (there are node-1 and node-2): ${effect}\n`,
  );
  expect((await run(nodes, '--hostname-override=node-2')).stderr).toBe('');
  // Endpoints are on a node of this name, so the name is right.
  const incomplete = node('node-1') + manifestOf([web]);
  expect((await run(incomplete, '--hostname-override=node-2')).stderr).toBe(
    'note: no object is a Node named "node-2": its pod CIDRs and addresses are not known\n',
  );
  // Where nothing asks for it, the name of the node means nothing.
  expect((await run(manifestOf([{ ...web, spec: {} }]))).stderr).toBe('');
});

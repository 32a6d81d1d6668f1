// The kernel is held against the model, and every address is opened, by whole command lines in both modes.
import { once } from 'node:events';
import { createServer, type AddressInfo } from 'node:net';
import { expect, test } from 'vitest';
import { debugObjectsVersion } from '../../../../src/serve/debug-objects.ts';
import { commandLine } from '../../../support/command-line.ts';
import { flagsFor, modes } from '../../../support/network-namespace.ts';
import { nodeInMemory, type NodeInMemory } from '../../../support/node-in-memory.ts';
import { clusterObjects, manifestOf } from '../../../support/service-objects.ts';
import { serveJson } from '../../../support/json-server.ts';
import { configFor } from '../../../support/config.ts';
import { session } from '../../../support/session.ts';

const stdin = manifestOf([
  { name: 'web', ip: '10.96.0.10', endpoints: ['10.244.1.1', '10.244.1.2'] },
  { name: 'idle', ip: '10.96.0.11', endpoints: [] },
]);

/** What somebody did to the rules, in each mode. */
const harm = {
  nftables: ({ nft }: NodeInMemory) => {
    const { chains, containers } = nft.table('ip sluice')!;
    containers.get('endpoints-tcp')!.elem[0] = [
      { concat: ['10.96.0.10', 80, 0] },
      { concat: ['192.0.2.1', 81] },
    ];
    containers.get('cluster-ips')!.elem.pop();
    chains.get('cluster-ips-check')!.rules = [];
    chains.set('theirs', { chain: { family: 'ip', table: 'sluice', name: 'theirs' }, rules: [] });
  },
  iptables: async ({ exec }: NodeInMemory) => {
    const input = `*nat
:KUBE-SVC-AAAAAAAAAAAAAAAA - [0:0]
-D PREROUTING -m comment --comment "kubernetes service portals" -j KUBE-SERVICES
-I KUBE-SERVICES -j ACCEPT
-D KUBE-SVC-LOLE4ISW44XBNF3G -m comment --comment "default/web -> 10.244.1.2:8080" -j KUBE-SEP-THERE
COMMIT
`;
    const found = /-A (KUBE-SVC-LOLE4ISW44XBNF3G .*10.244.1.2.*)/.exec(
      (await exec('iptables-save', [])).stdout,
    );
    await exec('iptables-restore', ['--noflush'], {
      input: input.replace(/KUBE-SVC-LOLE.*/, found?.[1] ?? ''),
    });
  },
};

test.each(modes)('in %s mode', async (mode) => {
  const node = nodeInMemory();
  const flags = ['--manifests', '-', ...flagsFor(mode)];
  const { run, text } = session({ exec: node.exec, stdin }, [[` ${flags.join(' ')}`, '']]);
  await run(['verify', ...flags]);
  await run(['takeover', ...flags, '--before-file', '/nowhere/before.json']);
  await run(['verify', ...flags]);
  await harm[mode](node);
  await run(['verify', ...flags]);
  await run(['verify', ...flags, '--rules']);
  await run(['verify', ...flags, '-o', 'json']);
  await run(['verify', ...flags, '--daemon', 'http://127.0.0.1:1']);
  await run(['verify', '--daemon', 'http://127.0.0.1:1']);
  await run(['verify', '--daemon', 'localhost']);
  await expect(text()).toMatchFileSnapshot(`verify.${mode}.txt`);
});

/** What a program is told of each address. */
function probesOf(port: number): readonly object[] {
  const common = { family: 'IPv4', portName: '', protocol: 'tcp', port, deadEndpoints: [] };
  return [
    {
      ...common,
      service: 'default/answers',
      ip: '127.0.0.1',
      said: 'answers',
      met: 'answered',
      judgement: 'true',
      words: `default/answers at 127.0.0.1:${port}/tcp: expected an answer, got an answer`,
    },
    {
      ...common,
      service: 'default/dead',
      ip: '127.0.0.2',
      said: 'answers',
      met: 'refused',
      judgement: 'false',
      deadEndpoints: [`255.255.255.255:${port}`],
      words: `default/dead at 127.0.0.2:${port}/tcp: expected an answer, got "connection refused"; 255.255.255.255:${port} doesn't answer from this node either: check the pods or the pod network`,
    },
    {
      ...common,
      service: 'default/refuses',
      ip: '127.0.0.4',
      said: 'refused',
      met: 'refused',
      judgement: 'true',
      words: `default/refuses at 127.0.0.4:${port}/tcp: expected "connection refused", got "connection refused"`,
    },
    {
      ...common,
      service: 'default/untried',
      ip: '127.0.0.5',
      protocol: 'sctp',
      said: 'refused',
      met: null,
      judgement: 'unknown',
      words: `default/untried at 127.0.0.5:${port}/sctp: expected "connection refused", not tried`,
    },
  ];
}

// A daemon tells of addresses as they are, so that these can be of this host wherever the test runs.
test('addresses that answer, refuse, and should', async () => {
  const server = createServer((socket) => socket.on('error', () => {})).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  const common = { port, endpointPort: port };
  const decoded = clusterObjects([
    { ...common, name: 'answers', ip: '10.96.0.1', endpoints: ['10.96.0.9'] },
    { ...common, name: 'dead', ip: '10.96.0.2', endpoints: ['10.96.0.3'] },
    { ...common, name: 'refuses', ip: '10.96.0.4', endpoints: [] },
    { ...common, name: 'untried', ip: '10.96.0.5', endpoints: [], protocol: 'SCTP' },
  ]);
  // Endpoints are none at loopback: one is never asked, and the other can be reached by nobody.
  const here = JSON.stringify(decoded)
    .replaceAll('10.96.0.3', '255.255.255.255')
    .replaceAll(/10\.96\.(?!0\.9)/g, '127.0.');
  const objects: unknown = JSON.parse(here);
  const told = {
    version: debugObjectsVersion,
    config: configFor('nftables'),
    hostIps: ['127.0.0.1'],
    objects,
  };
  await using daemon = await serveJson((path) => (path === '/debug/objects' ? told : undefined));
  const { exec } = nodeInMemory();
  const masked = [
    [daemon.url, 'URL'],
    [String(port), 'PORT'],
  ] as const;
  const { run, text } = session({ exec }, masked);
  await run(['verify', '--daemon', daemon.url, '--probe']);
  const json = ['verify', '--daemon', daemon.url, '--probe', '-o', 'json'];
  const { stdout } = await commandLine(json, { exec });
  server.close();
  const { probes } = JSON.parse(stdout) as { readonly probes: readonly object[] };
  expect(probes).toEqual(probesOf(port));
  await expect(text()).toMatchFileSnapshot('probe.txt');
});

// What Sluice must do on every kernel, and with whichever nft and iptables: it starts, a client behind another
// interface reaches a Service by TCP and UDP, `verify` finds every rule, `cleanup` leaves none. This is what
// the virtual machines of test/kernels run first of all. Needs root.
import { once } from 'node:events';
import { execa } from 'execa';
import { expect, onTestFinished, test } from 'vitest';
import { stringify } from 'yaml';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import { standWith } from '../cli/stand.ts';
import { allRules } from '../support/kernel-rules.ts';
import { modes, networkNamespace, type NetworkNamespace } from '../support/network-namespace.ts';

const pod = '10.244.1.11';
const answer = 'the-pod';
const servers = `
  const tcp = require('node:net').createServer((socket) => socket.end('${answer}'));
  const udp = require('node:dgram').createSocket('udp4');
  udp.on('message', (_, { port, address }) => udp.send('${answer}', port, address));
  udp.bind(5353, '${pod}', () => tcp.listen(8080, '${pod}', () => console.log('ready')));`;
const service = { ip: '10.96.0.10', tcp: 80, udp: 53 };
const ports = [
  { name: 'http', port: service.tcp, targetPort: 8080, protocol: 'TCP' },
  { name: 'dns', port: service.udp, targetPort: 5353, protocol: 'UDP' },
];
const manifest = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { clusterIP: service.ip, clusterIPs: [service.ip], ipFamilies: ['IPv4'], ports },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'web-1',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'web' },
    },
    addressType: 'IPv4',
    ports: ports.map(({ name, targetPort: port, protocol }) => ({ name, port, protocol })),
    endpoints: [{ addresses: [pod], nodeName: 'node-1' }],
  },
]
  .map((object) => stringify(object))
  .join('---\n');

test.each(modes)('%s from the start to the clean-up', async (mode) => {
  const stand = await standWith(mode, manifest);
  const client = await neighbourOf(stand);
  await serve(stand);
  const untouched = await rulesOf(stand, mode);

  const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
  await sluice.inStep(manifestDigest(manifest));
  const answers = {
    tcp: await ask(client, `TCP:${service.ip}:${service.tcp}`),
    udp: await ask(client, `UDP:${service.ip}:${service.udp}`),
  };
  expect(answers).toEqual({ tcp: answer, udp: answer });
  expect(await stand.sluice(['verify', ...stand.flags])).toMatchObject({ exitCode: 0 });
  await sluice.stop();

  const cleanup = await stand.sluice(['cleanup']);
  expect(cleanup).toMatchObject({ exitCode: 0, stdout: '' });
  expect(await rulesOf(stand, mode)).toEqual(untouched);
});

// iptables leaves its tables behind, with the built-in chains alone.
const stays = /^(\*|COMMIT$|:\w+ ACCEPT$|$)/;

/** All rules of the node but for what a clean-up leaves. */
async function rulesOf({ exec }: NetworkNamespace, mode: ProxyMode): Promise<readonly string[]> {
  return (await allRules(exec, mode)).split('\n').filter((line) => !stays.test(line));
}

/** A namespace behind an interface of the node, whose address of the pod is on the node itself. */
async function neighbourOf(node: NetworkNamespace): Promise<NetworkNamespace> {
  const client = await networkNamespace();
  const onNode = `
    link add lan type veth peer name eth0 netns ${client.name}
    address add 192.168.10.11/24 dev lan
    address add ${pod}/32 dev lo
    link set lo up
    link set lan up`;
  const onClient = `
    address add 192.168.10.99/24 dev eth0
    link set eth0 up
    route add default via 192.168.10.11`;
  await node.exec('ip', ['-batch', '-'], { input: onNode });
  await client.exec('ip', ['-batch', '-'], { input: onClient });
  return client;
}

/** Answers at the ports of the pod, in both protocols; ready when this returns. */
async function serve({ name }: NetworkNamespace): Promise<void> {
  const server = execa('ip', ['netns', 'exec', name, process.execPath, '-e', servers], {
    reject: false,
    stdin: 'ignore',
  });
  onTestFinished(async () => {
    server.kill();
    await server;
  });
  await once(server.stdout, 'data');
}

/** What the Service answers to one request. */
async function ask({ exec }: NetworkNamespace, address: string): Promise<string> {
  const to = `${address},readbytes=${answer.length}`;
  const { stdout } = await exec('socat', ['-t', '20', '-', to], { input: 'who?' });
  return stdout;
}

// What the first packet of a connection costs among 5,000 Services, against 50: in one run, side by side.
// Each size has a client, a node and a pod, in network namespaces; clients open connections to the last
// Service of the list in turns. Needs root. Run: node test/bench/iptables-first-packet.ts [rounds]
import { Console } from 'node:console';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { execa } from 'execa';
import { createIptablesBackend } from '../../src/backends/iptables/backend.ts';
import type { IptablesUnit } from '../../src/backends/iptables/unit.ts';
import { execOnHost, type Exec } from '../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../src/lab/namespaces.ts';
import type { ServiceRules } from '../../src/model/ruleset.ts';
import { plan } from '../../src/netfilter/plan.ts';
import { variants, withOneVariant } from '../support/one-variant.ts';
import { assembly, decided } from '../unit/backends/iptables/fixture.ts';

const bound = 1.3;
const connectionsPerRound = 20;
const warmUpRounds = 20;
const rounds = Number(process.argv[2] ?? 250);

const pod = '10.244.1.11';
const podPort = 8080;

/** One in fifty has nothing that answers; the last one has the pod alone. */
function numbered(n: number, count: number): ServiceRules {
  const none = n % 50 === 7;
  const far = Array.from({ length: 5 }, (_, e) => `10.244.${2 + e}.${n & 255}`);
  const endpoints = n === count - 1 ? { local: [pod] } : { remote: none ? [] : far };
  return decided(`ns/s${n}`, clusterIp(n), { nodePort: 20_000 + n, ...endpoints });
}

// As an allocator does, all over the range, and each once.
function clusterIp(n: number): string {
  const place = (n * 40_503 + 257) % 65_536;
  return `10.96.${place >> 8}.${place & 255}`;
}

/** A size of cluster, and in what form its look-up stands. */
type Size = { readonly name: string; readonly count: number; readonly isList: boolean };

const sizes: readonly Size[] = [
  { name: '50', count: 50, isList: false },
  { name: '5,000', count: 5_000, isList: false },
  // For comparison: what it would be without the tree.
  { name: '5,000 in one list', count: 5_000, isList: true },
];

type Client = {
  readonly size: Size;
  /** Microseconds that each of some connections took to be open. */
  readonly open: (to: string, port: number, count: number) => Promise<readonly number[]>;
};

function inNamespace(name: string): Exec {
  return (file, args, options) => execOnHost('ip', ['netns', 'exec', name, file, ...args], options);
}

async function makeNetwork(lab: string, index: number): Promise<readonly string[]> {
  const [client = '', node = '', pods = ''] = ['client', 'node', 'pod'].map(
    (role) => `${lab}-${role}${index}`,
  );
  await createNamespaces(execOnHost, [client, node, pods]);
  const links = [
    [client, 'c0', '192.0.2.9/24', 'n0', '192.0.2.1/24'],
    [pods, 'p0', `${pod}/24`, 'n1', '10.244.1.1/24'],
  ] as const;
  for (const [other, end, address, nodeEnd, nodeAddress] of links) {
    const peer = ['peer', 'name', end, 'netns', other];
    await execOnHost('ip', ['-n', node, 'link', 'add', nodeEnd, 'type', 'veth', ...peer]);
    const ends = [
      [node, nodeEnd, nodeAddress],
      [other, end, address],
    ] as const;
    for (const [namespace, name, ip] of ends) {
      await execOnHost('ip', ['-n', namespace, 'address', 'add', ip, 'dev', name]);
      await execOnHost('ip', ['-n', namespace, 'link', 'set', name, 'up']);
    }
    const via = nodeAddress.replace('/24', '');
    await execOnHost('ip', ['-n', other, 'route', 'add', 'default', 'via', via]);
  }
  await inNamespace(node)('sh', ['-c', 'echo 1 > /proc/sys/net/ipv4/ip_forward']);
  return [client, node, pods];
}

async function program(
  node: string,
  variant: (typeof variants)[number],
  size: Size,
): Promise<void> {
  const exec = withOneVariant(inNamespace(node), variant);
  const backend = createIptablesBackend(exec);
  await backend.probe();
  const services = Array.from({ length: size.count }, (_, n) => numbered(n, size.count));
  const units = assembly('IPv4', services).whole();
  await backend.apply('IPv4', plan(new Map<string, IptablesUnit>(), units));
  if (!size.isList) return;
  const entry = /^-A KUBE-(?:SERVICES|SVCS-\S+) (-d \S+\/32 .* -j KUBE-(?:SVC|EXT)-\S+)$/gm;
  const text = [...units.values()].filter(({ table }) => table === 'nat').map((unit) => unit.text);
  const entries = [...text.join('\n').matchAll(entry)].map(([, rule = '']) => rule);
  const last = clusterIp(size.count - 1);
  const ordered = [
    ...entries.filter((rule) => !rule.includes(`${last}/32`)),
    ...entries.filter((rule) => rule.includes(`${last}/32`)),
  ];
  const lines = ordered.map((rule) => `-A KUBE-SERVICES ${rule}`);
  const input = ['*nat', ':KUBE-SERVICES - [0:0]', ...lines, 'COMMIT', ''].join('\n');
  await exec('iptables-restore', ['--noflush'], { input });
}

// A packet passes all three namespaces on the processor of its sender: servers wake up on another one.
const processors = { client: '0', server: '1' } as const;

/** Ends with the signal that it is given. */
function startProgram(namespace: string, code: string, { role, signal }: Running) {
  const pinned = ['taskset', '-c', processors[role], process.execPath, '-e', code];
  return execa('ip', ['netns', 'exec', namespace, ...pinned], {
    reject: false,
    buffer: false,
    cancelSignal: signal,
  });
}

type Running = { readonly role: keyof typeof processors; readonly signal: AbortSignal };

async function startServer(namespace: string, signal: AbortSignal): Promise<void> {
  const code = `require('node:net').createServer((socket) => socket.on('error', () => {}))
    .listen({ port: ${podPort}, host: '${pod}', backlog: 4096 }, () => console.log('listening'));`;
  await once(startProgram(namespace, code, { role: 'server', signal }).stdout, 'data');
}

function startClient(namespace: string, size: Size, signal: AbortSignal): Client {
  const code = `
    const net = require('node:net');
    const open = (host, port) => new Promise((resolve, reject) => {
      const start = process.hrtime.bigint();
      const socket = net.connect({ host, port });
      socket.once('connect', () => {
        resolve(Number(process.hrtime.bigint() - start) / 1000);
        socket.resetAndDestroy();
      });
      socket.once('error', reject);
    });
    require('node:readline').createInterface({ input: process.stdin }).on('line', async (line) => {
      const [host, port, count] = line.split(' ');
      const times = [];
      for (let n = 0; n < Number(count); n += 1) times.push(await open(host, Number(port)));
      console.log(JSON.stringify(times));
    });`;
  const child = startProgram(namespace, code, { role: 'client', signal });
  const answers = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  child.stderr.pipe(process.stderr);
  return {
    size,
    async open(to, port, count) {
      child.stdin.write(`${to} ${port} ${count}\n`);
      const { value, done } = await answers.next();
      if (done === true) throw new Error(`the client among ${size.name} Services has ended`);
      return JSON.parse(value) as readonly number[];
    },
  };
}

function median(times: readonly number[]): number {
  return [...times].sort((a, b) => a - b)[Math.floor(times.length / 2)] ?? Number.NaN;
}

type Row = {
  readonly variant: string;
  readonly services: string;
  /** Microseconds, by the Service's address and by the pod's own. */
  readonly median: number;
  readonly direct: number;
  /** Against 50 Services. */
  readonly ratio: number;
  readonly connections: number;
};

type Target = 'service' | 'direct';
type Job = { readonly client: Client; readonly target: Target; readonly times: number[] };

async function measure(variant: string, clients: readonly Client[]): Promise<readonly Row[]> {
  const jobs = clients.flatMap((client) =>
    (['service', 'direct'] as const).map((target): Job => ({ client, target, times: [] })),
  );
  for (let round = -warmUpRounds; round < rounds; round += 1) {
    // In another order each time: what runs before leaves its traces.
    for (const { client, target, times } of shuffled(jobs)) {
      const last = clusterIp(client.size.count - 1);
      const [to, port] = target === 'service' ? [last, 80] : [pod, podPort];
      const found = await client.open(to, port, connectionsPerRound);
      if (round >= 0) times.push(...found);
    }
  }
  const medianOf = (client: Client | undefined, wanted: Target): number =>
    median(jobs.find((job) => job.client === client && job.target === wanted)?.times ?? []);
  return clients.map((client) => ({
    variant,
    services: client.size.name,
    median: medianOf(client, 'service'),
    direct: medianOf(client, 'direct'),
    ratio: medianOf(client, 'service') / medianOf(clients[0], 'service'),
    connections: rounds * connectionsPerRound,
  }));
}

function shuffled<T>(items: readonly T[]): readonly T[] {
  return items
    .map((item) => ({ item, place: Math.random() }))
    .toSorted((a, b) => a.place - b.place)
    .map(({ item }) => item);
}

async function benchVariant(variant: (typeof variants)[number]): Promise<readonly Row[]> {
  const lab = await newLabName();
  const ending = new AbortController();
  const namespaces: string[] = [];
  try {
    const clients: Client[] = [];
    for (const [index, size] of sizes.entries()) {
      const [client = '', node = '', pods = ''] = await makeNetwork(lab, index);
      namespaces.push(client, node, pods);
      await program(node, variant, size);
      await startServer(pods, ending.signal);
      clients.push(startClient(client, size, ending.signal));
    }
    return await measure(variant, clients);
  } finally {
    ending.abort();
    await deleteNamespaces(execOnHost, namespaces);
  }
}

const rows: Row[] = [];
for (const variant of variants) rows.push(...(await benchVariant(variant)));
const us = (value: number): string => `${value.toFixed(1)} us`;
new Console(process.stdout).table(
  rows.map(({ variant, services, median: middle, direct, ratio, connections }) => ({
    variant,
    services,
    'to the Service': us(middle),
    'to the pod': us(direct),
    'against 50': ratio.toFixed(2),
    connections,
  })),
);
const isWithin = rows.every(({ services, ratio }) => services !== '5,000' || ratio <= bound);
process.stdout.write(`${JSON.stringify({ bound, isWithin, rows })}\n`);
process.exitCode = isWithin ? 0 : 1;

// Clients that go on with one UDP socket are led to endpoints that are there, by the daemon that lets go
// of their conntrack entries; all others keep theirs, however many there are.
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execa } from 'execa';
import { describe, expect, onTestFinished, test } from 'vitest';
import { removeStaleFlows } from '../../src/host/netfilter/conntrack.ts';
import type { ExecLines } from '../../src/host/tools/exec-lines.ts';
import { execLinesOnHost } from '../../src/host/tools/exec-lines.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { modes, networkNamespace, type NetworkNamespace } from '../support/network-namespace.ts';
import { standWith } from '../cli/stand.ts';
import { stringify } from 'yaml';

const [a, b] = ['10.244.1.1', '10.244.1.2'];
const dns = { ip: '10.96.0.53', port: 53, nodePort: 30_053 } as const;
const node = '192.168.0.2';

/** The Service with these endpoints and perhaps another spec. */
function manifestWith(endpoints: readonly string[], spec: object = {}): string {
  const ports = [{ name: 'dns', port: dns.port, protocol: 'UDP', nodePort: dns.nodePort }];
  const objects = [
    {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'dns' },
      spec: { type: 'NodePort', clusterIP: dns.ip, ports, ...spec },
    },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { name: 'dns-1', labels: { 'kubernetes.io/service-name': 'dns' } },
      addressType: 'IPv4',
      ports: [{ name: 'dns', port: 5353, protocol: 'UDP' }],
      endpoints: endpoints.map((address) => ({ addresses: [address], nodeName: 'node-1' })),
    },
    {
      apiVersion: 'v1',
      kind: 'Node',
      metadata: { name: 'node-1' },
      status: { addresses: [{ type: 'InternalIP', address: node }] },
    },
  ];
  return objects.map((object) => stringify(object)).join('---\n');
}

const noService = manifestWith([]).split('---\n').slice(1).join('---\n');

const tracking = `table ip other {
  chain output { type filter hook output priority 0; ct state invalid counter; }
}
`;

/** A node with both endpoints on it, and a client that has one socket. */
async function withPeers({ exec, name }: NetworkNamespace) {
  const addresses = [node, a, b].map((ip) => `address add ${ip}/32 dev pods\n`).join('');
  const input = `link set lo up\nlink add pods type veth peer name wire\nlink set pods up\nlink set wire up\n${addresses}route add default dev pods\n`;
  await exec('ip', ['-batch', '-'], { input });
  // Connections are tracked for whoever asks, as on every node.
  await exec('nft', ['-f', '-'], { input: tracking });
  const script = join(import.meta.dirname, 'udp-peers.mjs');
  const command = ['netns', 'exec', name, process.execPath, script, '5353', a, b];
  const child = execa('ip', command, { buffer: false, reject: false });
  onTestFinished(async () => {
    child.kill('SIGKILL');
    await child;
  });
  const answers: string[] = [];
  const { promise: ready, resolve } = Promise.withResolvers<void>();
  void (async () => {
    for await (const line of child.iterable()) {
      if (line === 'ready') resolve();
      else answers.push(line);
    }
  })();
  await ready;
  return {
    /** Sends one packet from the client's socket. */
    send: (to: string, port: number) => child.stdin.write(`${to} ${port}\n`),
    /** Sends until somebody answers, and says who. */
    async answerFrom(to: string, port: number): Promise<string | undefined> {
      answers.length = 0;
      await expect
        .poll(() => {
          child.stdin.write(`${to} ${port}\n`);
          return answers.length;
        })
        .toBeGreaterThan(0);
      return answers.at(-1);
    },
  };
}

/** The flows of the client, as `DESTINATION -> WHAT ANSWERS`. */
async function flows({ exec }: NetworkNamespace): Promise<readonly string[]> {
  const { stdout } = await exec('conntrack', ['-L', '-p', 'udp', '--orig-port-src', '40033']);
  const fields = /dst=(\S+) sport=40033 dport=(\d+) .*?src=(\S+) dst=\S+ sport=(\d+)/g;
  return [...stdout.matchAll(fields)].map(([, to, at, by, from]) => `${to}:${at} -> ${by}:${from}`);
}

describe.each(modes)('with %s', (mode) => {
  test('a client follows its Service wherever that goes', async () => {
    const stand = await standWith(mode, manifestWith([a]));
    const peers = await withPeers(stand);
    // From a time when nobody did anything for it.
    peers.send(dns.ip, dns.port);
    await expect.poll(() => flows(stand)).toEqual([`${dns.ip}:53 -> ${dns.ip}:53`]);
    const sluice = stand.start({ manifests: stand.manifests, proxyMode: mode });
    const goTo = async (text: string): Promise<void> => {
      await stand.rewrite(text);
      await sluice.inStep(manifestDigest(text));
    };
    await sluice.inStep(manifestDigest(manifestWith([a])));

    expect(await peers.answerFrom(dns.ip, dns.port)).toBe(a);
    expect(await peers.answerFrom(node, dns.nodePort)).toBe(a);
    // Who reads that it is in step may rely on it.
    await goTo(manifestWith([b]));
    expect(await flows(stand)).toEqual([]);
    expect(await peers.answerFrom(dns.ip, dns.port)).toBe(b);
    expect(await peers.answerFrom(node, dns.nodePort)).toBe(b);

    const ports = [{ name: 'dns', port: 54, protocol: 'UDP', nodePort: 30_054 }];
    await goTo(manifestWith([b], { ports }));
    await expect.poll(() => flows(stand)).toEqual([]);
    expect(await peers.answerFrom(dns.ip, 54)).toBe(b);
    expect(await peers.answerFrom(node, 30_054)).toBe(b);

    await goTo(manifestWith([a, b], { ports }));
    expect(await peers.answerFrom(dns.ip, 54)).toBe(b);

    await goTo(noService);
    await expect.poll(() => flows(stand)).toEqual([]);
  });
});

describe('removal by the tool', () => {
  const total = 100_000;
  const signal = new AbortController().signal;

  /** Entries `CLIENT -> 10.96.0.53:53`, each answered by one of 50 endpoints, made by the tool itself. */
  async function filled(): Promise<NetworkNamespace & { readonly lines: ExecLines }> {
    const namespace = await networkNamespace();
    const entries = Array.from({ length: total }, (_, index) => {
      const client = `10.${100 + (index >> 16)}.${(index >> 8) & 255}.${index & 255}`;
      const reply = `-q ${client} -r 10.250.0.${1 + (index % 50)} --reply-port-src 5353`;
      const protocol =
        index % 1000 === 0 ? 'sctp --state ESTABLISHED --orig-vtag 1 --reply-vtag 2' : 'udp';
      return `-I -p ${protocol} -s ${client} -d 10.96.0.53 --sport 1024 --dport 53 -t 600 ${reply} --reply-port-dst 1024\n`;
    });
    const file = join(namespace.folder, 'entries');
    await writeFile(file, entries.join(''));
    await namespace.exec('conntrack', ['-R', file]);
    const lines: ExecLines = (file, args, options) =>
      execLinesOnHost('ip', ['netns', 'exec', namespace.name, file, ...args], options);
    return { ...namespace, lines };
  }

  async function counted({ exec }: NetworkNamespace): Promise<number> {
    return Number((await exec('conntrack', ['-C'])).stdout);
  }

  test('finds a few among 100,000, counts them, stops at its limit and goes on', async () => {
    const stand = await filled();
    expect(await counted(stand)).toBe(total);
    const gone = new Set(['10.250.0.7', '10.250.0.8', '10.250.0.9']);
    const selection = {
      family: 'IPv4',
      protocol: 'udp',
      ports: new Set([53]),
      isStale: ({ replySource }: { readonly replySource: string }) => gone.has(replySource),
    } as const;
    const started = performance.now();
    const limits = { deletions: 2, timeoutMs: 60_000, signal };
    expect(await removeStaleFlows(stand.lines, selection, limits)).toEqual({
      removed: 4000,
      isCut: true,
    });
    const ms = Math.round(performance.now() - started);
    process.stderr.write(`2 of 50 endpoints among ${total} conntrack entries: ${ms} ms\n`);
    expect(await removeStaleFlows(stand.lines, selection, limits)).toEqual({
      removed: 2000,
      isCut: false,
    });
    expect(await counted(stand)).toBe(total - 6000);
    const sctp = { ...selection, protocol: 'sctp', isStale: () => true } as const;
    expect(await removeStaleFlows(stand.lines, sctp, limits)).toEqual({
      removed: 100,
      isCut: false,
    });
    const nothing = { ...selection, ports: new Set([54]), isStale: () => true };
    expect(await removeStaleFlows(stand.lines, nothing, limits)).toEqual({
      removed: 0,
      isCut: false,
    });
    expect(await counted(stand)).toBe(total - 6100);
  });

  test('ends when it is told to, and says what is missing', async () => {
    const { name } = await networkNamespace();
    const lines: ExecLines = (file, args, options) =>
      execLinesOnHost('ip', ['netns', 'exec', name, file, ...args], options);
    const selection = {
      family: 'IPv6',
      protocol: 'udp',
      ports: new Set([53]),
      isStale: () => true,
    } as const;
    const limits = { deletions: 2, timeoutMs: 60_000 };
    const aborted = { ...limits, signal: AbortSignal.abort() };
    await expect(removeStaleFlows(lines, selection, aborted)).rejects.toThrow('conntrack -L');
    const absent: ExecLines = (_, args, options) => execLinesOnHost('no-such-tool', args, options);
    await expect(removeStaleFlows(absent, selection, { ...limits, signal })).rejects.toThrow(
      'no-such-tool is not installed',
    );
  });
});

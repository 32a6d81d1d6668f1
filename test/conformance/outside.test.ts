// Pods that reach the outside through their node's own masquerade, as pod networks of the field set it up
// beside the proxy: what is outside sees the node, once, and Services stay as they are. Needs root.
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Try } from '../../src/lab/agent/protocol.ts';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { manifestDigest } from '../../src/lab/sluice-process.ts';
import { clusterRange, nodes, outside, outsidePort, type Overlay } from '../../src/lab/topology.ts';
import type { ProxyMode } from '../../src/model/config.ts';
import type { KubernetesObject } from './case.ts';
import { manifestText } from './manifests.ts';

type Setting = {
  readonly proxyMode: ProxyMode;
  readonly overlay: Overlay;
  /** What the node masquerades with: a table of its own, or a rule in the table that Sluice writes to. */
  readonly by: 'nft' | 'iptables';
};

const settings: readonly Setting[] = [
  { proxyMode: 'nftables', overlay: 'host-gw', by: 'nft' },
  { proxyMode: 'nftables', overlay: 'vxlan', by: 'iptables' },
  { proxyMode: 'iptables', overlay: 'host-gw', by: 'nft' },
  { proxyMode: 'iptables', overlay: 'udp', by: 'iptables' },
];

const [{ lan }] = nodes;

describe.each(settings)('$proxyMode over $overlay, masquerade by $by', (setting) => {
  let lab: Lab;
  let folder: string;
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'sluice-outside-'));
    lab = await masqueradingLab(setting);
    const manifests = join(folder, 'manifests.yaml');
    await writeFile(manifests, manifest);
    await lab.startSluice({ ...setting, manifests }).inStep(manifestDigest(manifest));
  });
  afterAll(async () => {
    await lab?.close();
    await rm(folder, { recursive: true });
  });

  test.each([
    [outside.ipv4, outsidePort, lan.ipv4, 41_001],
    [outside.ipv6, outsidePort, lan.ipv6, 41_002],
    ['10.96.20.1', 80, lan.ipv4, 41_003],
    ['fd00:96::2001', 80, lan.ipv6, 41_004],
  ] as const)('a pod, by %s port %i: the node alone', async (to, port, source, sourcePort) => {
    const tries = await lab.probe({ from: 'p13', to, port, protocol: 'tcp', tries: 2, sourcePort });
    expect(tries).toEqual([seenAs(source), seenAs(source)]);
    // Sluice's own masquerade would have chosen another port.
    expect(await translations(lab, to, sourcePort)).toEqual([`${source} ${sourcePort}`]);
  });

  test.each([
    ['p13', lan.ipv4, 30120],
    ['p13', '203.0.113.120', 80],
    ['n1', '203.0.113.120', 80],
    ['ext', '203.0.113.120', 80],
  ] as const)('%s, by %s port %i', async (from, to, port) => {
    const tries = await lab.probe({ from, to, port, protocol: 'tcp', tries: 2 });
    expect(tries).toEqual([seenAs(lan.ipv4), seenAs(lan.ipv4)]);
  });

  test.each(['tcp', 'udp'] as const)(
    'between pods nothing is masqueraded (%s)',
    async (protocol) => {
      const request = { from: 'p13', port: 80, protocol, tries: 4 } as const;
      const direct = await lab.probe({ ...request, to: '10.244.2.11', port: 8080 });
      const service = await lab.probe({ ...request, to: '10.96.20.2' });
      const answer: Try = { result: 'ok', name: 'p21', source: '10.244.1.13' };
      expect({ direct, service }).toEqual({
        direct: Array.from({ length: 4 }, () => answer),
        service: Array.from({ length: 4 }, () => answer),
      });
    },
  );
});

async function masqueradingLab({ overlay, by }: Setting): Promise<Lab> {
  if (by === 'nft') return createLab({ overlay, outside: 'masqueraded' });
  const lab = await createLab({ overlay });
  const append = ['-t', 'nat', '-A', 'POSTROUTING'];
  for (const { host } of nodes) {
    for (const [tool, range] of [
      ['iptables', clusterRange.ipv4],
      ['ip6tables', clusterRange.ipv6],
    ] as const) {
      await lab.exec(host, [tool, ...append, '-s', range, '!', '-d', range, '-j', 'MASQUERADE']);
    }
  }
  return lab;
}

function seenAs(source: string): Try {
  return { result: 'ok', name: 'ext', source };
}

/** The address and port that n1 gave to connections from one source port, as conntrack has them. */
async function translations(lab: Lab, to: string, sourcePort: number): Promise<readonly string[]> {
  const family = to.includes(':') ? 'ipv6' : 'ipv4';
  const args = ['-L', '-f', family, '-p', 'tcp', '-d', to, '--orig-port-src', String(sourcePort)];
  const { stdout } = await lab.exec('n1', ['conntrack', ...args]);
  // A line has both directions; where the answers go is what the other end has seen.
  return stdout
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [, address] = [...line.matchAll(/ dst=(\S+)/g)].map(([, value]) => value);
      const [, port] = [...line.matchAll(/ dport=(\d+)/g)].map(([, value]) => value);
      return `${address} ${port}`;
    });
}

type ServiceObject = KubernetesObject & { readonly spec: object; readonly status: object };

function service(name: string, spec: object, status: object = {}): ServiceObject {
  return { apiVersion: 'v1', kind: 'Service', metadata: { namespace: 'conf', name }, spec, status };
}

type Backing = {
  readonly service: string;
  readonly address: string;
  readonly ports: readonly {
    readonly name: string;
    readonly port: number;
    readonly protocol: string;
  }[];
};

type SliceObject = KubernetesObject & Pick<Backing, 'ports'> & { readonly addressType: string };

function slice({ service: name, address, ports }: Backing): SliceObject {
  const addressType = address.includes(':') ? 'IPv6' : 'IPv4';
  const labels = { 'kubernetes.io/service-name': name };
  const endpoints = [{ addresses: [address], conditions: { ready: true } }];
  const metadata = { namespace: 'conf', name: `${name}-${addressType.toLowerCase()}`, labels };
  const kind = { apiVersion: 'discovery.k8s.io/v1', kind: 'EndpointSlice' };
  const object = { ...kind, metadata, addressType, ports, endpoints };
  return object;
}

const http = { name: 'http', port: 80, protocol: 'TCP' };
const dns = { name: 'dns', port: 80, protocol: 'UDP' };
const outsideHttp = [{ ...http, port: outsidePort }];

const objects: readonly KubernetesObject[] = [
  service(
    'beyond',
    {
      type: 'LoadBalancer',
      clusterIP: '10.96.20.1',
      clusterIPs: ['10.96.20.1', 'fd00:96::2001'],
      ipFamilies: ['IPv4', 'IPv6'],
      ipFamilyPolicy: 'RequireDualStack',
      ports: [{ ...http, nodePort: 30120 }],
    },
    { loadBalancer: { ingress: [{ ip: '203.0.113.120', ipMode: 'VIP' }] } },
  ),
  slice({ service: 'beyond', address: outside.ipv4, ports: outsideHttp }),
  slice({ service: 'beyond', address: outside.ipv6, ports: outsideHttp }),
  service('inside', { clusterIP: '10.96.20.2', ports: [http, dns] }),
  slice({
    service: 'inside',
    address: '10.244.2.11',
    ports: [
      { ...http, port: 8080 },
      { ...dns, port: 8080 },
    ],
  }),
];

const manifest = manifestText(
  new Map(objects.map((object) => [`${object.kind}/${object.metadata.name}`, object])),
);

// Where packets of real kernels end under the nftables backend's rules, one Service feature after the
// other.
import { beforeEach, describe, expect, test } from 'vitest';
import type { Cidr, Ip } from '../../src/model/ip.ts';
import { parseFlow } from '../../src/netfilter/parse-flow.ts';
import type { Call, Node } from './nftables-node.ts';
import {
  buildNode,
  client,
  clusterIp,
  fromLan,
  fromNode,
  fromPod,
  gateway,
  node,
  pod,
  service,
} from './nftables-node.ts';
import { initPacket } from './sctp.ts';

const stranger = '203.0.113.7';
const fromStranger = ['lan', stranger] as const;
const vip = '203.0.113.50' as Ip;
const nodePort = 30_080;
const atNodePort = `${node}:${nodePort}`;

/** Any endpoint of the cluster, masqueraded to the node's address on the way there. */
const anyMasqueraded = [
  `10.244.1.11 for ${gateway}`,
  `10.244.2.11 for ${node}`,
  `10.244.2.12 for ${node}`,
];
const anyForPod = ['10.244.1.11', '10.244.2.11', '10.244.2.12'].map((ip) => `${ip} for ${pod}`);

let on: Node;
beforeEach(async () => {
  on = await buildNode();
});

/** All calls go out at once; each row ends in just these ways. */
async function judge(rows: readonly (readonly [...Call['from'], string, ...string[]])[]) {
  const calls = rows.map(([side, source, to]): Call => {
    const [address = '', protocol] = to.split('/');
    return { from: [side, source], to: address, protocol: protocol === 'udp' ? 'udp' : 'tcp' };
  });
  const ends = await on.outcomes(calls);
  expect(
    rows.map(([side, source, to], index) => [side, source, to, ...(ends[index] ?? [])]),
  ).toEqual(rows);
}

describe('a node port', () => {
  test('sends to every endpoint, masqueraded, from everywhere; but not at loopback', async () => {
    await on.hold(...service({ nodePort }));
    await judge([
      [...fromLan, atNodePort, ...anyMasqueraded],
      [...fromPod, `${gateway}:${nodePort}`, ...anyMasqueraded],
      [...fromNode, atNodePort, ...anyMasqueraded],
      ['node', '127.0.0.1', `127.0.0.1:${nodePort}`, 'rejected'],
      [...fromPod, `203.0.113.9:${nodePort}`, `203.0.113.9 for ${pod}`],
    ]);
  });

  test('is refused where nothing can answer', async () => {
    await on.hold(...service({ nodePort, local: 0, remote: 0 }));
    await judge([
      [...fromLan, atNodePort, 'rejected'],
      [...fromPod, atNodePort, 'rejected'],
    ]);
  });
});

describe('externalTrafficPolicy Local', () => {
  const policy = { externalTrafficPolicy: 'Local', nodePort, externalIps: [vip] } as const;

  test('sends others to this node alone, unmasqueraded, and the cluster anywhere', async () => {
    await on.hold(...service(policy));
    const rows = [atNodePort, `${vip}:80`].flatMap((to) => [
      [...fromLan, to, `10.244.1.11 for ${client}`] as const,
      [...fromPod, to, ...anyForPod] as const,
      [...fromNode, to, ...anyMasqueraded] as const,
    ]);
    await judge(rows);
  });

  test('drops what others send where this node has no endpoint', async () => {
    await on.hold(...service({ ...policy, local: 0 }));
    const rows = [atNodePort, `${vip}:80`].flatMap((to) => [
      [...fromLan, to, 'dropped'] as const,
      [...fromPod, to, ...anyForPod.slice(1)] as const,
      [...fromNode, to, ...anyMasqueraded.slice(1)] as const,
    ]);
    await judge(rows);
  });
});

describe('source ranges', () => {
  const restricted = {
    type: 'LoadBalancer',
    loadBalancerIps: [vip],
    sourceRanges: ['192.168.10.96/28', '10.244.1.0/24'] as Cidr[],
    nodePort,
  } as const;

  test('let those in them on to an endpoint and drop all others, at that address alone', async () => {
    await on.hold(...service({ ...restricted, externalTrafficPolicy: 'Local' }));
    await judge([
      [...fromLan, `${vip}:80`, `10.244.1.11 for ${client}`],
      [...fromPod, `${vip}:80`, ...anyForPod],
      [...fromNode, `${vip}:80`, 'dropped'],
      [...fromStranger, `${vip}:80`, 'dropped'],
      [...fromStranger, atNodePort, `10.244.1.11 for ${stranger}`],
      [...fromStranger, `${vip}:80/udp`, `${vip} for ${stranger}`],
    ]);
  });

  test('are asked before it is known that nothing answers', async () => {
    await on.hold(...service({ ...restricted, local: 0, remote: 0 }));
    await judge([
      [...fromLan, `${vip}:80`, 'rejected'],
      [...fromStranger, `${vip}:80`, 'dropped'],
    ]);
  });

  test('hold for a Service with affinity too', async () => {
    await on.hold(...service({ ...restricted, local: 1, remote: 0, affinitySeconds: 60 }));
    await judge([
      [...fromLan, `${vip}:80`, `10.244.1.11 for ${gateway}`],
      [...fromStranger, `${vip}:80`, 'dropped'],
      [...fromStranger, `${clusterIp}:80`, `10.244.1.11 for ${gateway}`],
    ]);
  });
});

test('unused ports are refused at a ClusterIP, and left alone at every other address', async () => {
  await on.hold(...service({ nodePort, externalIps: [vip] }));
  await judge([
    [...fromPod, `${clusterIp}:81`, 'rejected'],
    [...fromPod, `${clusterIp}:80/udp`, 'rejected'],
    [...fromNode, `${clusterIp}:81`, 'rejected'],
    [...fromPod, `${vip}:81`, `${vip} for ${pod}`],
    [...fromPod, `${vip}:80/udp`, `${vip} for ${pod}`],
  ]);
});

test.each([0, 60])('SCTP goes to an endpoint, with affinity of %i s', async (affinitySeconds) => {
  await on.hold(...service({ protocol: 'sctp', affinitySeconds, nodePort, externalIps: [vip] }));
  const endpoints = ['10.244.1.11:8080', '10.244.2.11:8080', '10.244.2.12:8080'];
  for (const [index, target] of [`${clusterIp}:80`, `${vip}:80`, atNodePort].entries()) {
    const [destination = '', port = ''] = target.split(':');
    const numbers = { port: Number(port), sourcePort: 40_000 + index };
    await sendRaw(initPacket(numbers), destination);
    const { stdout } = await on.exec('conntrack', ['-L', '-p', 'sctp']);
    const lines = stdout.split('\n');
    const line = lines.find((each) => each.includes(`sport=${numbers.sourcePort} `)) ?? '';
    const flow = parseFlow(line, new Set([numbers.port]));
    expect(`${flow?.destination}:${flow?.destinationPort}`).toBe(target);
    expect(endpoints).toContain(`${flow?.replySource}:${flow?.replySourcePort}`);
  }
});

/** Sends an IP payload of protocol 132 from the node itself; perl is on every Debian. */
async function sendRaw(packet: Buffer, destination: string): Promise<void> {
  const program = `socket(S, PF_INET, SOCK_RAW, 132) or die $!;
    send(S, pack("H*", $ARGV[0]), 0, sockaddr_in(0, inet_aton($ARGV[1]))) or die $!;`;
  await on.exec('perl', ['-MSocket', '-e', program, packet.toString('hex'), destination]);
}

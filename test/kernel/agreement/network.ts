// One node with pods behind a bridge and a LAN with everybody else, each side a network namespace; what
// is sent there is judged by the node's own conntrack table, so nobody has to answer.
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { execa } from 'execa';
import { onTestFinished } from 'vitest';
import type { Exec } from '../../../src/host/tools/exec.ts';
import { execOnHost } from '../../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../../src/lab/namespaces.ts';
import type { Ip } from '../../../src/model/ip.ts';

/** Who sends: the node itself, its pods, or anybody on the LAN. */
export type Side = 'node' | 'pod' | 'lan';

/** One connection to open. */
export type Attempt = {
  readonly source: string;
  readonly sourcePort: number;
  readonly destination: string;
  readonly port: number;
  readonly protocol: 'tcp' | 'udp';
};

/** Opens all connections at once; '' or an error code such as ECONNREFUSED for each. */
export type Sender = (attempts: readonly Attempt[]) => Promise<readonly string[]>;

export type Network = {
  /** Runs a tool on the node. */
  readonly exec: Exec;
  readonly send: Readonly<Record<Side, Sender>>;
};

/** Addresses that each side has; a source is one of them. */
export const addresses: Readonly<Record<Side, readonly Ip[]>> = {
  node: ['192.168.10.11', 'fd00:10::11'] as Ip[],
  pod: ['10.244.1.1', '10.244.1.2', '10.244.1.77', 'fd00:244:1::1', 'fd00:244:1::77'] as Ip[],
  lan: [
    '192.168.10.99',
    '203.0.113.7',
    '203.0.113.200',
    '10.244.2.77',
    'fd00:10::99',
    'fd00:113::7',
    'fd00:244:2::77',
  ] as Ip[],
};

/** The node's own address on its bridge: what a masqueraded connection to a pod here comes from. */
export const bridge = { IPv4: '10.244.1.254', IPv6: 'fd00:244:1::fe' } as const;

/** All addresses of the node. */
export const hostIps = [...addresses.node, ...Object.values(bridge), '127.0.0.1', '::1'] as Ip[];

// A connection that nobody answers is given up after this long. A refusal that comes while the first
// packet is still being sent counts only when TCP asks again, after a second.
const attemptMs = 1500;

/** Builds the network; it is gone when the test ends. */
export async function buildNetwork(): Promise<Network> {
  const base = await newLabName();
  const names = { node: `${base}-n`, pod: `${base}-p`, lan: `${base}-l` };
  onTestFinished(() => deleteNamespaces(execOnHost, Object.values(names)));
  await createNamespaces(execOnHost, Object.values(names));
  const at = (side: Side, command: string): Promise<unknown> =>
    execOnHost('ip', ['netns', 'exec', names[side], 'sh', '-ec', command]);
  await at('node', nodeScript(names));
  await at('pod', sideScript(addresses.pod, bridge));
  await at('lan', sideScript(addresses.lan, { IPv4: '192.168.10.11', IPv6: 'fd00:10::11' }));
  return {
    exec: (file, args, options) =>
      execOnHost('ip', ['netns', 'exec', names.node, file, ...args], options),
    send: {
      node: startSender(names.node),
      pod: startSender(names.pod),
      lan: startSender(names.lan),
    },
  };
}

// The far sides answer for every address, so that no packet waits for a neighbour that is not there.
function nodeScript(names: Readonly<Record<Side, string>>): string {
  return `
    sysctl -qw net.ipv4.ip_forward=1 net.ipv6.conf.all.forwarding=1 net.ipv4.conf.all.rp_filter=0 \\
      net.ipv4.conf.default.rp_filter=0 net.ipv4.icmp_ratelimit=0 \\
      net.ipv4.conf.all.send_redirects=0 net.ipv4.conf.default.send_redirects=0 \\
      net.ipv6.icmp.ratelimit=0 net.ipv6.conf.default.accept_dad=0 net.ipv6.conf.all.accept_dad=0
    # An older kernel has these for the whole machine alone.
    sysctl -eqw net.ipv4.icmp_msgs_per_sec=100000 net.ipv4.icmp_msgs_burst=10000
    ip link add cbr0 type veth peer name eth0 netns ${names.pod}
    ip link add eth0 type veth peer name eth0 netns ${names.lan}
    ip addr add ${bridge.IPv4}/24 dev cbr0
    ip addr add ${bridge.IPv6}/64 dev cbr0 nodad
    ip addr add 192.168.10.11/24 dev eth0
    ip addr add fd00:10::11/64 dev eth0 nodad
    ip link set lo up
    ip link set cbr0 up
    ip link set eth0 up
    ip route add default via 192.168.10.99
    ip -6 route add default via fd00:10::99`;
}

// Who is sent something stays silent: a reset would end the connection in the node's table, too.
function sideScript(own: readonly Ip[], gateway: { IPv4: string; IPv6: string }): string {
  // What is on the node's own network shares it; from all else, even its neighbours are behind the node.
  const added = own.map((ip) => {
    const isNear = ip.slice(0, 9) === (ip.includes(':') ? gateway.IPv6 : gateway.IPv4).slice(0, 9);
    if (ip.includes(':')) return `ip addr add ${ip}/${isNear ? 64 : 128} dev eth0 nodad`;
    return `ip addr add ${ip}/${isNear ? 24 : 32} dev eth0`;
  });
  return `
    sysctl -qw net.ipv4.icmp_ratelimit=0 net.ipv6.icmp.ratelimit=0 net.ipv4.conf.all.rp_filter=0 \\
      net.ipv4.conf.default.rp_filter=0 net.ipv6.conf.default.accept_dad=0
    ip link set lo up
    ip link set eth0 up
    ${added.join('\n    ')}
    ip route add default via ${gateway.IPv4}
    ip -6 route add default via ${gateway.IPv6}
    nft add table inet silence
    nft add chain inet silence input { type filter hook input priority 0 \\; }
    nft add rule inet silence input ct state new meta l4proto { tcp, udp } drop`;
}

function startSender(namespace: string): Sender {
  const agent = fileURLToPath(new URL('agent.mjs', import.meta.url));
  const child = execa('ip', ['netns', 'exec', namespace, process.execPath, agent], {
    buffer: false,
    reject: false,
    stderr: 'inherit',
  });
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  const nextLine = async (): Promise<string> => {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the sender has ended');
    return value;
  };
  onTestFinished(async () => {
    child.stdin.end();
    await child;
  });
  return async (attempts) => {
    const timed = attempts.map((attempt) => ({ ...attempt, ms: attemptMs }));
    child.stdin.write(`${JSON.stringify(timed)}\n`);
    return JSON.parse(await nextLine()) as readonly string[];
  };
}

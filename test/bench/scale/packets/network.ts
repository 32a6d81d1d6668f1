// Nodes side by side, each between the sender of packets and the place where they are dropped.
import { execOnHost, type Exec } from '../../../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../../../src/lab/namespaces.ts';
import { nodeIp, podRange } from '../cluster/services.ts';

/** One node. */
export type PacketNode = {
  /** Runs a tool in its network namespace. */
  readonly exec: Exec;
  /** The sender's interface, which leads to the node. */
  readonly interface: string;
  /** How many packets have come out of it so far. */
  readonly passed: () => Promise<number>;
};

/** All of them. */
export type PacketNetwork = AsyncDisposable & {
  /** The name of the sender's namespace. */
  readonly client: string;
  readonly nodes: readonly PacketNode[];
};

/** The sender's interface that leads to no node: whatever is sent there is dropped at once. */
export const nowhere = { interface: 'c', ip: '198.51.100.2' } as const;

/** Where clients are that are pods of the node. */
export const ownPods = '10.255.0.0/16';
/** What frames to a node are sent from and to. */
export const clientMac = '02:00:00:00:00:09';
export const nodeMac = '02:00:00:00:00:01';

// Nobody has it: what is sent there is for others, and dropped at once.
const nobodysMac = '02:00:00:00:00:99';
const nextHop = '198.18.0.2';

/** Makes so many nodes; dispose it to have them gone. */
export async function createPacketNetwork(count: number): Promise<PacketNetwork> {
  const lab = await newLabName();
  const [client, sink] = [`${lab}-client`, `${lab}-sink`];
  const names = Array.from({ length: count }, (_, n) => `${lab}-node${n}`);
  const all = [client, sink, ...names];
  const dispose = (): Promise<void> => deleteNamespaces(execOnHost, all);
  try {
    await createNamespaces(execOnHost, all);
    // Else neighbours are looked for by IPv6 while packets are counted.
    await Promise.all(
      all.map((name) => write(execIn(name), 'ipv6/conf/default/disable_ipv6', '1')),
    );
    await createNowhere(client, sink);
    const nodes = await Promise.all(names.map((name, n) => createNode({ client, sink, name, n })));
    return { client, nodes, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function createNowhere(client: string, sink: string): Promise<void> {
  const lines = [
    `link add ${nowhere.interface} type veth peer name s netns ${sink}`,
    `address add 198.51.100.1/24 dev ${nowhere.interface}`,
    `link set ${nowhere.interface} up`,
    `neighbour add ${nowhere.ip} lladdr ${nobodysMac} dev ${nowhere.interface}`,
  ];
  await execOnHost('ip', ['-n', client, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  await execOnHost('ip', ['-n', sink, 'link', 'set', 's', 'up']);
}

type Place = {
  readonly client: string;
  readonly sink: string;
  readonly name: string;
  readonly n: number;
};

async function createNode({ client, sink, name, n }: Place): Promise<PacketNode> {
  const exec = execIn(name);
  const lines = [
    'link set lo up',
    `link add n0 address ${nodeMac} type veth peer name c${n} address ${clientMac} netns ${client}`,
    `link add n1 type veth peer name s${n} netns ${sink}`,
    `address add ${nodeIp}/24 dev n0`,
    'address add 198.18.0.1/24 dev n1',
    'link set n0 up',
    'link set n1 up',
    `route add ${ownPods} dev n0`,
    `neighbour add ${nextHop} lladdr ${nobodysMac} dev n1`,
    `route add ${podRange} via ${nextHop}`,
  ];
  await execOnHost('ip', ['-n', name, '-batch', '-'], { input: `${lines.join('\n')}\n` });
  await execOnHost('ip', ['-n', client, 'link', 'set', `c${n}`, 'up']);
  await execOnHost('ip', ['-n', sink, 'link', 'set', `s${n}`, 'up']);
  await write(exec, 'ipv4/ip_forward', '1');
  await write(exec, 'ipv4/conf/all/rp_filter', '0');
  return {
    exec,
    interface: `c${n}`,
    async passed() {
      const { stdout } = await exec('cat', ['/sys/class/net/n1/statistics/tx_packets']);
      return Number(stdout);
    },
  };
}

function execIn(name: string): Exec {
  return (file, args, options) => execOnHost('ip', ['netns', 'exec', name, file, ...args], options);
}

async function write(exec: Exec, setting: string, value: string): Promise<void> {
  await exec('sh', ['-c', `echo ${value} > /proc/sys/net/${setting}`]);
}

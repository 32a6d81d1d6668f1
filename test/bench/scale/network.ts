// A client, a node and a place that has the addresses of all pods, each in a network namespace of its own.
import { execOnHost } from '../../../src/host/tools/exec.ts';
import { createNamespaces, deleteNamespaces, newLabName } from '../../../src/lab/namespaces.ts';
import { podRange, serviceRange } from './cluster/services.ts';

/** The names of the namespaces. */
export type Network = AsyncDisposable & {
  readonly client: string;
  readonly node: string;
  readonly pods: string;
};

/** Makes it; dispose it to have it gone. */
export async function createNetwork(): Promise<Network> {
  const lab = await newLabName();
  const [client, node, pods] = [`${lab}-client`, `${lab}-node`, `${lab}-pods`];
  const dispose = (): Promise<void> => deleteNamespaces(execOnHost, [client, node, pods]);
  try {
    await createNamespaces(execOnHost, [client, node, pods]);
    await batch(node, [
      'link set lo up',
      `link add n0 type veth peer name c0 netns ${client}`,
      `link add n1 type veth peer name p0 netns ${pods}`,
      'address add 192.0.2.1/24 dev n0',
      'address add 198.18.0.1/24 dev n1',
      'link set n0 up',
      'link set n1 up',
      `route add ${podRange} via 198.18.0.2`,
      `route add ${serviceRange} via 198.18.0.2`,
    ]);
    await batch(client, [
      'link set lo up',
      'address add 192.0.2.9/24 dev c0',
      'link set c0 up',
      'route add default via 192.0.2.1',
    ]);
    await batch(pods, [
      'link set lo up',
      'address add 198.18.0.2/24 dev p0',
      'link set p0 up',
      'route add default via 198.18.0.1',
      // Every address of these is the namespace's own. Where no rule is met it refuses, for no pod
      // listens on the port of Services; a client need not wait to know.
      `route add local ${podRange} dev lo`,
      `route add local ${serviceRange} dev lo`,
    ]);
    // What is refused must be refused each time.
    const settings =
      'echo 1 > /proc/sys/net/ipv4/ip_forward; echo 0 > /proc/sys/net/ipv4/icmp_ratelimit';
    await execOnHost('ip', ['netns', 'exec', node, 'sh', '-c', settings]);
    return { client, node, pods, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

async function batch(namespace: string, lines: readonly string[]): Promise<void> {
  await execOnHost('ip', ['-n', namespace, '-batch', '-'], { input: `${lines.join('\n')}\n` });
}

// A node under the nftables backend's rules, with its pods and a LAN, each a network namespace. Nobody
// answers there; the node's conntrack table says where each connection was sent.
import { expect } from 'vitest';
import { createNftablesBackend } from '../../src/backends/nftables/backend.ts';
import type { ClusterObject } from '../../src/model/kubernetes.ts';
import { configFor } from '../support/config.ts';
import { objectsOf, type Kind } from '../support/every-kind.ts';
import { load, wanted, type Machine } from '../support/nftables-machine.ts';
import { buildNetwork, hostIps, type Side } from './agreement/network.ts';
import { readConnections, seenOf } from './agreement/seen.ts';

/** Who sends, and to which `address:port`. */
export type Call = {
  readonly from: readonly [side: Side, source: string];
  readonly to: string;
  readonly protocol?: 'tcp' | 'udp';
};

export type Node = Pick<Machine, 'backend'> & {
  /** Runs a tool on the node. */
  readonly exec: Machine['namespace']['exec'];
  /** Makes the kernel hold these Services and no others. */
  readonly hold: (...objects: readonly ClusterObject[]) => Promise<void>;
  /** Opens many connections for each call, and answers with all that became of them, sorted. */
  readonly outcomes: (calls: readonly Call[]) => Promise<readonly (readonly string[])[]>;
  /** The one thing that becomes of several connections; fails where they differ. */
  readonly outcome: (from: Call['from'], to: string) => Promise<string>;
};

/** The node's own address, and the one by which it reaches its pods. */
export const node = '192.168.10.11';
export const gateway = '10.244.1.254';
export const pod = '10.244.1.77';
export const client = '192.168.10.99';
export const clusterIp = '10.96.0.1';

export const fromLan = ['lan', client] as const;
export const fromPod = ['pod', pod] as const;
export const fromNode = ['node', node] as const;

// Of three endpoints one is missed once in four million.
const connectionsEach = 40;

/** The Service of these tests: endpoints are 10.244.1.11 and on, here, and 10.244.2.11 and on, elsewhere. */
export function service(kind: Partial<Kind>): readonly ClusterObject[] {
  return objectsOf('IPv4', { local: 1, remote: 2, ...kind }, 1);
}

/** Builds it; it is gone when the test ends. */
export async function buildNode(): Promise<Node> {
  const { exec, send } = await buildNetwork();
  const backend = createNftablesBackend(exec, 'text');
  await backend.probe();
  const config = configFor('nftables', ['--nodeport-addresses', '0.0.0.0/0']);
  let nextPort = 20_000;
  const outcomes: Node['outcomes'] = async (calls) => {
    const attempts = calls.flatMap(({ from: [side, source], to, protocol = 'tcp' }, call) =>
      Array.from({ length: connectionsEach }, () => {
        const [destination = '', port = ''] = to.split(':');
        const sourcePort = (nextPort += 1);
        return { side, source, sourcePort, destination, port: Number(port), protocol, call };
      }),
    );
    const sent = await Promise.all(
      [...Map.groupBy(attempts, ({ side }) => side)].map(async ([side, ours]) => {
        const errors = await send[side](ours);
        return ours.map((attempt, index) => ({ attempt, error: errors[index] ?? '' }));
      }),
    );
    const connections = await readConnections(exec);
    const ends = calls.map(() => new Set<string>());
    for (const { attempt, error } of sent.flat()) {
      const seen = seenOf(attempt, { error, connections, hostIps });
      ends[attempt.call]?.add(
        seen.verdict === 'passed' ? `${seen.destination} for ${seen.source}` : seen.verdict,
      );
    }
    return ends.map((each) => [...each].toSorted());
  };
  return {
    backend,
    exec,
    outcomes,
    hold: (...objects) => load({ backend }, 'IPv4', wanted({ backend, config }, 'IPv4', objects)),
    async outcome(from, to) {
      const [ends = []] = await outcomes([{ from, to }]);
      expect(ends).toHaveLength(1);
      return ends.join();
    },
  };
}

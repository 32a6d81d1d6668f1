// The process behind a node's UDP tunnel: socat, which carries packets between the tun device and the
// other node. In: the node's namespace and both ends. Out: a process that carries, and can be ended.
import { execa, type ResultPromise } from 'execa';
import { LabError } from '../../errors.ts';
import { missingTool } from '../../host/tools/exec.ts';
import { pipes } from '../sluice-process.ts';
import type { LabNode } from '../topology.ts';
import { udpTunnelDevice } from './between-nodes.ts';

/** A tunnel that carries packets; close() ends its process and awaits that. */
export type Tunnel = { readonly close: () => Promise<void> };

type TunnelChild = ResultPromise<typeof pipes>;

// Flannel's port for this.
const port = 8285;
const carrying = 'starting data transfer loop';

/** Starts the tunnel from `node` to `other`; resolves when packets pass. */
export async function startTunnel(
  namespace: string,
  { node, other }: { readonly node: LabNode; readonly other: LabNode },
): Promise<Tunnel> {
  const device = `TUN,tun-name=${udpTunnelDevice},tun-type=tun,iff-no-pi`;
  const peer = `UDP4-DATAGRAM:${other.lan.ipv4}:${port},bind=${node.lan.ipv4}:${port}`;
  // Twice -d makes socat say when it carries.
  const socat = ['socat', '-d', '-d', device, peer];
  const child = execa('ip', ['netns', 'exec', namespace, ...socat], pipes);
  await readiness(child, node);
  return {
    close: async () => {
      child.kill('SIGKILL');
      await child;
    },
  };
}

/** Resolves when socat says that it carries; rejects with what it said when it ends before. */
function readiness(child: TunnelChild, { host }: LabNode): Promise<void> {
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  void listen(child, resolve).then((said) => {
    const isMissing = said.some((line) => line.startsWith('exec of "socat" failed'));
    const failure = new LabError([`the tunnel of ${host} has ended:`, ...said].join('\n'));
    reject(isMissing ? missingTool('socat') : failure);
  });
  return promise;
}

/** Calls back when it carries; resolves at its end with all that it said. */
async function listen(child: TunnelChild, onCarrying: () => void): Promise<readonly string[]> {
  const said: string[] = [];
  for await (const line of child.iterable({ from: 'stderr' })) {
    said.push(line);
    if (line.includes(carrying)) onCarrying();
  }
  await child;
  return said;
}

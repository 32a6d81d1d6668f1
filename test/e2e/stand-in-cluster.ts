// A cluster for the end-to-end test where no pod can run: the stand-in API server, which here also takes
// objects, before the laboratory's two nodes and their pods. In: how Sluice is started on a node. Out: a
// kubeconfig; packets are real.
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import https from 'node:https';
import type { AddressInfo } from 'node:net';
import { join, resolve } from 'node:path';
import { execa } from 'execa';
import { createLab, type Lab } from '../../src/lab/lab.ts';
import { leavesHostAlone, SluiceProcess } from '../../src/lab/sluice-process.ts';
import { nodes, type LabNode } from '../../src/lab/topology.ts';
import { AccessFolder } from '../cluster/access.ts';
import { rawServiceCidr } from '../cluster/objects.ts';
import { StandInApiServer } from '../cluster/stand-in-api-server.ts';
import { StandInControlPlane } from './stand-in-control-plane.ts';

const token = 'the only token';
const sluiceFile = resolve(import.meta.dirname, '../../bin/sluice');
/** Where each node finds the API server, on its own loopback. */
export const relayPort = 6443;

/** A cluster of two nodes; disposing of it takes all of it down. */
export class StandInCluster implements AsyncDisposable {
  readonly plane: StandInControlPlane;
  /** Leads to the cluster from this machine. */
  readonly kubeconfig: string;
  readonly #nodeKubeconfig: string;
  readonly #access: AccessFolder;
  readonly #lab: Lab;
  readonly #stack: AsyncDisposableStack;

  private constructor(
    parts: Pick<StandInCluster, 'plane' | 'kubeconfig'> & {
      readonly access: AccessFolder;
      readonly lab: Lab;
      readonly stack: AsyncDisposableStack;
    },
  ) {
    this.plane = parts.plane;
    this.kubeconfig = parts.kubeconfig;
    this.#access = parts.access;
    const text = readFileSync(parts.kubeconfig, 'utf8');
    this.#nodeKubeconfig = parts.access.write(
      'node.kubeconfig',
      text.replace(/127\.0\.0\.1:\d+/, `127.0.0.1:${relayPort}`),
    );
    this.#lab = parts.lab;
    this.#stack = parts.stack;
  }

  static async start(): Promise<StandInCluster> {
    await using starting = new AsyncDisposableStack();
    const access = starting.use(new AccessFolder());
    const server = starting.use(await StandInApiServer.start());
    const lab = starting.use(await createLab());
    const plane = new StandInControlPlane(server, { token, lab });
    server.store.set('ServiceCIDR', rawServiceCidr);
    for (const node of nodes) server.store.set('Node', nodeObject(node));
    const tls = access.authority.sign('server');
    const listen = async (at: { readonly port?: number; readonly path?: string }) => {
      const listener = https.createServer(tls, (request, response) => {
        void plane.serve(request, response);
      });
      starting.defer(async () => {
        listener.closeAllConnections();
        listener.close();
        await once(listener, 'close');
      });
      listener.listen('path' in at ? at : { ...at, host: '127.0.0.1' });
      await once(listener, 'listening');
      return listener;
    };
    const { port } = (await listen({ port: 0 })).address() as AddressInfo;
    // A node's namespace has no way to this machine's, but both see its files.
    const socket = access.path('api-server');
    await listen({ path: socket });
    for (const { host } of nodes) starting.use(await relay(lab.namespace(host), socket));
    const kubeconfig = access.kubeconfig(`https://127.0.0.1:${port}`, { user: { token } });
    return new StandInCluster({ plane, kubeconfig, access, lab, stack: starting.move() });
  }

  /** Starts Sluice from the sources on both nodes. */
  startSluice(flags: readonly string[] = []): readonly SluiceProcess[] {
    return nodes.map(({ host, nodeName }) => {
      const file = join(this.folder, `${host}-before.json`);
      const named = ['--hostname-override', nodeName, '--before-file', file];
      const access = ['--kubeconfig', this.#nodeKubeconfig];
      return this.startOn(host, [
        sluiceFile,
        'run',
        ...access,
        ...named,
        ...leavesHostAlone,
        ...flags,
      ]);
    });
  }

  /** Starts a program that logs as Sluice does on one node. */
  startOn(host: LabNode['host'], command: readonly string[]): SluiceProcess {
    const namespace = this.#lab.namespace(host);
    const sluice = new SluiceProcess('ip', ['netns', 'exec', namespace, ...command]);
    this.#stack.defer(() => sluice.stop());
    return sluice;
  }

  /** What a pod's service account would have. */
  get serviceAccount(): { readonly token: string; readonly authority: string } {
    return { token, authority: readFileSync(this.#access.authority.file, 'utf8') };
  }

  /** A folder that goes with the cluster. */
  get folder(): string {
    return this.#access.authority.folder;
  }

  /** Runs a program on a node to its end. */
  exec(host: LabNode['host'], command: readonly [file: string, ...args: string[]]) {
    return this.#lab.exec(host, command);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#stack.disposeAsync();
  }
}

/** Passes connections in a namespace on to a socket in the file system. */
async function relay(namespace: string, socket: string): Promise<AsyncDisposable> {
  const from = `TCP-LISTEN:${relayPort},bind=127.0.0.1,fork,reuseaddr`;
  const args = ['netns', 'exec', namespace, 'socat', '-d', '-d', from, `UNIX-CONNECT:${socket}`];
  const child = execa('ip', args, { reject: false, buffer: false, stdin: 'ignore' });
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  child.stderr.on('data', (chunk: Buffer) => {
    if (chunk.toString().includes('listening on')) resolve();
  });
  void child.then(() => reject(new Error('socat has ended')));
  await promise;
  return {
    async [Symbol.asyncDispose]() {
      child.kill('SIGTERM');
      await child;
    },
  };
}

function nodeObject({ nodeName, zone, lan, podRange }: LabNode) {
  const podCIDRs = [podRange.ipv4, podRange.ipv6];
  return {
    metadata: { name: nodeName, labels: { 'topology.kubernetes.io/zone': zone } },
    spec: { podCIDR: podRange.ipv4, podCIDRs },
    status: {
      addresses: [lan.ipv4, lan.ipv6].map((address) => ({ type: 'InternalIP', address })),
    },
  };
}

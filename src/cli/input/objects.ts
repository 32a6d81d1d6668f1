// Where `sluice explain` gets its objects from: manifests, a running daemon, or the API server; and what
// goes with them: the configuration, and the addresses of the node that is asked about.
import type { Aside } from '../../cluster/decode/aside.ts';
import type { Listed } from '../../cluster/list-once.ts';
import { listCluster, listManifests } from '../../cluster/list-once.ts';
import { printable } from '../../cluster/problem.ts';
import { UsageError } from '../../errors.ts';
import { hostAddresses } from '../../host/network/interfaces.ts';
import type { Config } from '../../model/config.ts';
import type { Ip } from '../../model/ip.ts';
import { parseIp } from '../../model/ip.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { DebugObjects } from '../../serve/debug-objects.ts';
import { debugObjectsPath, debugObjectsVersion } from '../../serve/debug-objects.ts';
import { askDaemon } from './ask-daemon.ts';
import type { Io } from '../io.ts';

/** What questions are answered from. */
export type Loaded = {
  readonly objects: readonly ClusterObject[];
  readonly asides: readonly Aside[];
  readonly config: Config;
  /** All addresses on the interfaces of the node that is asked about. */
  readonly hostIps: readonly Ip[];
};

/** What names the source. */
export type ExplainSource = {
  readonly config: Config;
  readonly manifests: string | undefined;
  /** The address of a daemon's metrics server. */
  readonly daemon: string | undefined;
};

/** Loads all of it once; what is wrong with single objects goes to standard error. */
export async function loadForExplain(source: ExplainSource, io: Io): Promise<Loaded> {
  const { config, manifests, daemon } = source;
  if (daemon !== undefined) {
    if (manifests !== undefined) throw new UsageError('--manifests and --daemon: name one of them');
    return loadFromDaemon(daemon, io.signal);
  }
  const listed = await list(source, io);
  for (const line of listed.problems) io.stderr.write(`${line}\n`);
  const { objects, asides } = listed;
  return { objects, asides, config, hostIps: addressesOf(objects, config, io) };
}

async function list({ config, manifests }: ExplainSource, io: Io): Promise<Listed> {
  if (manifests !== undefined) return listManifests(manifests, { stdin: io.stdin });
  // Loaded only where it is used: signing in takes a library that is larger than all of Sluice.
  const { ApiConnection } = await import('../../cluster/api/connection/connection.ts');
  const { kubeconfig, master } = config.clientConnection;
  const connection = await ApiConnection.open({ kubeconfig, master });
  try {
    return await listCluster(connection, { nodeName: config.nodeName, signal: io.signal });
  } finally {
    connection.close();
  }
}

const loopback = ['127.0.0.1', '::1'].flatMap((ip) => parseIp(ip) ?? []);

// Asked on the node itself, the interfaces show it; anywhere else, its Node object has to do.
function addressesOf(
  objects: readonly ClusterObject[],
  { nodeName }: Config,
  io: Io,
): readonly Ip[] {
  const here = hostAddresses();
  const own = objects.flatMap(({ kind, id, value }) =>
    kind === 'Node' && id === nodeName ? value.ips : [],
  );
  if (own.length === 0 || own.some((ip) => here.includes(ip))) return here;
  const ips = own.join(', ');
  io.stderr.write(
    printable(`note: this is not node ${nodeName}: its addresses are taken to be ${ips}`) + '\n',
  );
  return [...own, ...loopback];
}

async function loadFromDaemon(daemon: string, signal: AbortSignal): Promise<Loaded> {
  const question = { daemon, path: debugObjectsPath, signal };
  const { config, hostIps, objects } = await askDaemon(question, isDebugObjects);
  return { config, hostIps, objects, asides: [] };
}

function isDebugObjects(body: unknown): body is DebugObjects {
  if (typeof body !== 'object' || body === null) return false;
  const { version, config, hostIps, objects } = body as Partial<
    Record<keyof DebugObjects, unknown>
  >;
  const isWhole = typeof config === 'object' && config !== null;
  return (
    version === debugObjectsVersion && isWhole && Array.isArray(hostIps) && Array.isArray(objects)
  );
}

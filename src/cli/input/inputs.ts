// What a command works from: the objects of manifests, of a running daemon or of the API server; and what goes
// with them: the configuration, and the addresses of the node that is asked about.
import type { Aside } from '../../cluster/decode/aside.ts';
import { noNodeText } from '../../cluster/doubts/no-node.ts';
import type { Listed } from '../../cluster/list-once.ts';
import { listCluster, listManifests } from '../../cluster/list-once.ts';
import { printable } from '../../cluster/problem.ts';
import { configOver, differingFields } from '../../config/config-over.ts';
import { ClusterAccessError } from '../../errors.ts';
import { hostAddresses } from '../../host/network/interfaces.ts';
import type { Config } from '../../model/config.ts';
import type { Ip } from '../../model/ip.ts';
import { parseIp } from '../../model/ip.ts';
import type { ClusterObject } from '../../model/kubernetes.ts';
import type { FlagValues } from '../arguments/flags.ts';
import { configOf, type Call } from '../commands/command.ts';
import type { Io } from '../io.ts';
import { listed as enumerated } from '../report/change-words.ts';
import type { Daemon } from './daemon.ts';
import { daemonAt, daemonHere } from './daemon.ts';

/** What questions are answered from. */
export type Inputs = {
  readonly objects: readonly ClusterObject[];
  readonly asides: readonly Aside[];
  readonly config: Config;
  /** All addresses on the interfaces of the node that is asked about. */
  readonly hostIps: readonly Ip[];
  /** How many faults keep an object, or something of one, from being used. */
  readonly faults: number;
};

/** A call that says where the objects come from. */
type InputCall = Call<Pick<FlagValues, 'manifests' | 'daemon'>>;

/** How it is loaded. */
type Loading = {
  readonly readsKernel: boolean;
  /** Says what there is to say of the configuration, too. */
  readonly loadConfig?: (call: InputCall) => Promise<Config>;
};

/**
 * Loads all of it once. The daemon that --daemon names, or that runs on this node, says how it is configured, unless
 * --config does; flags that are given go before it. The objects are those of --manifests or --kubeconfig, else the
 * daemon's, else the cluster's. What is wrong with single objects, or with the node's name, goes to standard error.
 * What is held against the rules of this host is made for the addresses of this host.
 */
export async function loadInputs(
  call: InputCall,
  { readsKernel, loadConfig = configOf }: Loading,
): Promise<Inputs> {
  const { values, io } = call;
  const { config, daemon } = await configured(call, loadConfig);
  const { objects, asides, problems, faults } = namesObjects(call)
    ? await list(config, values.manifests, io)
    : daemon === undefined
      ? await list(config, undefined, io).catch(withoutSource)
      : { objects: daemon.objects, asides: [], problems: [], faults: 0 };
  for (const line of problems) io.stderr.write(`${line}\n`);
  noteNode(objects, config, io);
  const isDaemons = daemon !== undefined && daemon.config.nodeName === config.nodeName;
  if (isDaemons) return { objects, asides, config, hostIps: daemon.hostIps, faults };
  const hostIps = readsKernel ? hostAddresses() : addressesOf(objects, config, io);
  return { objects, asides, config, hostIps, faults };
}

/** The objects of manifests alone. */
export async function loadManifests(
  path: string,
  config: Config,
  io: Io,
): Promise<readonly ClusterObject[]> {
  const { objects, problems } = await listManifests(path, { stdin: io.stdin });
  for (const line of problems) io.stderr.write(`${line}\n`);
  noteNode(objects, config, io);
  return objects;
}

function noteNode(objects: readonly ClusterObject[], { nodeName }: Config, io: Io): void {
  const text = noNodeText(objects, nodeName);
  if (text !== '') io.stderr.write(`note: ${text}\n`);
}

function namesObjects({ values, line }: InputCall): boolean {
  return values.manifests !== undefined || line.given.has('kubeconfig') || line.given.has('master');
}

type Configured = { readonly config: Config; readonly daemon: Daemon | undefined };

async function configured(
  call: InputCall,
  loadConfig: (call: InputCall) => Promise<Config>,
): Promise<Configured> {
  const { values, line, io } = call;
  if (values.daemon !== undefined) {
    const daemon = await daemonAt(values.daemon, io);
    return { config: configOver(daemon.config, line), daemon };
  }
  const own = await loadConfig(call);
  const daemon = await daemonHere(own, io);
  if (daemon === undefined) return { config: own, daemon };
  const isFromFile = line.given.has('config');
  const config = isFromFile ? own : configOver(daemon.config, line);
  const what = namesObjects(call) ? 'configuration' : 'configuration and objects';
  if (!isFromFile) io.stderr.write(`note: ${what} of the daemon at ${daemon.at}\n`);
  else io.stderr.write(otherConfigText(own, daemon));
  return { config, daemon };
}

function otherConfigText(own: Config, { config, at }: Daemon): string {
  const fields = differingFields(own, config);
  if (fields.length === 0) return '';
  return `note: the daemon at ${at} runs with other values of ${enumerated(fields)}\n`;
}

// Whoever names no source is told of all that there are.
function withoutSource(error: unknown): never {
  if (!(error instanceof ClusterAccessError)) throw error;
  const others = 'no --manifests is given, and no daemon answers on this node';
  throw new ClusterAccessError(`${others}; ${error.message}`, { cause: error });
}

async function list(config: Config, manifests: string | undefined, io: Io): Promise<Listed> {
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

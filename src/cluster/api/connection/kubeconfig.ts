// Where the API server is and who we are: a kubeconfig file or a pod's service account in, a KubeConfig
// of the client library out, with what it leaves undone done.
import { open, readFile } from 'node:fs/promises';
import { dirname, isAbsolute, join } from 'node:path';
import type { Cluster, KubeConfig, User } from '@kubernetes/client-node';
import { load } from 'js-yaml';
import { ClusterAccessError } from '../../../errors.ts';
import { printable } from '../../problem.ts';

/** What leads to the API server; with neither, the pod's service account. */
export type ClusterAccess = {
  /** A kubeconfig file. */
  readonly kubeconfig?: string | undefined;
  /** The address to use in place of the one that is configured, such as `https://10.0.0.1:6443`. */
  readonly master?: string | undefined;
  /** What stands before `/var/run/secrets/kubernetes.io/serviceaccount`; for tests. */
  readonly serviceAccountRoot?: string;
};

/** A KubeConfig that can be signed in with. */
export type LoadedConfig = {
  readonly config: KubeConfig;
  readonly cluster: Cluster;
  /** The file of the bearer token, which the library would read seldom or not at all. */
  readonly tokenFile: string | undefined;
};

/** Loads what `access` names; throws ClusterAccessError where that leads nowhere. */
export async function loadKubeconfig(access: ClusterAccess): Promise<LoadedConfig> {
  // Loaded only here: the library is large, and manifests need none of it.
  const { KubeConfig } = await import('./client-library.ts');
  const config = new KubeConfig();
  const tokenFile =
    access.kubeconfig === undefined
      ? await loadServiceAccount(config, access)
      : await loadFile(config, access.kubeconfig);
  const cluster = config.getCurrentCluster();
  if (!cluster) {
    throw new ClusterAccessError(`${sourceOf(access)}: current-context leads to no cluster`);
  }
  const server = withScheme(access.master ?? cluster.server, config);
  Object.assign(cluster, { server });
  if (!URL.canParse(cluster.server) || !/^https?:/.test(cluster.server)) {
    throw new ClusterAccessError(`${printable(cluster.server)} is not the address of a server`);
  }
  // The library refuses to go without TLS unless it is set not to check it.
  if (cluster.server.startsWith('http:')) Object.assign(cluster, { skipTLSVerify: true });
  return { config, cluster, tokenFile };
}

// As client-go completes an address: where certificates are given, or not to be checked, TLS is meant.
function withScheme(server: string, config: KubeConfig): string {
  if (/^[a-z][-+.a-z\d]*:\/\//i.test(server)) return server;
  const { caFile, caData, skipTLSVerify } = config.getCurrentCluster() ?? {};
  const { certFile, certData } = config.getCurrentUser() ?? {};
  const isTls = Boolean(caFile || caData || skipTLSVerify || certFile || certData);
  return `${isTls ? 'https' : 'http'}://${server}`;
}

/** Reads a kubeconfig; returns the file of the current user's token. */
async function loadFile(config: KubeConfig, path: string): Promise<string | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
    config.loadFromString(text);
  } catch (error) {
    const why = printable((error as Error).message.split('\n')[0] ?? '');
    throw new ClusterAccessError(`${printable(path)}: ${why}`, { cause: error });
  }
  const folder = dirname(path);
  config.makePathsAbsolute(folder);
  const user = config.getCurrentUser();
  if (user?.exec) completeExec(user, folder, config.getCurrentCluster());
  return tokenFileOf(text, user, folder);
}

/** `users[].user.tokenFile`, which the library does not know. */
function tokenFileOf(text: string, user: User | null, folder: string): string | undefined {
  type Users = readonly {
    readonly name?: string;
    readonly user?: { readonly tokenFile?: string };
  }[];
  const { users } = load(text) as { readonly users?: Users };
  const path = users?.find(({ name }) => name === user?.name)?.user?.tokenFile;
  if (typeof path !== 'string' || path === '') return undefined;
  return isAbsolute(path) ? path : join(folder, path);
}

// What client-go does for a plugin: a command with a slash is found beside the kubeconfig, and the plugin
// is informed that nobody is there to type, and which cluster it is for.
function completeExec(user: User, folder: string, cluster: Cluster | null): void {
  const { exec } = user;
  if (exec.command?.includes('/') && !isAbsolute(exec.command)) {
    exec.command = join(folder, exec.command);
  }
  const about = {
    apiVersion: exec.apiVersion ?? 'client.authentication.k8s.io/v1',
    kind: 'ExecCredential',
    spec: {
      interactive: false,
      ...(exec.provideClusterInfo === true && cluster ? { cluster: execCluster(cluster) } : {}),
    },
  };
  exec.env = [...(exec.env ?? []), { name: 'KUBERNETES_EXEC_INFO', value: JSON.stringify(about) }];
}

function execCluster({ server, caData, tlsServerName, skipTLSVerify }: Cluster): object {
  return {
    server,
    'certificate-authority-data': caData,
    'tls-server-name': tlsServerName,
    'insecure-skip-tls-verify': skipTLSVerify,
  };
}

/** Becomes the pod's service account, where there is one; returns the file of its token. */
async function loadServiceAccount(
  config: KubeConfig,
  { master, serviceAccountRoot = '' }: ClusterAccess,
): Promise<string | undefined> {
  config.loadFromCluster(serviceAccountRoot);
  const user = config.getCurrentUser();
  const provider = user?.authProvider as { readonly config: { readonly tokenFile: string } };
  const { tokenFile } = provider.config;
  const isInPod = await isReadable(tokenFile);
  // A token must not leave the node unencrypted.
  if (master !== undefined && (!isInPod || master.startsWith('http:'))) {
    config.loadFromClusterAndUser({ name: 'master', server: master, skipTLSVerify: false }, nobody);
    return undefined;
  }
  // The library writes the two variables of the environment as it finds them.
  const hasServer = config.getCurrentCluster()?.server.includes('undefined') === false;
  if (master === undefined && !(isInPod && hasServer)) {
    throw new ClusterAccessError(
      'no --kubeconfig or --master is given, and this is no pod: it has no' +
        (isInPod ? ' KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT' : ` ${tokenFile}`),
    );
  }
  // The token is read by us.
  Object.assign(user ?? {}, { authProvider: undefined });
  return tokenFile;
}

const nobody = { name: 'nobody' };

async function isReadable(path: string): Promise<boolean> {
  return open(path, 'r').then(
    async (file) => {
      await file.close();
      return true;
    },
    () => false,
  );
}

function sourceOf({ kubeconfig }: ClusterAccess): string {
  return printable(kubeconfig ?? 'the service account');
}

// The container of manifests/sluice.yaml without a container runtime: its arguments, environment, mounts
// and capabilities, on a read-only root, with /proc/sys read-only, as containerd makes it. Only the seccomp
// profile is not here. In: an image, and what a kubelet would know. Out: a command for `ip netns exec`.
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { Image } from './image.ts';

const project = resolve(import.meta.dirname, '../..');

/** An object of a manifest. */
export type ManifestObject = {
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
  readonly [field: string]: unknown;
};

type ConfigMap = ManifestObject & { readonly data: Readonly<Record<string, string>> };

type KeyReference = { readonly name: string; readonly key: string };

type HttpProbe = {
  readonly httpGet: { readonly path: string; readonly port: string };
  readonly initialDelaySeconds?: number;
  readonly periodSeconds: number;
  readonly failureThreshold: number;
};

export type Container = {
  readonly image: string;
  readonly args: readonly string[];
  readonly env: readonly {
    readonly name: string;
    readonly valueFrom: {
      readonly fieldRef?: { readonly fieldPath: string };
      readonly configMapKeyRef?: KeyReference;
    };
  }[];
  readonly securityContext: {
    readonly allowPrivilegeEscalation: boolean;
    readonly readOnlyRootFilesystem: boolean;
    readonly capabilities: { readonly drop: readonly string[]; readonly add: readonly string[] };
  };
  readonly startupProbe: HttpProbe;
  readonly livenessProbe: HttpProbe;
  readonly volumeMounts: readonly {
    readonly name: string;
    readonly mountPath: string;
    readonly readOnly?: boolean;
  }[];
};

type Volume = { readonly name: string } & Readonly<Record<string, unknown>>;

export type DaemonSet = ManifestObject & {
  readonly spec: {
    readonly template: {
      readonly spec: {
        readonly containers: readonly [Container];
        readonly volumes: readonly Volume[];
      };
    };
  };
};

/** What the kubelet knows about one pod. */
export type PodContext = {
  readonly image: Image;
  /** An empty folder for what this container keeps. */
  readonly folder: string;
  readonly node: string;
  readonly nodeName: string;
  readonly apiServer: Readonly<Record<string, string>>;
  readonly serviceAccount: { readonly token: string; readonly authority: string };
};

/** All objects of a manifest of the project. */
export async function readManifest(path: string): Promise<readonly ManifestObject[]> {
  const text = await readFile(join(project, path), 'utf8');
  return parseAllDocuments(text).map((document) => {
    if (document.errors.length > 0) throw document.errors[0] as Error;
    return document.toJS() as ManifestObject;
  });
}

/** The command that becomes the container. */
export async function containerCommand(context: PodContext): Promise<readonly string[]> {
  const objects = await readManifest('manifests/sluice.yaml');
  const daemonSet = objects.find(({ kind }) => kind === 'DaemonSet') as DaemonSet;
  const { containers, volumes } = daemonSet.spec.template.spec;
  const [container] = containers;
  const { folder, image } = context;
  await mkdir(join(folder, 'root'), { recursive: true });
  const binds = [
    ...(await tokenBinds(context)),
    ...(await volumeBinds(container, { volumes, objects, folder })),
  ];
  const script = [...mountLines(context), ...binds, ...readOnlyLines].join('\n');
  const { capabilities } = container.securityContext;
  const kept = capabilities.add.map((name) => `,+${name.toLowerCase()}`).join('');
  const env = envOf(container, context);
  const args = container.args.map((arg) =>
    arg.replaceAll(/\$\((\w+)\)/g, (_, name: string) => env[name] ?? ''),
  );
  const path = 'PATH=/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';
  const variables = [path, ...Object.entries(env).map(([name, value]) => `${name}=${value}`)];
  const confined = ['setpriv', `--bounding-set=-all${kept}`, '--inh-caps=-all', '--no-new-privs'];
  const inside = ['chroot', join(folder, 'root'), 'env', '-i', ...variables];
  const become = [...inside, ...confined, ...image.entrypoint, ...args];
  return ['sh', '-c', `set -e\nroot=$1\nshift\n${script}\nexec "$@"`, 'sh', folder, ...become];
}

// The machine's own root stands for the base image, whose packages it has, under a layer of its own where
// the mount points are made.
function mountLines({ image, node }: PodContext): readonly string[] {
  return [
    'mount -t tmpfs tmpfs "$root/root"',
    'layer="$root/layer"; mkdir -p "$layer"; mount -t tmpfs tmpfs "$layer"',
    'mkdir "$layer/upper" "$layer/work"',
    'mount -t overlay overlay -o "lowerdir=/,upperdir=$layer/upper,workdir=$layer/work" "$root/root"',
    'root="$root/root"',
    'for each in proc sys dev; do mount --rbind "/$each" "$root/$each"; done',
    'mount -t tmpfs tmpfs "$root/run"; mount -t tmpfs tmpfs "$root/tmp"',
    ...bindLines(join(image.root, 'opt'), '/opt'),
    ...bindLines(node, '/usr/local/bin/node'),
  ];
}

const readOnlyLines = [
  'mount --bind "$root/proc/sys" "$root/proc/sys"',
  'mount -o remount,ro,bind "$root/proc/sys"',
  'mount -o remount,ro "$root/run"',
  'mount -o remount,ro "$root"',
];

function bindLines(from: string, to: string, isReadOnly = true): readonly string[] {
  const at = `"$root${to}"`;
  return [
    `if [ -d '${from}' ]; then mkdir -p ${at}; else mkdir -p "$(dirname ${at})"; touch ${at}; fi`,
    `mount --bind '${from}' ${at}`,
    ...(isReadOnly ? [`mount -o remount,ro,bind ${at}`] : []),
  ];
}

async function tokenBinds({ folder, serviceAccount }: PodContext): Promise<readonly string[]> {
  const from = join(folder, 'service-account');
  await mkdir(from, { recursive: true });
  await writeFile(join(from, 'token'), serviceAccount.token);
  await writeFile(join(from, 'ca.crt'), serviceAccount.authority);
  await writeFile(join(from, 'namespace'), 'kube-system');
  return bindLines(from, '/run/secrets/kubernetes.io/serviceaccount');
}

async function volumeBinds(
  { volumeMounts }: Container,
  context: {
    readonly volumes: readonly Volume[];
    readonly objects: readonly ManifestObject[];
    readonly folder: string;
  },
): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const { name, mountPath, readOnly = false } of volumeMounts) {
    const volume = context.volumes.find((each) => each.name === name);
    if (volume === undefined) throw new Error(`there is no volume ${name}`);
    const from = await volumeFolder(volume, context);
    lines.push(...bindLines(from, mountPath, readOnly));
  }
  return lines;
}

/** What stands for a volume; a host's path is one of the test's own. */
async function volumeFolder(
  volume: Volume,
  { objects, folder }: { readonly objects: readonly ManifestObject[]; readonly folder: string },
): Promise<string> {
  const path = join(folder, `volume-${volume.name}`);
  const { type = '' } = (volume['hostPath'] ?? {}) as { readonly type?: string };
  if (type.startsWith('File')) {
    await writeFile(path, '');
    return path;
  }
  await mkdir(path, { recursive: true });
  const { name } = (volume['configMap'] ?? {}) as { readonly name?: string };
  const config = objects.find((each) => each.kind === 'ConfigMap' && each.metadata.name === name);
  for (const [file, text] of Object.entries((config as ConfigMap | undefined)?.data ?? {})) {
    await writeFile(join(path, file), text);
  }
  return path;
}

function envOf({ env }: Container, { nodeName, apiServer }: PodContext) {
  const values = env.map(({ name, valueFrom: { fieldRef, configMapKeyRef } }) => {
    if (fieldRef?.fieldPath === 'spec.nodeName') return [name, nodeName] as const;
    return [name, apiServer[configMapKeyRef?.key ?? ''] ?? ''] as const;
  });
  return Object.fromEntries(values) as Readonly<Record<string, string>>;
}

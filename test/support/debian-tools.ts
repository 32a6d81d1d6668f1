// The nft and iptables of other Debian releases than this machine's: a small root folder for each release,
// made from its packages and kept between runs. Out: a folder of wrappers, to be put first on PATH. Needs
// root, and at the first run the machine's Debian mirror.
import { access, chmod, mkdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { debianMirror, mmdebstrapOptions } from './debian-mirror.ts';
import { keptFolder } from './kept-folder.ts';

// Oldest first.
const releases = ['bullseye', 'bookworm', 'trixie', 'sid'] as const;
export type Release = (typeof releases)[number];

const recipe = [...mmdebstrapOptions, '--variant=extract', '--include=nftables,iptables'];
const buildTimeoutMs = 5 * 60_000;

const iptables = ['iptables', 'ip6tables'];
const variants = ['', '-nft', '-legacy'];
const forms = ['', '-save', '-restore'];
const tools = [
  'nft',
  ...iptables.flatMap((tool) =>
    variants.flatMap((variant) => forms.map((form) => `${tool}${variant}${form}`)),
  ),
];

// The links of all tools lead here. Legacy iptables needs the host's /proc and the lock in /run; an nft
// that reads JSON opens /dev/stdin. The mounts are seen, and end, with the tool alone.
const wrapper = `#!/bin/sh
export PATH="$PATH:/usr/sbin:/sbin"
exec unshare --mount sh -c '
  for folder in dev proc run; do mount --rbind "/$folder" "$0/$folder" || exit; done
  exec chroot "$0" "$@"
' "\${0%/*}/../root" "/usr/sbin/\${0##*/}" "$@"
`;

/** The folder of one release's tools; made by the first call on a machine, found by later ones. */
export async function debianTools(release: Release): Promise<string> {
  const folder = await keptFolder({
    // That of sid holds the sid of the day it was made.
    name: `debian-${release}`,
    from: [...recipe, wrapper, ...tools],
    make: (made) => makeTools(release, made),
  });
  return join(folder, 'path');
}

/** A release's tools, and the version that one of them names, such as `1.0.6`. */
export type Found = { readonly release: Release; readonly path: string; readonly version: string };

/** Every release with the version of this tool, oldest first. */
export function everyDebian(tool: 'nft' | 'iptables'): Promise<readonly Found[]> {
  return Promise.all(
    releases.map(async (release) => {
      const path = await debianTools(release);
      const { stdout } = await execOnHost(join(path, tool), ['--version']);
      const version = /v(\d+\.\d+\.\d+)/.exec(stdout)?.[1];
      if (version === undefined) throw new Error(`${tool} --version printed ${stdout}`);
      return { release, path, version };
    }),
  );
}

async function makeTools(release: Release, made: string): Promise<void> {
  const root = join(made, 'root');
  const args = [...recipe, release, root, await debianMirror('debian')];
  await execOnHost('mmdebstrap', args, { timeoutMs: buildTimeoutMs });
  await complete(root);
  await writeWrappers(join(made, 'path'));
}

/** Makes what the packages' scripts, which are not run, and base-files make on a whole system. */
async function complete(root: string): Promise<void> {
  for (const folder of ['dev', 'proc', 'run']) await mkdir(join(root, folder), { recursive: true });
  // From Debian 13 on packages hold these folders under /usr alone.
  for (const folder of ['bin', 'sbin', 'lib', 'lib64']) {
    const link = join(root, folder);
    if (!(await exists(link))) await symlink(`usr/${folder}`, link);
  }
  for (const tool of iptables) {
    for (const form of forms) {
      await symlink(`${tool}-nft${form}`, join(root, 'usr/sbin', `${tool}${form}`));
    }
  }
}

async function writeWrappers(folder: string): Promise<void> {
  await mkdir(folder);
  const file = join(folder, '.in-root');
  await writeFile(file, wrapper);
  await chmod(file, 0o755);
  await Promise.all(tools.map((tool) => symlink('.in-root', join(folder, tool))));
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

// What a virtual machine boots from, made from Debian's packages and kept in the user's cache. Needs root,
// and at the first run the machine's Debian mirror.
import { copyFile, readFile, realpath, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { execOnHost } from '../../src/host/tools/exec.ts';
import { debianMirror, mmdebstrapOptions } from '../support/debian-mirror.ts';
import { keptFolder } from '../support/kept-folder.ts';
import type { Guest } from './guests.ts';

/** Paths of files. */
export type Image = {
  readonly kernel: string;
  readonly initrd: string;
  /** An ext4 file system with a Debian root and the kernel's modules. */
  readonly root: string;
};

const kernelScript = fileURLToPath(new URL('guest/kernel.sh', import.meta.url));
// What the tests of the project start, and what the kernel's script needs.
const packages = [
  ['nftables', 'iptables', 'ipset', 'conntrack', 'iproute2', 'procps', 'ethtool'],
  ['curl', 'socat', 'mmdebstrap', 'perl', 'openssl', 'ca-certificates'],
  ['busybox-static', 'kmod', 'xz-utils'],
].flat();
const recipe = [
  ...mmdebstrapOptions,
  '--variant=minbase',
  '--format=directory',
  `--include=${packages.join(',')}`,
];
const buildTimeoutMs = 10 * 60_000;
// Sparse: what is not written to takes no space.
const size = '3G';

/** The image of a guest; the first call on a machine makes it, later ones find it. */
export async function guestImage(guest: Guest): Promise<Image> {
  const script = await readFile(kernelScript, 'utf8');
  const folder = await keptFolder({
    name: `kernel-${guest.name}`,
    from: [...recipe, JSON.stringify(guest), script],
    make: (made) => makeImage(guest, made),
  });
  return {
    kernel: join(folder, 'vmlinuz'),
    initrd: join(folder, 'initrd'),
    root: join(folder, 'root.ext4'),
  };
}

async function makeImage(guest: Guest, made: string): Promise<void> {
  const root = join(made, 'root');
  const hook = `--customize-hook=chroot "$1" sh -s '${guest.kernel}' <'${kernelScript}'`;
  const args = [...recipe, hook, guest.release, root, ...(await sources(guest))];
  await execOnHost('mmdebstrap', args, { timeoutMs: buildTimeoutMs });
  for (const file of ['vmlinuz', 'initrd']) {
    await copyFile(join(root, 'boot', file), join(made, file));
  }
  await makeFileSystem(root, join(made, 'root.ext4'));
  await rm(root, { recursive: true });
}

async function sources({ release, kernelSource }: Guest): Promise<readonly string[]> {
  const own = `deb ${await debianMirror('debian')} ${release} main`;
  if (kernelSource === undefined) return [own];
  const { archive, suite } = kernelSource;
  return [own, `deb ${await debianMirror(archive)} ${suite} main`];
}

/** A file system with the packages that npm has installed. */
export async function nodeModulesImage(): Promise<string> {
  const folder = await realpath('node_modules');
  const name = 'node-modules.ext4';
  // npm's own list of what is there.
  const installed = await readFile(join(folder, '.package-lock.json'), 'utf8');
  const kept = await keptFolder({
    name: 'kernel-node-modules',
    from: [installed],
    make: (made) => makeFileSystem(folder, join(made, name)),
  });
  return join(kept, name);
}

async function makeFileSystem(folder: string, file: string): Promise<void> {
  const timeoutMs = buildTimeoutMs;
  await execOnHost('/sbin/mkfs.ext4', ['-q', '-d', folder, file, size], { timeoutMs });
}

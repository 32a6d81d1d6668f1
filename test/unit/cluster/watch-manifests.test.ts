import { once } from 'node:events';
import { mkdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { describeProblem, type Manifests } from '../../../src/cluster/manifests.ts';
import { watchManifests } from '../../../src/cluster/watch-manifests.ts';
import { ManifestError } from '../../../src/errors.ts';
import { folderWith, serviceYaml } from './folder.ts';

/** Follows a path for as long as a test runs; `next` is the next reading that is told. */
function follow(path: string) {
  const told: Manifests[] = [];
  const arrivals = new EventTarget();
  const end = new AbortController();
  const ended = watchManifests(path, {
    signal: end.signal,
    onRead: (manifests) => {
      told.push(manifests);
      arrivals.dispatchEvent(new Event('arrival'));
    },
  });
  onTestFinished(async () => {
    end.abort();
    await ended.catch(() => undefined);
  });
  const next = async (): Promise<string[]> => {
    if (told.length === 0) await once(arrivals, 'arrival');
    return summary(told.shift());
  };
  return { next, end, ended, told };
}

/** `name address` of each Service, then the problems without the folder. */
function summary(manifests: Manifests | undefined): string[] {
  const services = [...(manifests?.objects.values() ?? [])].map(({ id, value }) =>
    'clusterIps' in value ? `${id} ${value.clusterIps.join()}` : id,
  );
  const problems = manifests?.problems ?? [];
  return [
    ...services,
    ...problems.map((problem) => describeProblem(problem).replace(/^\S*\//, '')),
  ];
}

const [one, two, three] = ['10.96.0.1', '10.96.0.2', '10.96.0.3'] as const;
const notAnAddress = 'm.yaml:6: Service default/a: spec.clusterIP: "x" is not an IP address';

test('a file that is written in place, replaced by rename, removed and made anew is followed', async () => {
  const folder = folderWith({ 'm.yaml': serviceYaml('a', one) });
  const path = join(folder, 'm.yaml');
  const { next } = follow(path);
  expect(await next()).toEqual([`default/a ${one}`]);
  writeFileSync(path, serviceYaml('a', two));
  expect(await next()).toEqual([`default/a ${two}`]);
  writeFileSync(join(folder, 'new'), serviceYaml('a', three));
  renameSync(join(folder, 'new'), path);
  expect(await next()).toEqual([`default/a ${three}`]);
  rmSync(path);
  expect(await next()).toEqual([`default/a ${three}`, 'm.yaml:1: no such file or folder']);
  writeFileSync(path, serviceYaml('b', one));
  expect(await next()).toEqual([`default/b ${one}`]);
});

test('the last good version stays through bad ones, broken ones and an empty file', async () => {
  const folder = folderWith({ 'm.yaml': serviceYaml('a', one) });
  const path = join(folder, 'm.yaml');
  const { next } = follow(path);
  expect(await next()).toEqual([`default/a ${one}`]);
  writeFileSync(path, serviceYaml('a', 'x'));
  expect(await next()).toEqual([`default/a ${one}`, notAnAddress]);
  writeFileSync(path, 'a: b: c');
  expect(await next()).toEqual([
    `default/a ${one}`,
    'm.yaml:1: bad indentation of a mapping entry',
  ]);
  writeFileSync(path, '');
  expect(await next()).toEqual([`default/a ${one}`, 'm.yaml:1: the file is empty']);
  writeFileSync(path, '# nothing any more\n');
  expect(await next()).toEqual([]);
});

test('of two documents, one may be bad while the other changes', async () => {
  const folder = folderWith({ 'm.yaml': `${serviceYaml('a', one)}---\n${serviceYaml('b', one)}` });
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${one}`]);
  const now = `${serviceYaml('a', 'x')}---\n${serviceYaml('b', two)}`;
  writeFileSync(join(folder, 'm.yaml'), now);
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${two}`, notAnAddress]);
});

test('files come to and leave a folder, down to none', async () => {
  const folder = folderWith({ 'a.yaml': serviceYaml('a', one) });
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`]);
  writeFileSync(join(folder, 'b.yaml'), serviceYaml('b', two));
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${two}`]);
  rmSync(join(folder, 'a.yaml'));
  expect(await next()).toEqual([`default/b ${two}`]);
  rmSync(join(folder, 'b.yaml'));
  expect(await next()).toEqual([]);
});

test('a folder that goes away keeps its objects, and is followed again once it is back', async () => {
  const parent = folderWith({});
  const folder = join(parent, 'manifests');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), serviceYaml('a', one));
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`]);
  renameSync(folder, join(parent, 'elsewhere'));
  expect(await next()).toEqual([`default/a ${one}`, 'manifests:1: no such file or folder']);
  writeFileSync(join(parent, 'elsewhere', 'a.yaml'), serviceYaml('a', two));
  renameSync(join(parent, 'elsewhere'), folder);
  expect(await next()).toEqual([`default/a ${two}`]);
});

test.each(['', 'web.yaml'])(
  'a volume of a ConfigMap is followed through its swaps: %j',
  async (name) => {
    const volume = folderWith({});
    const write = (version: string, address: string) => {
      mkdirSync(join(volume, version));
      writeFileSync(join(volume, version, 'web.yaml'), serviceYaml('web', address));
    };
    const swap = (version: string) => {
      symlinkSync(version, join(volume, '..data_tmp'));
      renameSync(join(volume, '..data_tmp'), join(volume, '..data'));
    };
    write('..v1', one);
    swap('..v1');
    symlinkSync('..data/web.yaml', join(volume, 'web.yaml'));
    const { next } = follow(join(volume, name));
    expect(await next()).toEqual([`default/web ${one}`]);
    write('..v2', two);
    swap('..v2');
    rmSync(join(volume, '..v1'), { recursive: true });
    expect(await next()).toEqual([`default/web ${two}`]);
    write('..v3', three);
    swap('..v3');
    expect(await next()).toEqual([`default/web ${three}`]);
  },
);

test('a write that changes nothing is not told', async () => {
  const folder = folderWith({ 'm.yaml': serviceYaml('a', one), 'z.yaml': serviceYaml('z', one) });
  const quiet = follow(join(folder, 'm.yaml'));
  await quiet.next();
  // The watch of another file beside it says when the events have been dealt with.
  const witness = follow(join(folder, 'z.yaml'));
  await witness.next();
  for (const address of [two, three]) {
    writeFileSync(join(folder, 'm.yaml'), serviceYaml('a', one));
    writeFileSync(join(folder, 'z.yaml'), serviceYaml('z', address));
    expect(await witness.next()).toEqual([`default/z ${address}`]);
  }
  expect(quiet.told).toEqual([]);
});

test('the first reading must succeed; abort ends the watch', async () => {
  const folder = folderWith({ 'm.yaml': serviceYaml('a', one) });
  await expect(follow(join(folder, 'no.yaml')).ended).rejects.toThrow(ManifestError);
  const { next, end, ended } = follow(folder);
  await next();
  end.abort();
  await expect(ended).resolves.toBeUndefined();
});

import { once } from 'node:events';
import { mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { FileSource } from '../../../../src/cluster/manifests/files.ts';
import { describeProblem, type Manifests } from '../../../../src/cluster/manifests/manifests.ts';
import { watchManifests } from '../../../../src/cluster/manifests/watch-manifests.ts';
import { ManifestError } from '../../../../src/errors.ts';
import { folderWith, serviceYaml } from '../folder.ts';

/** Follows a path for as long as a test runs; `next` is the next reading that is told. */
function follow(path: string, source: FileSource = {}) {
  const told: Manifests[] = [];
  const arrivals = new EventTarget();
  const end = new AbortController();
  const ended = watchManifests(path, {
    ...source,
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
  const nextTold = async (): Promise<Manifests> => {
    if (told.length === 0) await once(arrivals, 'arrival');
    return told.shift() as Manifests;
  };
  const next = async (): Promise<string[]> => summary(await nextTold());
  return { next, nextTold, end, ended, told };
}

/** `name address` of each Service, then the problems without the folder. */
function summary({ objects, problems }: Manifests): string[] {
  const services = [...objects.values()].map(({ id, value }) =>
    'clusterIps' in value ? `${id} ${value.clusterIps.join()}` : id,
  );
  return [
    ...services,
    ...problems.map((problem) => describeProblem(problem).replace(/^\S*\//, '')),
  ];
}

const [one, two, three] = ['10.96.0.1', '10.96.0.2', '10.96.0.3'] as const;
const emptied =
  'holds no Service, EndpointSlice, Node, ServiceCIDR any more; what it held before is kept';
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
  expect(await next()).toEqual([`default/a ${three}`, 'm.yaml: no such file or folder']);
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
  const slips: readonly (readonly [text: string, problem: string])[] = [
    ['# nothing any more\n', `m.yaml:1: ${emptied}`],
    ['apiVersion: v1\nkind: List\nitems: []\n', `m.yaml:1: ${emptied}`],
    [
      serviceYaml('a', two).replace('Service', 'Sevice'),
      'm.yaml:2: Service default/a: kind: "Sevice" is not known; Service may be meant',
    ],
    [serviceYaml('A_', two), 'm.yaml:4: Service "A_": metadata.name: "A_" is not a DNS label'],
  ];
  for (const [text, problem] of slips) {
    writeFileSync(path, text);
    expect(await next()).toEqual([`default/a ${one}`, problem]);
  }
  writeFileSync(path, serviceYaml('a', two));
  expect(await next()).toEqual([`default/a ${two}`]);
});

test('a link that leads to itself ends nothing: it is followed again once it leads somewhere', async () => {
  const folder = folderWith({ 'm.yaml': serviceYaml('a', one) });
  const path = join(folder, 'm.yaml');
  const { next } = follow(path);
  expect(await next()).toEqual([`default/a ${one}`]);
  symlinkSync('m.yaml', join(folder, 'link'));
  renameSync(join(folder, 'link'), path);
  expect(await next()).toEqual([`default/a ${one}`, 'm.yaml: too many symbolic links']);
  writeFileSync(join(folder, 'new'), serviceYaml('a', two));
  renameSync(join(folder, 'new'), path);
  expect(await next()).toEqual([`default/a ${two}`]);
});

test('of two documents, one may be bad while the other changes', async () => {
  const folder = folderWith({ 'm.yaml': `${serviceYaml('a', one)}---\n${serviceYaml('b', one)}` });
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${one}`]);
  const now = `${serviceYaml('a', 'x')}---\n${serviceYaml('b', two)}`;
  writeFileSync(join(folder, 'm.yaml'), now);
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${two}`, notAnAddress]);
});

test('files come to and leave a folder, but the last one is kept as it was', async () => {
  const folder = folderWith({ 'a.yaml': serviceYaml('a', one) });
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`]);
  writeFileSync(join(folder, 'b.yaml'), serviceYaml('b', two));
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${two}`]);
  rmSync(join(folder, 'a.yaml'));
  expect(await next()).toEqual([`default/b ${two}`]);
  rmSync(join(folder, 'b.yaml'));
  const refused = `${basename(folder)}: no *.yaml, *.yml or *.json in this folder`;
  expect(await next()).toEqual([`default/b ${two}`, refused]);
  writeFileSync(join(folder, 'c.yaml'), serviceYaml('c', three));
  expect(await next()).toEqual([`default/c ${three}`]);
});

test('a folder that loses all files in one go is refused, as at start', async () => {
  const folder = folderWith({ 'a.yaml': serviceYaml('a', one), 'b.yaml': serviceYaml('b', two) });
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`, `default/b ${two}`]);
  for (const name of ['a.yaml', 'b.yaml']) rmSync(join(folder, name));
  expect(await next()).toEqual([
    `default/a ${one}`,
    `default/b ${two}`,
    `${basename(folder)}: no *.yaml, *.yml or *.json in this folder`,
  ]);
});

test('of a folder of 10,000 files, a change of one reads and parses that one alone', async () => {
  const addressOf = (index: number) => `10.96.${Math.floor(index / 250)}.${(index % 250) + 1}`;
  const files = Array.from({ length: 10_000 }, (_, index) => [
    `${index}.yaml`,
    serviceYaml(`s${index}`, addressOf(index)),
  ]);
  const folder = folderWith(Object.fromEntries(files) as Record<string, string>);
  const opened: string[] = [];
  const { nextTold } = follow(folder, {
    open(file) {
      opened.push(file);
      return open(file);
    },
  });
  const before = await nextTold();
  expect(before.objects.size).toBe(10_000);
  expect(opened.splice(0).toSorted()).toEqual(
    readdirSync(folder)
      .map((name) => join(folder, name))
      .toSorted(),
  );

  const changed = join(folder, '4321.yaml');
  writeFileSync(join(folder, 'new'), serviceYaml('s4321', '10.97.0.1'));
  renameSync(join(folder, 'new'), changed);
  const after = await nextTold();
  expect(opened.splice(0)).toEqual([changed]);
  const others = [...after.objects].filter(([key, object]) => object !== before.objects.get(key));
  expect(
    others.map(([, { id, value }]) => [id, 'clusterIps' in value && value.clusterIps]),
  ).toEqual([['default/s4321', ['10.97.0.1']]]);
  expect([...after.objects.keys()]).toEqual([...before.objects.keys()]);

  const added = join(folder, '04321.yaml');
  writeFileSync(added, serviceYaml('added', '10.97.0.2'));
  rmSync(join(folder, '1.yaml'));
  const last = await nextTold();
  expect(opened).toEqual([added]);
  expect(last.objects.has('Service default/s1')).toBe(false);
  expect([...last.objects.keys()].slice(0, 3)).toEqual([
    'Service default/s0',
    'Service default/added',
    'Service default/s10',
  ]);
});

test('a file that becomes a link is followed to where it leads', async () => {
  const folder = folderWith({
    '.hidden': serviceYaml('a', two),
    'm.yaml': serviceYaml('a', one),
  });
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`]);
  symlinkSync('.hidden', join(folder, 'link'));
  renameSync(join(folder, 'link'), join(folder, 'm.yaml'));
  expect(await next()).toEqual([`default/a ${two}`]);
  writeFileSync(join(folder, '.hidden'), serviceYaml('a', three));
  expect(await next()).toEqual([`default/a ${three}`]);
});

test('a folder that goes away keeps its objects, and is followed again once it is back', async () => {
  const parent = folderWith({});
  const folder = join(parent, 'manifests');
  mkdirSync(folder);
  writeFileSync(join(folder, 'a.yaml'), serviceYaml('a', one));
  const { next } = follow(folder);
  expect(await next()).toEqual([`default/a ${one}`]);
  renameSync(folder, join(parent, 'elsewhere'));
  expect(await next()).toEqual([`default/a ${one}`, 'manifests: no such file or folder']);
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

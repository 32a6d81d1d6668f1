// The file of --config while it is followed: replaced in any way, with and without faults.
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { FieldValues } from '../../../src/config/fields.ts';
import { ConfigFollower, followConfigFile } from '../../../src/config/follow-config-file.ts';
import { configFromText } from '../../../src/config/load-config.ts';
import { header, lineFor } from './load.ts';

type Told =
  | { readonly cluster: readonly string[]; readonly changed: readonly string[] }
  | { readonly level: number; readonly msg: string };

const withCluster = (cidr: string): string => `${header}clusterCIDR: ${cidr}\n`;

async function folder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'sluice-config-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** Follows the file, as it would be followed that began with `text`; `next` is what is told next. */
function follow(file: string, text: string) {
  const told: Told[] = [];
  let wake = (): void => undefined;
  const tell = (what: Told): void => {
    told.push(what);
    wake();
  };
  const ending = new AbortController();
  const line = lineFor([], file);
  const values = configFromText(text, line).values as FieldValues;
  const write = (json: string): void => {
    const {
      level,
      file: named,
      time: _time,
      pid: _pid,
      hostname: _host,
      ...rest
    } = JSON.parse(json);
    if (named !== undefined) expect(named).toBe(file);
    tell({ level, ...rest });
  };
  const log = pino({ base: {} }, { write });
  let hangup = (): void => {};
  const ended = followConfigFile({
    line,
    values,
    signal: ending.signal,
    onHangup: (listener) => (hangup = listener),
    log,
    onConfig: ({ detectLocal }, changed) => {
      const cluster = detectLocal.mode === 'ClusterCIDR' ? detectLocal.clusterCidrs : [];
      tell({ cluster, changed });
    },
  });
  const stop = async (): Promise<void> => {
    ending.abort();
    await ended;
  };
  onTestFinished(stop);
  return {
    stop,
    hangup: () => hangup(),
    async next(count: number): Promise<readonly Told[]> {
      while (told.length < count) await new Promise<void>((resolve) => (wake = resolve));
      return told.splice(0);
    },
  };
}

const takenOver = (cidr: string): readonly Told[] => [
  { level: 30, fields: ['clusterCIDR'], msg: 'configuration taken over' } as Told,
  { cluster: [cidr], changed: ['clusterCIDR'] },
];

describe('a file is taken over', () => {
  test('that is written in place, and that changed before it was followed', async () => {
    const file = join(await folder(), 'config.conf');
    await writeFile(file, withCluster('10.1.0.0/16'));
    const following = follow(file, withCluster('10.0.0.0/16'));
    expect(await following.next(2)).toEqual(takenOver('10.1.0.0/16'));
    writeFileSync(file, withCluster('10.2.0.0/16'));
    expect(await following.next(2)).toEqual(takenOver('10.2.0.0/16'));
  });

  test('that is replaced by rename', async () => {
    const file = join(await folder(), 'config.conf');
    await writeFile(file, withCluster('10.1.0.0/16'));
    const following = follow(file, withCluster('10.1.0.0/16'));
    for (const cidr of ['10.2.0.0/16', '10.3.0.0/16']) {
      await writeFile(`${file}.new`, withCluster(cidr));
      await rename(`${file}.new`, file);
      expect(await following.next(2)).toEqual(takenOver(cidr));
    }
  });

  test('that is in a ConfigMap’s volume, whose folder is swapped by a link', async () => {
    const volume = await folder();
    const version = async (name: string, text: string): Promise<void> => {
      await mkdir(join(volume, name));
      await writeFile(join(volume, name, 'config.conf'), text);
      await symlink(name, join(volume, '..new'));
      await rename(join(volume, '..new'), join(volume, '..data'));
    };
    await version('..1', withCluster('10.1.0.0/16'));
    const file = join(volume, 'config.conf');
    await symlink('..data/config.conf', file);
    const following = follow(file, withCluster('10.1.0.0/16'));
    for (const number of [2, 3]) {
      await version(`..${number}`, withCluster(`10.${number}.0.0/16`));
      await rm(join(volume, `..${number - 1}`), { recursive: true });
      expect(await following.next(2)).toEqual(takenOver(`10.${number}.0.0/16`));
    }
  });
});

describe('a file with faults', () => {
  const bad = `${header}clusterCIDR: x\noomScoreAdj: 5000\n`;

  test('is refused with all of them, and the old one stays', async () => {
    const file = join(await folder(), 'config.conf');
    await writeFile(file, withCluster('10.1.0.0/16'));
    const following = follow(file, withCluster('10.1.0.0/16'));
    writeFileSync(file, bad);
    const faults = [
      `${file}:3: clusterCIDR: "x" is not a CIDR, or several separated by commas`,
      `${file}:4: oomScoreAdj: 5000 is not from -1000 to 1000`,
    ];
    const refused = { level: 50, faults, msg: 'configuration refused; the old one stays' };
    expect(await following.next(1)).toEqual([refused]);
    // The same faults, in a file written again: nothing new. Then it is as it was.
    await writeFile(`${file}.new`, bad);
    await rename(`${file}.new`, file);
    await rm(file);
    const gone = { ...refused, faults: [`${file}: no such file`] };
    expect(await following.next(1)).toEqual([gone]);
    writeFileSync(file, withCluster('10.1.0.0/16'));
    expect(await following.next(1)).toEqual([{ level: 30, msg: 'configuration is good again' }]);
    writeFileSync(file, withCluster('10.2.0.0/16'));
    expect(await following.next(2)).toEqual(takenOver('10.2.0.0/16'));
  });

  test('is also one that is written only in part', async () => {
    const file = join(await folder(), 'config.conf');
    await writeFile(file, withCluster('10.1.0.0/16'));
    const following = follow(file, withCluster('10.1.0.0/16'));
    await writeFile(file, '');
    expect(await following.next(1)).toEqual([
      {
        level: 50,
        faults: [
          `${file}:1: apiVersion: is missing: it must be kubeproxy.config.k8s.io/v1alpha1`,
          `${file}:1: kind: is missing: it must be KubeProxyConfiguration`,
        ],
        msg: 'configuration refused; the old one stays',
      },
    ]);
    await following.stop();
  });
});

test('what waits for the next start is named once', async () => {
  const file = join(await folder(), 'config.conf');
  await writeFile(file, header);
  const following = follow(file, header);
  writeFileSync(file, `${header}mode: iptables\n`);
  const waits = {
    level: 40,
    fields: ['mode'],
    msg: 'configuration takes effect at the next start',
  };
  expect(await following.next(1)).toEqual([waits]);
  writeFileSync(file, `${withCluster('10.1.0.0/16')}mode: iptables\nx: 1\n`);
  expect(await following.next(3)).toEqual([
    {
      level: 40,
      warning: `${file}:5: x: is no field of KubeProxyConfiguration, and is ignored`,
      msg: 'configuration',
    },
    ...takenOver('10.1.0.0/16'),
  ]);
});

test('a file is read again, and what is found is said, when somebody asks for it', async () => {
  const file = join(await folder(), 'config.conf');
  await writeFile(file, withCluster('10.1.0.0/16'));
  const following = follow(file, withCluster('10.0.0.0/16'));
  expect(await following.next(2)).toEqual(takenOver('10.1.0.0/16'));
  following.hangup();
  expect(await following.next(1)).toEqual([{ level: 30, msg: 'configuration unchanged' }]);
  writeFileSync(file, `${header}mode: x\n`);
  const [refused] = await following.next(1);
  expect(refused).toMatchObject({ msg: 'configuration refused; the old one stays' });
  following.hangup();
  expect(await following.next(1)).toEqual([refused]);
});

describe('of texts read one after the other', () => {
  /** What is told of each text: messages of the log, and the fields handed over. */
  function toldOf(...bodies: readonly string[]): readonly (readonly string[])[] {
    let told: string[] = [];
    const write = (json: string): void => void told.push((JSON.parse(json) as { msg: string }).msg);
    const follower = new ConfigFollower({
      line: lineFor(),
      values: configFromText(header, lineFor()).values as FieldValues,
      signal: new AbortController().signal,
      onHangup: () => {},
      log: pino({ base: {} }, { write }),
      onConfig: (_config, changed) => void told.push(changed.join(' ')),
    });
    return bodies.map((body) => {
      told = [];
      follower.read(`${header}${body}\n`);
      return told;
    });
  }

  test('the same faults are told once, others again', () => {
    const refused = ['configuration refused; the old one stays'];
    expect(toldOf('mode: x', 'mode: x # still', 'mode: y', '', 'mode: y')).toEqual([
      refused,
      [],
      refused,
      ['configuration is good again'],
      refused,
    ]);
  });

  test('the same warnings are told once, and again when they had gone', () => {
    const [warned, live] = ['configuration', ['configuration taken over', 'clusterCIDR']];
    expect(
      toldOf('x: 1', 'x: 1\nclusterCIDR: 10.0.0.0/8', 'clusterCIDR: 10.0.0.0/8', 'x: 1'),
    ).toEqual([[warned], live, [], [warned, ...live]]);
  });

  test('what is in force is what was last taken over', () => {
    const live = ['configuration taken over', 'clusterCIDR'];
    const [one, other] = ['clusterCIDR: 10.0.0.0/8', 'clusterCIDR: 10.1.0.0/16'];
    expect(toldOf(one, one, other, '', '')).toEqual([live, [], live, live, []]);
  });

  test('what waits is told again when something else waits', () => {
    const waits = ['configuration takes effect at the next start'];
    const [one, more] = ['mode: iptables', 'mode: iptables\nhostnameOverride: a'];
    expect(toldOf(one, one, more, '', one)).toEqual([waits, [], waits, [], waits]);
  });
});

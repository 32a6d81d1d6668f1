// What `run` says of manifests: faults as errors, doubts as warnings, each once; faults alone are told on.
import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { followManifests } from '../../../../src/cluster/manifests/follow-manifests.ts';
import { folderWith, serviceYaml } from '../folder.ts';

test('faults and doubts, once each', async () => {
  const folder = folderWith({ 'm.yaml': serviceYaml('a', '10.96.0.1') });
  const path = join(folder, 'm.yaml');
  const said: string[] = [];
  const told: (readonly string[])[] = [];
  const batches: string[][] = [];
  const end = new AbortController();
  const write = (text: string): void => {
    const { level, msg } = JSON.parse(text) as { level: number; msg: string };
    said.push(`${level} ${msg.replaceAll(`${folder}/`, '')}`);
  };
  const strayed = serviceYaml('a', '10.96.0.2').replace('port: 80', 'port: 80\n      nodePort: 99');
  const steps = [
    () => writeFileSync(path, strayed),
    () => writeFileSync(path, strayed.replace('10.96.0.2', 'x')),
    () => rmSync(path),
    () => writeFileSync(path, `${strayed}\n`),
    () => end.abort(),
  ];
  await followManifests(
    {
      path,
      stdin: (async function* () {})(),
      signal: end.signal,
      log: pino({}, { write }),
      stateFolder: undefined,
      onProblems: (lines) => told.push(lines.map((line) => line.replaceAll(`${folder}/`, ''))),
    },
    ({ changes }) => {
      batches.push(changes.map((change) => change.op));
      steps.shift()?.();
    },
  );
  const stray =
    'm.yaml:9: warning: Service default/a: spec.ports[0].nodePort: 99 is outside of 30000 to 32767, the range that API servers allow by default';
  const bad = 'm.yaml:6: Service default/a: spec.clusterIP: "x" is not an IP address';
  expect(said).toEqual([
    `40 ${stray}`,
    `50 ${bad}`,
    '50 m.yaml: no such file or folder',
    '30 m.yaml: Service default/a: can be used again, or is gone',
    `40 ${stray}`,
    '30 m.yaml: can be used again, or is gone',
  ]);
  expect(told).toEqual([[], [], [bad], ['m.yaml: no such file or folder'], []]);
  expect(batches).toEqual([['set'], ['set'], [], [], []]);
});

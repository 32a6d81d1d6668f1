// What people take for a manifest, named as what it is, with its line.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeProblem, readManifests } from '../../../../src/cluster/manifests/manifests.ts';
import { folderWith, serviceYaml } from '../folder.ts';

const json = '{"apiVersion": "v1", "kind": "Service",\n  "metadata": {"name": "web"}}\n';

test.each<[what: string, text: string, problem: string]>([
  [
    'a field of a chart',
    serviceYaml('web', '{{ .Values.ip }}'),
    'm.yaml:6: has {{ }}: this is a template, such as of a Helm chart; render it first',
  ],
  [
    'a branch of a chart, in a later document',
    `${serviceYaml('web', '10.96.0.1')}---\n{{- if .Values.web }}\n${serviceYaml('b', '10.96.0.2')}{{- end }}\n`,
    'm.yaml:10: has {{ }}: this is a template, such as of a Helm chart; render it first',
  ],
  [
    'JSON with a comment before it',
    `// of the shop\n${json}`,
    'm.yaml:1: has a comment, which JSON cannot have',
  ],
  [
    'JSON with a comment in it',
    json.replace('\n', ' // of the shop\n'),
    'm.yaml:1: has a comment, which JSON cannot have',
  ],
  [
    'JSON with a block comment',
    json.replace('\n', '\n/* of\nthe shop */\n'),
    'm.yaml:2: has a comment, which JSON cannot have',
  ],
  [
    'a port that begins with 0',
    serviceYaml('web', '10.96.0.1').replace('port: 80', 'port: 0100'),
    'm.yaml:8: Service default/web: spec.ports[0].port: 0100 begins with 0, which YAML 1.1 takes for 64; write 100',
  ],
  [
    'a port that cannot be octal',
    serviceYaml('web', '10.96.0.1').replace('port: 80', 'port: 0080'),
    'm.yaml:8: Service default/web: spec.ports[0].port: 0080 begins with 0; write 80',
  ],
])('%s', async (_, text, problem) => {
  const { problems } = await readManifests(join(folderWith({ 'm.yaml': text }), 'm.yaml'));
  expect(problems.map((one) => describeProblem(one).replace(/^\S*\//, ''))).toEqual([problem]);
});

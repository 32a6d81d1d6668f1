// What the demonstration makes of answers, and that it asks for what the example manifests hold.
import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import type { Try } from '../../src/lab/agent/protocol.ts';
import { findingOf, type Question, questions } from '../../src/lab/demo.ts';
import { demoTable } from '../../src/lab/demo-table.ts';

const question: Question = {
  from: 'p13',
  service: 'web',
  address: '10.96.0.10',
  port: 80,
  protocol: 'tcp',
  expected: ['p11', 'p21'],
};
const met = (name: string): Try => ({ result: 'ok', name, source: '10.244.1.13' });

test.each<[what: string, tries: readonly Try[], isAsExpected: boolean]>([
  ['all expected pods', [met('p11'), met('p21'), met('p11')], true],
  ['a pod too few', [met('p11')], false],
  ['a pod too many', [met('p11'), met('p21'), met('p22')], false],
  ['a refusal among answers', [met('p11'), met('p21'), { result: 'refused' }], false],
])('%s', (_, tries, isAsExpected) => {
  expect(findingOf(question, tries).isAsExpected).toBe(isAsExpected);
});

test('a Service with nothing behind it must refuse, not be silent', () => {
  const empty = { ...question, expected: [] };
  expect(findingOf(empty, [{ result: 'refused' }]).isAsExpected).toBe(true);
  expect(findingOf(empty, [{ result: 'timeout' }]).isAsExpected).toBe(false);
});

test('the table shows who answered, and what was wrong', () => {
  const findings = [
    findingOf(question, [met('p21'), met('p11'), met('p11')]),
    findingOf({ ...question, address: 'fd00:96::60', expected: [] }, [{ result: 'timeout' }]),
  ];
  expect(demoTable(findings, new Writable())).toBe(
    [
      'FROM  SERVICE  ADDRESS               ANSWERED BY     SOURCE SEEN',
      'p13   web      tcp 10.96.0.10:80     p11 2x, p21 1x  10.244.1.13  OK',
      'p13   web      tcp [fd00:96::60]:80  timeout 1x      -            NOT (expected a refusal)',
      '',
    ].join('\n'),
  );
});

test('every question is about a Service of the example manifests', async () => {
  const text = await readFile('manifests/examples/services.yaml', 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Example);
  const services = objects
    .filter(({ kind }) => kind === 'Service')
    .map(({ metadata, spec }) => [
      metadata.name,
      spec.clusterIP,
      ...spec.ports.map(({ port, protocol }) => `${protocol.toLowerCase()} ${port}`),
    ]);
  const asked = questions.map(({ service, address, port, protocol }) =>
    [service, address, `${protocol} ${port}`].join(),
  );
  expect(new Set(asked)).toEqual(new Set(services.map((service) => service.join())));
});

type Example = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly clusterIP: string;
    readonly ports: readonly { readonly port: number; readonly protocol: string }[];
  };
};

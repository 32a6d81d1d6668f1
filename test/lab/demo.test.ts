// What the demonstration makes of answers, and that it asks for what the example manifests hold.
import { readFile } from 'node:fs/promises';
import { Writable } from 'node:stream';
import { expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { listManifests } from '../../src/cluster/list-once.ts';
import type { Try } from '../../src/lab/agent/protocol.ts';
import { findingOf, type Question, questions } from '../../src/lab/demo.ts';
import { demoTable } from '../../src/lab/demo-table.ts';
import { nodes } from '../../src/lab/topology.ts';

const question: Question = {
  from: 'p13',
  service: 'web',
  kind: 'ClusterIP',
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

test('the source counts where one is named', () => {
  const near = { ...question, source: '10.244.1.13' };
  const other: Try = { result: 'ok', name: 'p21', source: '10.244.1.1' };
  expect(findingOf(near, [met('p11'), met('p21')]).isAsExpected).toBe(true);
  expect(findingOf(near, [met('p11'), other]).isAsExpected).toBe(false);
  expect(findingOf(question, [met('p11'), other]).isAsExpected).toBe(true);
});

test('the table shows who answered, and what was wrong', () => {
  const findings = [
    findingOf(question, [met('p21'), met('p11'), met('p11')]),
    findingOf({ ...question, address: 'fd00:96::60', expected: [] }, [{ result: 'timeout' }]),
    findingOf({ ...question, kind: 'NodePort', source: '192.0.2.1' }, [met('p11'), met('p21')]),
  ];
  expect(demoTable(findings, new Writable())).toBe(
    [
      'FROM  SERVICE  KIND       ADDRESS               ANSWERED BY     SOURCE SEEN',
      'p13   web      ClusterIP  tcp 10.96.0.10:80     p11 2x, p21 1x  10.244.1.13  OK',
      'p13   web      ClusterIP  tcp [fd00:96::60]:80  timeout 1x      -            NOT (expected a refusal)',
      'p13   web      NodePort   tcp 10.96.0.10:80     p11 1x, p21 1x  10.244.1.13  NOT (expected p11, p21 to see 192.0.2.1)',
      '',
    ].join('\n'),
  );
});

test('every address of the example manifests is asked, and no other', async () => {
  const text = await readFile('manifests/examples/services.yaml', 'utf8');
  const objects = parseAllDocuments(text).map((document) => document.toJS() as Example);
  const services = objects.filter(({ kind }) => kind === 'Service').flatMap(addressesOf);
  const asked = questions.map(({ service, kind, address, port, protocol }) =>
    [service, kind, address, protocol, port].join(' '),
  );
  expect(new Set(asked)).toEqual(new Set(services));
});

test('the Nodes of the example manifests are those of the lab', async () => {
  const { objects } = await listManifests('manifests/examples/services.yaml', {});
  expect(
    objects.flatMap(({ kind, id, value }) => (kind === 'Node' ? [{ id, ...value }] : [])),
  ).toEqual(
    nodes.map(({ nodeName, zone, lan, podRange }) => ({
      id: nodeName,
      name: nodeName,
      zone,
      ips: [lan.ipv4, lan.ipv6],
      podCidrs: [podRange.ipv4, podRange.ipv6],
      isEligible: true,
    })),
  );
});

test.each(['p13', 'n1', 'ext'])('%s asks at each kind of address', (host) => {
  const kinds = questions.filter(({ from }) => from === host).map(({ kind }) => kind);
  expect(new Set(kinds)).toEqual(new Set(['ClusterIP', 'NodePort', 'LoadBalancer']));
});

function addressesOf({ metadata: { name }, spec, status }: Example): readonly string[] {
  return spec.ports.flatMap(({ port, protocol, nodePort }) => [
    [name, 'ClusterIP', spec.clusterIP, protocol.toLowerCase(), port].join(' '),
    ...(nodePort === undefined ? [] : [`${name} NodePort 192.168.10.11 tcp ${nodePort}`]),
    ...(status?.loadBalancer.ingress ?? []).map(
      ({ ip }) => `${name} LoadBalancer ${ip} tcp ${port}`,
    ),
  ]);
}

type Example = {
  readonly kind: string;
  readonly metadata: { readonly name: string };
  readonly spec: {
    readonly clusterIP: string;
    readonly ports: readonly {
      readonly port: number;
      readonly protocol: string;
      readonly nodePort?: number;
    }[];
  };
  readonly status?: { readonly loadBalancer: { readonly ingress: readonly { ip: string }[] } };
};

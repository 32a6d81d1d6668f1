// What is doubtful in manifests is said in one line each, as a warning with file and line, and used all the same.
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { describeProblem, readManifests } from '../../../../src/cluster/manifests/manifests.ts';
import { folderWith } from '../folder.ts';

const service = `apiVersion: v1
kind: Service
metadata: { name: web }
spec:
  clusterIP: 10.96.0.1
  ports:
    - { name: http, port: 80 }
`;

function slice(spec: string, name = 'web'): string {
  return `---
apiVersion: discovery.k8s.io/v1
kind: EndpointSlice
metadata: { name: ${name}-1, labels: { kubernetes.io/service-name: ${name} } }
addressType: IPv4
${spec}`;
}

const endpoints = `---
apiVersion: v1
kind: Endpoints
metadata: { name: web }
subsets: [{ addresses: [{ ip: 10.244.1.1 }], ports: [{ port: 80 }] }]
`;
const fitting = slice(
  'ports: [{ name: http, port: 8080 }]\nendpoints: [{ addresses: [10.244.1.1] }]\n',
);

async function doubtsOf(text: string): Promise<readonly string[]> {
  const path = join(folderWith({ 'm.yaml': text }), 'm.yaml');
  const { problems } = await readManifests(path);
  return problems.map((problem) => describeProblem(problem).replace(/^\S*\//, ''));
}

test.each<[what: string, text: string, doubts: readonly string[]]>([
  ['a Service with its slice', service + fitting, []],
  ['a Service without a slice', service, []],
  ['Endpoints beside a slice', service + fitting + endpoints, []],
  [
    'a Service without a slice yet, whose ports no slice can have',
    service + slice('ports: null\nendpoints: null\n'),
    [],
  ],
  [
    'Endpoints alone',
    service + endpoints,
    [
      'm.yaml:9: warning: Endpoints default/web: is not read, and Service default/web has no EndpointSlice: export EndpointSlices too',
    ],
  ],
  [
    'port names that differ',
    service +
      slice('ports: [{ name: web, port: 8080 }, { name: http, port: 53, protocol: UDP }]\n'),
    [
      'm.yaml:1: warning: Service default/web: spec.ports[0].name: no EndpointSlice has a port named "http" of TCP (they have named "web" of TCP, named "http" of UDP), so nothing answers',
    ],
  ],
  [
    'a slice of no Service',
    service + fitting + slice('ports: [{ port: 1 }]\n', 'wbe'),
    [
      'm.yaml:16: warning: EndpointSlice default/wbe-1: metadata.labels["kubernetes.io/service-name"]: no Service default/wbe is in the manifests',
    ],
  ],
  [
    'a slice of a Service that is none for a proxy',
    service.replace('10.96.0.1', 'None') + fitting,
    [],
  ],
  [
    'fields that the API does not have',
    service
      .replace('  clusterIP:', '  externalIps: [1.2.3.4]\n  clusterIP:')
      .replace('port: 80', 'port: 80, portt: 80') +
      fitting.replace('addresses', 'conditions: { Ready: true }, adresses: [], addresses'),
    [
      'm.yaml:5: warning: Service default/web: spec.externalIps: is not a field of a Service; externalIPs may be meant',
      'm.yaml:8: warning: Service default/web: spec.ports[0].portt: is not a field of a Service',
      'm.yaml:15: warning: EndpointSlice default/web-1: endpoints[0].conditions.Ready: is not a field of an EndpointSlice; ready may be meant',
      'm.yaml:15: warning: EndpointSlice default/web-1: endpoints[0].adresses: is not a field of an EndpointSlice',
    ],
  ],
  [
    'a node port that no API server gives',
    service.replace('port: 80', 'port: 80, nodePort: 8080') + fitting,
    [
      'm.yaml:7: warning: Service default/web: spec.ports[0].nodePort: 8080 is outside of 30000 to 32767, the range that API servers allow by default',
    ],
  ],
])('%s', async (_, text, doubts) => {
  expect(await doubtsOf(text)).toEqual(doubts);
});

test('a doubt never costs the object', async () => {
  const path = join(folderWith({ 'm.yaml': service + endpoints }), 'm.yaml');
  const { objects } = await readManifests(path);
  expect([...objects.keys()]).toEqual(['Service default/web']);
});

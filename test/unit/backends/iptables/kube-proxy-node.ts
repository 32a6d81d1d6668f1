// A node as kube-proxy 1.36 left it: the objects that stood, and the rules that it made of them.
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';
import { decodeObject } from '../../../../src/cluster/decode/object.ts';
import type { Family } from '../../../../src/model/ip.ts';
import type { ClusterObject } from '../../../../src/model/kubernetes.ts';
import type { Case } from '../../../conformance/case.ts';
import { manifestObjects, standingAfter } from '../../../conformance/manifests.ts';

const cases = join(import.meta.dirname, '../../../conformance/cases');
const fixtures = join(import.meta.dirname, '../../../fixtures/kube-proxy');

// Of the API server itself; the cases do not name it.
const apiServer = [
  {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'kubernetes', namespace: 'default' },
    spec: { clusterIP: '10.96.0.1', ports: [{ name: 'https', port: 443, protocol: 'TCP' }] },
  },
  {
    apiVersion: 'discovery.k8s.io/v1',
    kind: 'EndpointSlice',
    metadata: {
      name: 'kubernetes',
      namespace: 'default',
      labels: { 'kubernetes.io/service-name': 'kubernetes' },
    },
    addressType: 'IPv4',
    ports: [{ name: 'https', port: 6443, protocol: 'TCP' }],
    endpoints: [{ addresses: ['192.0.2.2'] }],
  },
];

/** What stood when kube-proxy's rules were saved: the first step of every case. */
export function objectsThen(): readonly ClusterObject[] {
  let standing: ReturnType<typeof standingAfter> = new Map();
  for (const file of globSync('*.yaml', { cwd: cases }).toSorted()) {
    const { steps } = parse(readFileSync(join(cases, file), 'utf8')) as Case;
    if (steps[0] !== undefined) standing = standingAfter(standing, steps[0]);
  }
  return [...manifestObjects(standing), ...apiServer].flatMap((raw) => {
    const decoded = decodeObject(raw);
    return decoded.kind === 'object' ? [withHealthPort(decoded.object)] : [];
  });
}

// The API server picked a port for the Service that asks for one without saying which.
function withHealthPort(object: ClusterObject): ClusterObject {
  if (object.kind !== 'Service' || object.id !== 'conf/lbl') return object;
  return { ...object, value: { ...object.value, healthCheckNodePort: 32359 } };
}

/** All that iptables-save printed then, but for its accounting, which changes no packet's way. */
export function savedThen(family: Family): string {
  return (
    readFileSync(join(fixtures, `iptables.${family.toLowerCase()}.rules`), 'utf8')
      .split('\n')
      // It counts what goes from localhost to node ports; the rules that act are those without.
      .filter((line) => !line.includes('--nfacct-name  localhost_nps_accepted_pkts'))
      .map((line) => line.replace(' -m nfacct --nfacct-name  ct_state_invalid_dropped_pkts', ''))
      .join('\n')
  );
}

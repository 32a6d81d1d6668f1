// The objects that stand at one moment of a case, as the manifest file that Sluice follows.
// In: objects that come and go. Out: the text of the file.
import { stringify } from 'yaml';
import { nodes, serviceRange } from '../../src/lab/topology.ts';
import type { KubernetesObject, Step } from './case.ts';

/** Objects by kind, namespace and name. */
export type Standing = ReadonlyMap<string, KubernetesObject>;

/** What stands after a step. */
export function standingAfter(before: Standing, { apply = [], delete: gone = [] }: Step): Standing {
  const standing = new Map(before);
  for (const object of apply) standing.set(identity(object), object);
  for (const object of gone) standing.delete(identity(object));
  return standing;
}

/** These objects, and those of the cluster that is always there. */
export function manifestObjects(standing: Standing): readonly object[] {
  return [...clusterObjects, ...standing.values()];
}

/** The manifest of these objects, and of the cluster that is always there. */
export function manifestText(standing: Standing): string {
  return manifestObjects(standing)
    .map((object) => stringify(object, { aliasDuplicateObjects: false }))
    .join('---\n');
}

const clusterObjects: readonly object[] = [
  ...nodes.map(({ nodeName, zone, podRange, lan }) => ({
    apiVersion: 'v1',
    kind: 'Node',
    metadata: { name: nodeName, labels: { 'topology.kubernetes.io/zone': zone } },
    spec: { podCIDR: podRange.ipv4, podCIDRs: Object.values(podRange) },
    status: { addresses: Object.values(lan).map((address) => ({ type: 'InternalIP', address })) },
  })),
  {
    apiVersion: 'networking.k8s.io/v1',
    kind: 'ServiceCIDR',
    metadata: { name: 'kubernetes' },
    spec: { cidrs: Object.values(serviceRange) },
  },
];

function identity({ kind, metadata }: KubernetesObject): string {
  return `${kind}/${metadata.namespace ?? ''}/${metadata.name}`;
}

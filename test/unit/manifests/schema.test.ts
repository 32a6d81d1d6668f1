// The manifests hold no field that Kubernetes does not know, and none of a wrong type: held against the
// types of the API of 1.36, as the client library has them generated from its OpenAPI schema.
import * as library from '@kubernetes/client-node';
import { describe, expect, test } from 'vitest';
import { readManifest, type ManifestObject } from '../../e2e/container.ts';
import { daemonSetObject, namespaceObject, serviceObject, sliceObject } from '../../e2e/objects.ts';

type Attribute = { readonly baseName: string; readonly type: string; readonly format: string };

type ApiType = { readonly getAttributeTypeMap?: () => readonly Attribute[] };

/** What is wrong with a value of the type. */
function faultsOf(value: unknown, type: string, path: string): readonly string[] {
  const element = /^(?:Array<(?<item>.+)>|\{ \[key: string\]: (?<entry>.+); \})$/.exec(
    type,
  )?.groups;
  if (element?.['item'] !== undefined) {
    if (!Array.isArray(value)) return [`${path} is no list`];
    return value.flatMap((each, index) =>
      faultsOf(each, element['item'] as string, `${path}[${index}]`),
    );
  }
  if (element?.['entry'] !== undefined) {
    return fieldsOf(value, path, (key, each) =>
      faultsOf(each, element['entry'] as string, `${path}.${key}`),
    );
  }
  if (type === 'IntOrString') {
    return ['string', 'number'].includes(typeof value) ? [] : [`${path} is no number or text`];
  }
  if (['string', 'number', 'boolean'].includes(type)) {
    return typeof value === type ? [] : [`${path} is no ${type}`];
  }
  const known = (library as unknown as Readonly<Record<string, ApiType>>)[type];
  const attributes = known?.getAttributeTypeMap?.();
  if (attributes === undefined) return [`${path} is of ${type}, which is not known`];
  return fieldsOf(value, path, (key, each) => {
    const attribute = attributes.find(({ baseName }) => baseName === key);
    if (attribute === undefined) return [`${path}.${key} is not known`];
    return faultsOf(each, attribute.type, `${path}.${key}`);
  });
}

function fieldsOf(
  value: unknown,
  path: string,
  faults: (key: string, value: unknown) => readonly string[],
): readonly string[] {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return [`${path} is no object`];
  return Object.entries(value).flatMap(([key, each]) => faults(key, each));
}

const versions: Readonly<Record<string, string>> = {
  ServiceAccount: 'v1',
  ClusterRole: 'rbac.authorization.k8s.io/v1',
  ClusterRoleBinding: 'rbac.authorization.k8s.io/v1',
  ConfigMap: 'v1',
  DaemonSet: 'apps/v1',
  Namespace: 'v1',
  Service: 'v1',
  EndpointSlice: 'discovery.k8s.io/v1',
};

const deployed = await readManifest('manifests/sluice.yaml');
const examples = await readManifest('manifests/examples/services.yaml');
const asked = [
  namespaceObject('e2e'),
  daemonSetObject('pods'),
  daemonSetObject('hosts'),
  serviceObject('web', { type: 'NodePort' }),
  sliceObject('web', 'IPv6', [{ address: 'fd00::1', nodeName: 'node-1' }]),
] as readonly ManifestObject[];

describe.each([
  ['sluice.yaml', deployed],
  ['the examples', examples.filter(({ kind }) => kind in versions)],
  ['the end-to-end test', asked],
])('%s', (_, objects) => {
  test.each(objects.map((object) => [object.kind, object.metadata.name, object] as const))(
    '%s %s',
    (kind, _name, object) => {
      expect(object['apiVersion']).toBe(versions[kind]);
      expect(faultsOf(object, `V1${kind}`, kind)).toEqual([]);
    },
  );
});

test('faults are found', () => {
  const [daemonSet] = deployed.filter(({ kind }) => kind === 'DaemonSet');
  const spoilt = structuredClone(daemonSet) as unknown as {
    spec: { template: { spec: Record<string, unknown> } };
  };
  Object.assign(spoilt.spec.template.spec, { hostNetwok: true, tolerations: {}, dnsPolicy: 1 });
  expect(faultsOf(spoilt, 'V1DaemonSet', 'DaemonSet')).toEqual([
    'DaemonSet.spec.template.spec.dnsPolicy is no string',
    'DaemonSet.spec.template.spec.tolerations is no list',
    'DaemonSet.spec.template.spec.hostNetwok is not known',
  ]);
});

// The manifests, and the objects that tests put into a cluster, are what the API servers of Kubernetes 1.31 to
// 1.36 take; the kind cluster's configuration is what kind takes.
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { eventObject } from '../../../src/cluster/api/events/event-object.ts';
import { readManifest, type ManifestObject } from '../../e2e/container.ts';
import { daemonSetObject, namespaceObject, serviceObject, sliceObject } from '../../e2e/objects.ts';
import { faultsBy } from './json-schema.ts';
import { kindConfigSchema } from './kind-config-schema.ts';
import { faultsIn, groups, minors, type Kind } from './kubernetes-api.ts';

const deployed = await readManifest('manifests/sluice.yaml');
const examples = await readManifest('manifests/examples/services.yaml');
const asked = [
  namespaceObject('e2e'),
  daemonSetObject('pods'),
  daemonSetObject('hosts'),
  serviceObject('web', { type: 'NodePort' }),
  serviceObject('near', { selector: { app: 'pods' }, internalTrafficPolicy: 'Local' }),
  serviceObject('sticky', { selector: { app: 'pods' }, sessionAffinity: 'ClientIP' }),
  sliceObject('web', 'IPv6', [{ address: 'fd00::1', nodeName: 'node-1' }]),
] as readonly ManifestObject[];

// As they are sent: what is undefined is not there.
const sent = [1, 3].map((count) => {
  const regarding = { kind: 'Service', namespace: 'ns', name: 'web', uid: 'u-1' } as const;
  const words = { type: 'Warning', reason: 'AddressConflict', action: 'ProgramRules' } as const;
  const when = { firstMs: 0, lastMs: 1, count };
  const event = { regarding, ...words, note: 'left out' };
  return JSON.parse(JSON.stringify(eventObject(event, when, { nodeName: 'node-1' }))) as unknown;
}) as readonly ManifestObject[];

const files = [
  ['sluice.yaml', deployed],
  ['the examples', examples],
  ['the end-to-end test', asked],
  ['the Events', sent],
] as const;

describe.each(minors)('1.%i takes', (minor) => {
  describe.each(files)('%s:', (_, objects) => {
    test.each(objects.map((object) => [object.kind, object.metadata.name, object] as const))(
      '%s %s',
      async (kind, _name, object) => {
        expect(Object.hasOwn(groups, kind)).toBe(true);
        expect(await faultsIn(object, kind as Kind, minor)).toEqual([]);
      },
    );
  });
});

/** The DaemonSet with something else in its pod. */
function spoilt(change: (pod: Record<string, unknown>) => void): ManifestObject {
  const [daemonSet] = deployed.filter(({ kind }) => kind === 'DaemonSet');
  const copy = structuredClone(daemonSet) as ManifestObject & {
    readonly spec: { readonly template: { readonly spec: Record<string, unknown> } };
  };
  change(copy.spec.template.spec);
  return copy;
}

describe.each(minors)('1.%i refuses', (minor) => {
  const at = '/spec/template/spec';
  // What is valid at 1.35 is told by the versions on either side of it.
  const told = (fault: string): readonly string[] => (minor === 35 ? [fault, fault] : [fault]);

  test('a field that it does not know', async () => {
    const object = spoilt((pod) => Object.assign(pod, { hostNetwok: true }));
    expect(await faultsIn(object, 'DaemonSet', minor)).toEqual(
      told(`${at} additionalProperties hostNetwok`),
    );
  });

  test.each([
    [{ hostname: 1 }, '/hostname type string'],
    [{ tolerations: {} }, '/tolerations type array'],
    [{ hostNetwork: 'yes' }, '/hostNetwork type boolean'],
  ])('a field of another type: %o', async (fields, fault) => {
    const object = spoilt((pod) => Object.assign(pod, fields));
    const faults = await faultsIn(object, 'DaemonSet', minor);
    expect(new Set(faults.map((each) => each.replace('array,null', 'array')))).toEqual(
      new Set([at + fault]),
    );
  });

  test('an object without a field that must be there', async () => {
    const object = spoilt((pod) => delete pod['containers']);
    expect(await faultsIn(object, 'DaemonSet', minor)).toEqual(told(`${at} required containers`));
  });

  test('another version of the API', async () => {
    const faults = await faultsIn(
      { ...spoilt(() => {}), apiVersion: 'apps/v2' },
      'DaemonSet',
      minor,
    );
    const given = told('/apiVersion is apps/v2');
    // The packages since 1.35 name the only one that there is, too.
    expect(faults).toEqual([...given, ...(minor < 35 ? [] : ['/apiVersion enum apps/v1'])]);
  });
});

// What the packages hold is what they are taken for: a field of a pod that came with each version.
test.each([
  [31, 'hostnameOverride', false],
  [33, 'hostnameOverride', false],
  [34, 'hostnameOverride', true],
  [34, 'schedulingGroup', false],
  [36, 'schedulingGroup', true],
] as const)('1.%i knows %s: %s', async (minor, field, isKnown) => {
  const object = spoilt((pod) => Object.assign(pod, { [field]: {} }));
  const faults = await faultsIn(object, 'DaemonSet', minor);
  expect(faults.includes(`/spec/template/spec additionalProperties ${field}`)).toBe(!isKnown);
});

describe('kind', () => {
  const faultsOf = faultsBy(kindConfigSchema);
  const text = readFileSync(join(resolve(import.meta.dirname, '../../..'), 'kind-config.yaml'));
  const config = parse(text.toString()) as Readonly<Record<string, unknown>>;

  test('takes the cluster’s configuration', () => {
    expect(faultsOf(config)).toEqual([]);
  });

  test.each([
    [{ netwroking: {} }, ' additionalProperties netwroking'],
    [
      { networking: { kubeProxyMode: false } },
      '/networking/kubeProxyMode enum iptables,ipvs,nftables,none',
    ],
    [{ networking: { ipFamily: 'both' } }, '/networking/ipFamily enum ipv4,ipv6,dual'],
    [{ nodes: [{ role: 'master' }] }, '/nodes/0/role enum control-plane,worker'],
    [{ nodes: { role: 'worker' } }, '/nodes type array'],
    [{ apiVersion: undefined }, ' required apiVersion'],
    [{ apiVersion: 'kind.x-k8s.io/v1alpha3' }, '/apiVersion enum kind.x-k8s.io/v1alpha4'],
  ])('refuses %o', (fields, fault) => {
    expect(faultsOf(JSON.parse(JSON.stringify({ ...config, ...fields })))).toEqual([fault]);
  });
});

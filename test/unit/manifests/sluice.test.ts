// The manifests that operators apply, held against the sources: flags, fields of the configuration, rights,
// and what makes a DaemonSet fit to be a node's Service proxy.
import { globSync, readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { parseArgs } from '../../../src/cli/arguments/args.ts';
import { resourcesOf } from '../../../src/cluster/api/watch/resources.ts';
import { configFromText } from '../../../src/config/load-config.ts';
import { readManifest, type DaemonSet, type ManifestObject } from '../../e2e/container.ts';

const project = resolve(import.meta.dirname, '../../..');
const objects = await readManifest('manifests/sluice.yaml');
const daemonSet = only('DaemonSet') as DaemonSet;
const pod = daemonSet.spec.template.spec;
const [container] = pod.containers;
const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as {
  readonly version: string;
};

function only(kind: string): ManifestObject {
  const found = objects.filter((object) => object.kind === kind);
  if (found.length !== 1) throw new Error(`${found.length} of ${kind}`);
  return found[0] as ManifestObject;
}

describe('the DaemonSet', () => {
  test('is the one of its name, beside what it needs', () => {
    expect(objects.map(({ kind, metadata }) => [kind, metadata.namespace, metadata.name])).toEqual([
      ['ServiceAccount', 'kube-system', 'sluice'],
      ['ClusterRole', undefined, 'sluice'],
      ['ClusterRoleBinding', undefined, 'sluice'],
      ['ConfigMap', 'kube-system', 'sluice'],
      ['DaemonSet', 'kube-system', 'sluice'],
    ]);
  });

  test('gives flags that there are, and that have an effect', () => {
    const { command, given, warnings } = parseArgs(container.args);
    expect(command.name).toBe('run');
    expect([...given].toSorted()).toEqual(['config', 'hostname-override']);
    expect(warnings).toEqual([]);
  });

  test('gives a configuration without a fault', () => {
    const { data } = only('ConfigMap') as ManifestObject & {
      readonly data: { 'config.yaml': string };
    };
    const { values, given } = parseArgs(['run', '--config', 'config.yaml']);
    const line = { values, given, hostname: 'node-1' };
    const { config } = configFromText(data['config.yaml'], line);
    expect([config.proxyMode, config.detectLocal]).toEqual(['nftables', { mode: 'NodeCIDR' }]);
  });

  test('runs the image of this version', () => {
    expect(container.image).toBe(`sluice:${version}`);
  });

  test('may do what the tests have shown to be needed, and no more', () => {
    expect(container.securityContext).toEqual({
      runAsUser: 0,
      privileged: false,
      allowPrivilegeEscalation: false,
      readOnlyRootFilesystem: true,
      capabilities: { drop: ['ALL'], add: ['NET_ADMIN'] },
      seccompProfile: { type: 'RuntimeDefault' },
    });
  });

  test('is not asked whether it is ready while it only starts', () => {
    const { startupProbe, livenessProbe } = container;
    expect(startupProbe.httpGet).toEqual(livenessProbe.httpGet);
    // The kubelet makes an Event of each probe that fails, of this one too.
    expect(startupProbe.initialDelaySeconds).toBe(5);
    expect(startupProbe.periodSeconds * startupProbe.failureThreshold).toBe(60);
  });

  test('is there on every node, before all others, and changed node by node', () => {
    const { containers: _containers, volumes: _volumes, ...rest } = pod;
    expect(rest).toEqual({
      hostNetwork: true,
      dnsPolicy: 'Default',
      nodeSelector: { 'kubernetes.io/os': 'linux' },
      terminationGracePeriodSeconds: 30,
      priorityClassName: 'system-node-critical',
      tolerations: [{ operator: 'Exists' }],
      serviceAccountName: 'sluice',
    });
    const { template: _template, ...spec } = daemonSet.spec;
    expect(spec).toEqual({
      selector: { matchLabels: { 'app.kubernetes.io/name': 'sluice' } },
      updateStrategy: { type: 'RollingUpdate', rollingUpdate: { maxUnavailable: 1 } },
    });
  });

  test('mounts what it has volumes for', () => {
    const mounted = container.volumeMounts.map(({ name }) => name);
    expect(mounted).toEqual(pod.volumes.map(({ name }) => name));
  });

  test('needs no ClusterIP to find the API server', () => {
    const named = container.env.filter(({ valueFrom }) => valueFrom.configMapKeyRef !== undefined);
    expect(named.map(({ name }) => name)).toEqual([
      'KUBERNETES_SERVICE_HOST',
      'KUBERNETES_SERVICE_PORT',
    ]);
  });
});

test('the rights are those that the requests need', () => {
  const { rules } = only('ClusterRole') as ManifestObject & {
    readonly rules: readonly Readonly<Record<'apiGroups' | 'resources' | 'verbs', string[]>>[];
  };
  const granted = rules.flatMap(({ apiGroups, resources, verbs }) =>
    apiGroups.flatMap((group) =>
      resources.flatMap((resource) => verbs.map((verb) => `${verb} ${group}/${resource}`)),
    ),
  );
  // Each is listed and watched.
  const needed = resourcesOf('node-1').flatMap(({ apiVersion, path }) => {
    const group = apiVersion.includes('/') ? apiVersion.split('/')[0] : '';
    return ['list', 'watch'].map((verb) => `${verb} ${group}/${path.split('/').at(-1)}`);
  });
  // Events are sent, and never read or changed.
  const sent = ['create events.k8s.io/events'];
  expect(granted.toSorted()).toEqual([...needed, ...sent].toSorted());
});

test('the rights are the ServiceAccount’s', () => {
  expect(only('ClusterRoleBinding')).toEqual({
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'ClusterRoleBinding',
    metadata: { name: 'sluice', labels: { 'app.kubernetes.io/name': 'sluice' } },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'sluice' },
    subjects: [{ kind: 'ServiceAccount', name: 'sluice', namespace: 'kube-system' }],
  });
});

test('the kind cluster has no other proxy, both families, and two workers', () => {
  expect(parse(readFileSync(join(project, 'kind-config.yaml'), 'utf8'))).toEqual({
    kind: 'Cluster',
    apiVersion: 'kind.x-k8s.io/v1alpha4',
    name: 'sluice',
    networking: { ipFamily: 'dual', kubeProxyMode: 'none' },
    nodes: [{ role: 'control-plane' }, { role: 'worker' }, { role: 'worker' }],
  });
});

test('every image has a version', () => {
  const files = globSync(
    ['manifests/**/*.yaml', 'test/e2e/**', '.github/**/*.yaml', 'Dockerfile'],
    {
      cwd: project,
      exclude: ['**/*.test.ts'],
    },
  ).filter((file) => /\.\w+$|Dockerfile$/.test(file));
  const images = files.flatMap((file) =>
    [
      ...readFileSync(join(project, file), 'utf8').matchAll(
        /(?:^FROM|^\s*image:|^const image =) *'?([^\s']+)/gm,
      ),
    ].map(([, image = '']) => image),
  );
  expect(images).toHaveLength(5);
  for (const image of images) expect(image).toMatch(/:v?\d[\w.-]*$/);
});

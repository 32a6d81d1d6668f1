// A KubeProxyConfiguration as it is: what is read of it, what is let pass, and what is not.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { configFromText } from '../../../src/config/load-config.ts';
import { fields } from '../../../src/config/fields.ts';
import { resolvedDocument } from '../../../src/config/resolved-document.ts';
import { metricsAnswerer } from '../../../src/serve/metrics-pages.ts';
import { fromFlags, lineFor, loaded } from './load.ts';

/** Every field, with its default. */
const defaultDocument = {
  apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
  kind: 'KubeProxyConfiguration',
  mode: 'nftables',
  hostnameOverride: '',
  clusterCIDR: '',
  detectLocalMode: 'ClusterCIDR',
  detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' },
  nodePortAddresses: ['primary'],
  iptables: {
    localhostNodePorts: true,
    masqueradeAll: false,
    masqueradeBit: 14,
    syncPeriod: '30s',
    minSyncPeriod: '1s',
  },
  nftables: { masqueradeAll: false, masqueradeBit: 14, syncPeriod: '30s', minSyncPeriod: '1s' },
  bindAddress: '0.0.0.0',
  healthzBindAddress: '0.0.0.0:10256',
  metricsBindAddress: '127.0.0.1:10249',
  bindAddressHardFail: false,
  enableProfiling: false,
  showHiddenMetricsForVersion: '',
  clientConnection: {
    kubeconfig: '',
    acceptContentTypes: '',
    contentType: 'application/vnd.kubernetes.protobuf',
    qps: 5,
    burst: 10,
  },
  configSyncPeriod: '15m0s',
  featureGates: {},
  conntrack: {
    maxPerCore: 32_768,
    min: 131_072,
    tcpEstablishedTimeout: '24h0m0s',
    tcpCloseWaitTimeout: '1h0m0s',
    tcpBeLiberal: false,
    udpTimeout: '0s',
    udpStreamTimeout: '0s',
  },
  oomScoreAdj: -999,
  logging: {
    verbosity: 0,
    vmodule: [],
    format: 'text',
    flushFrequency: '5s',
    options: {
      text: { splitStream: false, infoBufferSize: '0' },
      json: { splitStream: false, infoBufferSize: '0' },
    },
  },
  ipvs: {
    syncPeriod: '30s',
    minSyncPeriod: '0s',
    scheduler: '',
    excludeCIDRs: [],
    strictARP: false,
    tcpTimeout: '0s',
    tcpFinTimeout: '0s',
    udpTimeout: '0s',
  },
  winkernel: {
    networkName: '',
    sourceVip: '',
    enableDSR: false,
    rootHnsEndpointName: '',
    forwardHealthCheckVip: false,
  },
  windowsRunAsService: false,
  portRange: '',
};

describe('a file without fields', () => {
  test('has all defaults, and makes what no flags make', () => {
    const { config, warnings } = loaded('');
    expect(resolvedDocument(config)).toEqual(defaultDocument);
    expect(config).toEqual(fromFlags([]));
    expect(warnings).toEqual([]);
  });

  test.each(['kubeadm', 'kind'])('but for what %s says is the same', (name) => {
    const text = readFileSync(
      join(import.meta.dirname, '../../fixtures/kube-proxy-configs', `${name}.yaml`),
      'utf8',
    );
    const { config, warnings } = configFromText(text, lineFor());
    const kubeconfig = '/var/lib/kube-proxy/kubeconfig.conf';
    const isKind = name === 'kind';
    expect(resolvedDocument(config)).toEqual({
      ...defaultDocument,
      clusterCIDR: '10.244.0.0/16',
      clientConnection: { ...defaultDocument.clientConnection, kubeconfig },
      ...(isKind ? { mode: 'iptables', nodePortAddresses: [] } : {}),
      ...(isKind ? { conntrack: { ...defaultDocument.conntrack, maxPerCore: 0 } } : {}),
    });
    // Nothing in it is unknown; what it asks for may wait to be obeyed.
    expect(warnings.filter((line) => !line.includes(' has no effect yet ('))).toEqual([]);
  });
});

describe('the Config of a mode has the values of that mode’s section', () => {
  const body = (mode: string): string => `mode: ${mode}
iptables: {masqueradeAll: true, masqueradeBit: 1, syncPeriod: 10s, minSyncPeriod: 4s}
nftables: {masqueradeAll: false, masqueradeBit: 2, syncPeriod: 20s, minSyncPeriod: 5s}
`;

  test.each([
    ['iptables', [true, 1, 10_000]],
    ['nftables', [false, 2, 20_000]],
  ])('%s', (mode, expected) => {
    const { masqueradeAll, masqueradeBit, syncPeriodMs } = loaded(body(mode)).config;
    expect([masqueradeAll, masqueradeBit, syncPeriodMs]).toEqual(expected);
  });

  test('and what stands in another section is named', () => {
    expect(loaded(body('nftables')).warnings.filter((line) => line.includes('masq'))).toEqual([
      'FILE:4: iptables.masqueradeAll: has no effect in nftables mode, which nftables.masqueradeAll is for',
      'FILE:4: iptables.masqueradeBit: has no effect in nftables mode, which nftables.masqueradeBit is for',
    ]);
  });
});

describe('what has no effect is named with its line', () => {
  test.each<[what: string, body: string, warnings: readonly string[]]>([
    [
      'an unknown field',
      'conntrack:\n  max: 5\nudpIdleTimeout: 250ms\n',
      [
        'FILE:4: conntrack.max: is no field of KubeProxyConfiguration, and is ignored',
        'FILE:5: udpIdleTimeout: is no field of KubeProxyConfiguration, and is ignored',
      ],
    ],
    [
      'a duplicate field, of which the last counts',
      'clusterCIDR: 10.0.0.0/8\nclusterCIDR: 10.1.0.0/16\n',
      ['FILE:4: clusterCIDR: stands more than once; the last one counts'],
    ],
    [
      'a second document',
      'clusterCIDR: 10.1.0.0/16\n---\nmode: x\n',
      ['FILE:4: only the first document of the file counts'],
    ],
    [
      'a field of Windows or IPVS',
      'winkernel: {networkName: a}\nipvs: {scheduler: rr}\n',
      [
        'FILE:3: winkernel.networkName: has no effect yet (Windows only)',
        'FILE:4: ipvs.scheduler: has no effect yet (IPVS only)',
      ],
    ],
    ['a default, which is no wish', 'portRange: ""\noomScoreAdj: -999\n', []],
    ['null, which is no wish', 'conntrack: null\nlogging:\n', []],
  ])('%s', (_what, body, warnings) => {
    expect(loaded(body).warnings).toEqual(warnings);
  });

  test('in JSON too', () => {
    const text =
      '{\n\t"kind": "KubeProxyConfiguration",\n\t"apiVersion": "kubeproxy.config.k8s.io/v1alpha1",\n\t"a": 1\n}';
    expect(configFromText(text, lineFor()).warnings).toEqual([
      'FILE:4: a: is no field of KubeProxyConfiguration, and is ignored',
    ]);
  });

  test('a duplicate field counts as it last stands', () => {
    const { detectLocal } = loaded('clusterCIDR: 10.0.0.0/8\nclusterCIDR: 10.1.0.0/16\n').config;
    expect(detectLocal).toEqual({ mode: 'ClusterCIDR', clusterCidrs: ['10.1.0.0/16'] });
  });
});

test('the table has each field once, and a default that its kind allows', () => {
  const paths = fields.map(({ path }) => path);
  expect(new Set(paths).size).toBe(paths.length);
  // Reading back what is shown gives the same: defaults and spelling agree.
  const text = JSON.stringify(defaultDocument);
  expect(resolvedDocument(configFromText(text, lineFor()).config)).toEqual(defaultDocument);
});

test('configz has one key, with the whole object as it is in force', async () => {
  const { config } = loaded('oomScoreAdj: 7\n', ['--hostname-override=n1']);
  const answer = metricsAnswerer({
    mode: config.proxyMode,
    configuration: () => resolvedDocument(config),
    metrics: () => Promise.reject(new Error('not asked for')),
  });
  const { status, body } = await answer('/configz');
  expect([status, JSON.parse(String(body))]).toEqual([
    200,
    { 'kubeproxy.config.k8s.io': { ...defaultDocument, oomScoreAdj: 7, hostnameOverride: 'n1' } },
  ]);
});

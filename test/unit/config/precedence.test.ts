// Which of the file and the flags counts, and how flags of kube-proxy become fields.
import { describe, expect, test } from 'vitest';
import { resolvedDocument } from '../../../src/config/resolved-document.ts';
import { withPort } from '../../../src/config/values/socket-address.ts';
import { faultsIn, faultsOf, fromFlags, loaded } from './load.ts';

describe('the mode and how pods are told', () => {
  test('that are not said are the usual ones', () => {
    const { proxyMode, detectLocal } = loaded('mode: ""\ndetectLocalMode: ""\n').config;
    expect([proxyMode, detectLocal.mode]).toEqual(['nftables', 'ClusterCIDR']);
  });

  test('that are said are kept', () => {
    const { proxyMode, detectLocal } = loaded('mode: iptables\ndetectLocalMode: NodeCIDR\n').config;
    expect([proxyMode, detectLocal.mode]).toEqual(['iptables', 'NodeCIDR']);
  });
});

describe('the name of the node', () => {
  test.each<[flag: string, name: string]>([
    ['', 'foo'],
    ['  Bar ', 'bar'],
  ])('with --hostname-override=%j over a file with foo is %s', (flag, name) => {
    const { config } = loaded('hostnameOverride: Foo\n', [`--hostname-override=${flag}`]);
    expect(config.nodeName).toBe(name);
  });

  test('of blanks alone is a fault of the flag', () => {
    expect(faultsOf('hostnameOverride: foo\n', ['--hostname-override=  '])).toEqual([
      '--hostname-override: "  " cannot be the name of a node',
    ]);
    expect(faultsOf('hostnameOverride: "  "\n')).toEqual([
      'FILE:3: hostnameOverride: "  " cannot be the name of a node',
    ]);
  });

  test('is the host’s where neither says it', () => {
    expect(loaded('').config.nodeName).toBe('host');
  });
});

describe('sync periods', () => {
  const flags = [
    '--iptables-sync-period=36s',
    '--iptables-min-sync-period=3s',
    '--ipvs-sync-period=12s',
    '--ipvs-min-sync-period=2s',
  ];

  test.each(['iptables', 'nftables'])('of %s mode come from the flags of iptables', (mode) => {
    const { syncPeriodMs, document } = fromFlags([`--proxy-mode=${mode}`, ...flags]);
    expect([syncPeriodMs, document[mode]]).toMatchObject([36_000, { minSyncPeriod: '3s' }]);
  });
});

test('--cluster-cidr with a comma is two CIDRs', () => {
  expect(fromFlags(['--cluster-cidr=10.0.0.0/8,fd00::/64']).detectLocal).toEqual({
    mode: 'ClusterCIDR',
    clusterCidrs: ['10.0.0.0/8', 'fd00::/64'],
  });
});

test('conntrack flags of 0 are kept', () => {
  const flags = ['max-per-core', 'min'].map((name) => `--conntrack-${name}=0`);
  const timeouts = [
    'tcp-timeout-established',
    'tcp-timeout-close-wait',
    'udp-timeout',
    'udp-timeout-stream',
  ].map((name) => `--conntrack-${name}=0`);
  expect(fromFlags([...flags, ...timeouts]).conntrack).toEqual({
    maxPerCore: 0,
    min: 0,
    tcpEstablishedTimeoutMs: 0,
    tcpCloseWaitTimeoutMs: 0,
    tcpBeLiberal: false,
    udpTimeoutMs: 0,
    udpStreamTimeoutMs: 0,
  });
});

test('and so are those of a file, where nothing else could be meant', () => {
  const body = 'conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s}\noomScoreAdj: 0\n';
  const { conntrack, oomScoreAdj } = loaded(body).config;
  expect([conntrack.maxPerCore, conntrack.min, conntrack.tcpEstablishedTimeoutMs]).toEqual([
    0, 0, 0,
  ]);
  expect(oomScoreAdj).toBe(0);
});

test('flags about the log go before the file, and all others are left to it', () => {
  const body = `mode: iptables
clusterCIDR: 10.0.0.0/8
logging: {verbosity: 2, format: json, vmodule: [{filePattern: foo.go, verbosity: 6}]}
`;
  const flags = [
    '-v=7',
    '--vmodule',
    'goo.go=8',
    '--cluster-cidr=10.9.0.0/16',
    '--proxy-mode=nftables',
  ];
  const { config } = loaded(body, flags);
  expect(config.logging).toEqual({ format: 'json', verbosity: 7 });
  const options = { infoBufferSize: '0', splitStream: false };
  expect(resolvedDocument(config)['logging']).toEqual({
    format: 'json',
    flushFrequency: '5s',
    options: { json: options, text: options },
    verbosity: 7,
    vmodule: [
      { filePattern: 'goo.go', verbosity: 8 },
      { filePattern: 'foo.go', verbosity: 6 },
    ],
  });
  expect([config.proxyMode, config.detectLocal]).toEqual([
    'iptables',
    { mode: 'ClusterCIDR', clusterCidrs: ['10.0.0.0/8'] },
  ]);
});

test('a flag about the log that is given counts even where it says what is usual', () => {
  expect(loaded('logging: {verbosity: 2}\n', ['-v=0']).config.logging.verbosity).toBe(0);
  expect(loaded('logging: {verbosity: 2}\n').config.logging.verbosity).toBe(2);
});

test('flags that are no field count beside a file', () => {
  const { config } = loaded('', ['--nft-input=text', '--master=https://m']);
  expect([config.nftInput, config.clientConnection.master]).toEqual(['text', 'https://m']);
});

describe('addresses of servers', () => {
  test.each([
    ['1.2.3.4', '1.2.3.4:10256'],
    ['1.2.3.4:9', '1.2.3.4:9'],
    ['fd00::1', '[fd00::1]:10256'],
    ['[fd00::1]:9', '[fd00::1]:9'],
    ['[fd00::1]', '[fd00::1]'],
    ['::ffff:1.2.3.4', '[::ffff:1.2.3.4]:10256'],
    ['', ''],
  ])('%j gets its port: %j', (text, whole) => {
    expect(withPort(text, 10_256)).toBe(whole);
  });

  test('without a port in a file get 10256 and 10249', () => {
    const { config } = loaded('healthzBindAddress: 1.2.3.4\nmetricsBindAddress: fd00::1\n');
    expect([config.healthzBindAddress, config.metricsBindAddress]).toEqual([
      { ip: '1.2.3.4', port: 10_256 },
      { ip: 'fd00::1', port: 10_249 },
    ]);
  });

  test('that a file does not say are of the family of bindAddress', () => {
    const { document } = loaded('bindAddress: fd00::1\n').config;
    expect([document['healthzBindAddress'], document['metricsBindAddress']]).toEqual([
      '[::]:10256',
      '[::1]:10249',
    ]);
  });

  test('of flags have the port of the flags for ports, where they have none', () => {
    const flags = ['--healthz-port=1', '--metrics-port=2', '--healthz-bind-address=1.2.3.4'];
    const config = fromFlags([...flags, '--metrics-bind-address=1.2.3.4:3']);
    expect([config.healthzBindAddress, config.metricsBindAddress]).toEqual([
      { ip: '1.2.3.4', port: 1 },
      { ip: '1.2.3.4', port: 3 },
    ]);
  });

  test('of health are none with port 0, which metrics cannot do without', () => {
    expect(fromFlags(['--healthz-port=0']).healthzBindAddress).toBeUndefined();
    expect(faultsIn(() => fromFlags(['--metrics-port=0']))).toEqual([
      '--metrics-bind-address: cannot be switched off',
    ]);
  });

  test('that are empty are as if they were not given', () => {
    const flags = ['bind-address', 'healthz-bind-address', 'metrics-bind-address'];
    expect(fromFlags(flags.map((name) => `--${name}=`))).toEqual(fromFlags([]));
    const body = flags.map((name) => `${camelCase(name)}: ""\n`).join('');
    expect(loaded(body).config).toEqual(fromFlags([]));
  });
});

function camelCase(name: string): string {
  return name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase());
}

test('what k3s starts kube-proxy with is accepted as it is', () => {
  const usual = fromFlags(['--proxy-mode=iptables']);
  const config = fromFlags([
    '--cluster-cidr=10.42.0.0/16',
    '--conntrack-max-per-core=0',
    '--conntrack-tcp-timeout-close-wait=0s',
    '--conntrack-tcp-timeout-established=0s',
    '--healthz-bind-address=127.0.0.1',
    '--hostname-override=node-1',
    '--kubeconfig=/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig',
    '--proxy-mode=iptables',
  ]);
  // The document is the same once more, and has tests of its own.
  const { document } = config;
  expect(config).toEqual({
    ...usual,
    document,
    nodeName: 'node-1',
    detectLocal: { mode: 'ClusterCIDR', clusterCidrs: ['10.42.0.0/16'] },
    healthzBindAddress: { ip: '127.0.0.1', port: 10_256 },
    clientConnection: {
      ...usual.clientConnection,
      kubeconfig: '/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig',
    },
    conntrack: {
      ...usual.conntrack,
      maxPerCore: 0,
      tcpCloseWaitTimeoutMs: 0,
      tcpEstablishedTimeoutMs: 0,
    },
  });
});

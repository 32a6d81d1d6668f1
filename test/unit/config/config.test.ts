import { describe, expect, test } from 'vitest';
import { faultsIn, fromFlags as config } from './load.ts';

const faults = (argv: readonly string[], hostname?: string) =>
  faultsIn(() => config(argv, hostname));

/** The whole Config without flags, but for the document: file.test.ts has that. */
const usual = {
  proxyMode: 'nftables',
  nodeName: 'host',
  detectLocal: { mode: 'ClusterCIDR', clusterCidrs: [] },
  nodePortAddresses: 'primary',
  localhostNodePorts: true,
  masqueradeAll: false,
  masqueradeBit: 14,
  nftInput: 'auto',
  serviceCounters: 'services',
  bindAddress: '0.0.0.0',
  healthzBindAddress: { ip: '0.0.0.0', port: 10_256 },
  metricsBindAddress: { ip: '127.0.0.1', port: 10_249 },
  debugBindAddress: { ip: '127.0.0.1', port: 10_247 },
  bindAddressHardFail: false,
  clientConnection: {
    kubeconfig: undefined,
    master: undefined,
  },
  syncPeriodMs: 30_000,
  conntrack: {
    maxPerCore: 32_768,
    min: 131_072,
    tcpEstablishedTimeoutMs: 86_400_000,
    tcpCloseWaitTimeoutMs: 3_600_000,
    tcpBeLiberal: false,
    udpTimeoutMs: 0,
    udpStreamTimeoutMs: 0,
  },
  oomScoreAdj: -999,
  logging: { format: 'auto', verbosity: 0 },
};

describe('the Config', () => {
  test('without flags', () => {
    const { document: _, ...rest } = config([], ' Node-1.Example \n');
    expect(rest).toEqual({ ...usual, nodeName: 'node-1.example' });
  });

  test('with all flags', () => {
    const argv = [
      '--proxy-mode=iptables',
      '--hostname-override= Node-2 ',
      '--cluster-cidr=fd00:244::/56,10.244.0.0/16',
      '--nodeport-addresses=192.168.0.9/24',
      '--nodeport-addresses=FD00:192::/64',
      '--iptables-localhost-nodeports=false',
      '--masquerade-all',
      '--iptables-masquerade-bit=0',
      '--nft-input=text',
      '--service-counters=off',
      '--bind-address=fd00::1',
      '--healthz-bind-address=fd00::2',
      '--metrics-bind-address=1.2.3.4:5',
      '--debug-bind-address=::1',
      '--bind-address-hard-fail',
      '--profiling',
      '--show-hidden-metrics-for-version=1.35',
      '--kubeconfig=/k',
      '--master=https://m',
      '--kube-api-content-type=c',
      '--kube-api-qps=2.5',
      '--kube-api-burst=7',
      '--config-sync-period=1m',
      '--iptables-sync-period=36s',
      '--iptables-min-sync-period=3s',
      '--conntrack-max-per-core=1',
      '--conntrack-min=2',
      '--conntrack-tcp-timeout-established=3s',
      '--conntrack-tcp-timeout-close-wait=4s',
      '--conntrack-tcp-be-liberal',
      '--conntrack-udp-timeout=5s',
      '--conntrack-udp-timeout-stream=6s',
      '--oom-score-adj=7',
      '-v=8',
      '--logging-format=json',
      '--feature-gates=A=true,B=false',
      '--feature-gates=B=true',
    ];
    const { document: _, ...rest } = config(argv);
    expect(rest).toEqual({
      proxyMode: 'iptables',
      nodeName: 'node-2',
      detectLocal: { mode: 'ClusterCIDR', clusterCidrs: ['fd00:244::/56', '10.244.0.0/16'] },
      nodePortAddresses: ['192.168.0.0/24', 'fd00:192::/64'],
      localhostNodePorts: false,
      masqueradeAll: true,
      masqueradeBit: 0,
      nftInput: 'text',
      serviceCounters: 'off',
      bindAddress: 'fd00::1',
      healthzBindAddress: { ip: 'fd00::2', port: 10_256 },
      metricsBindAddress: { ip: '1.2.3.4', port: 5 },
      debugBindAddress: { ip: '::1', port: 10_247 },
      bindAddressHardFail: true,
      clientConnection: {
        kubeconfig: '/k',
        master: 'https://m',
      },
      syncPeriodMs: 36_000,
      conntrack: {
        maxPerCore: 1,
        min: 2,
        tcpEstablishedTimeoutMs: 3000,
        tcpCloseWaitTimeoutMs: 4000,
        tcpBeLiberal: true,
        udpTimeoutMs: 5000,
        udpStreamTimeoutMs: 6000,
      },
      oomScoreAdj: 7,
      logging: { format: 'json', verbosity: 8 },
    });
  });

  test.each([
    [['--detect-local-mode=NodeCIDR', '--cluster-cidr=10.0.0.0/8'], { mode: 'NodeCIDR' }],
    [
      ['--detect-local-mode=BridgeInterface', '--pod-bridge-interface=cni0'],
      { mode: 'BridgeInterface', name: 'cni0' },
    ],
    [
      ['--detect-local-mode=InterfaceNamePrefix', '--pod-interface-name-prefix=veth'],
      { mode: 'InterfaceNamePrefix', prefix: 'veth' },
    ],
  ])('%j', (argv, detectLocal) => {
    expect(config(argv).detectLocal).toEqual(detectLocal);
  });

  test.each<[argv: string[], nodePortAddresses: unknown]>([
    [['--proxy-mode=nftables'], 'primary'],
    [['--proxy-mode=iptables'], []],
    [['--proxy-mode=iptables', '--nodeport-addresses=primary'], 'primary'],
    [['--proxy-mode=nftables', '--nodeport-addresses='], 'primary'],
    [
      ['--proxy-mode=nftables', '--nodeport-addresses=0.0.0.0/0,::/0'],
      ['0.0.0.0/0', '::/0'],
    ],
  ])('takes node ports where %j says', (argv, nodePortAddresses) => {
    expect(config(argv).nodePortAddresses).toEqual(nodePortAddresses);
  });

  test('is frozen through and through', () => {
    const frozen = config(['--cluster-cidr=10.244.0.0/16', '--nodeport-addresses=10.0.0.0/8']);
    const { detectLocal, nodePortAddresses } = frozen;
    expect([frozen, detectLocal, nodePortAddresses].every(Object.isFrozen)).toBe(true);
    expect(detectLocal.mode === 'ClusterCIDR' && Object.isFrozen(detectLocal.clusterCidrs)).toBe(
      true,
    );
  });
});

describe('faults', () => {
  test.each<[argv: string[], lines: string[]]>([
    [['--hostname-override=  '], ['--hostname-override: "  " cannot be the name of a node']],
    [['--debug-bind-address=x:1'], ['--debug-bind-address: "x:1": its host is not an IP address']],
    [['--hostname-override=a b'], ['--hostname-override: "a b" cannot be the name of a node']],
    [
      ['--cluster-cidr=10.1.0.0/16,10.2.0.0/16'],
      ['--cluster-cidr: 10.1.0.0/16,10.2.0.0/16 is not one CIDR, or one of each IP family'],
    ],
    [
      ['--cluster-cidr=10.1.0.0/16,fd00::/64,10.2.0.0/16'],
      [
        '--cluster-cidr: 10.1.0.0/16,fd00::/64,10.2.0.0/16 is not one CIDR, or one of each IP family',
      ],
    ],
    [
      ['--detect-local-mode=BridgeInterface', '--hostname-override=-'],
      [
        '--hostname-override: "-" cannot be the name of a node',
        '--detect-local-mode: BridgeInterface needs --pod-bridge-interface',
      ],
    ],
    [
      ['--nodeport-addresses=primary,10.0.0.0/8'],
      ['--nodeport-addresses: primary must stand alone, not in primary,10.0.0.0/8'],
    ],
    [
      ['--nodeport-addresses=fd00::/64', '--nodeport-addresses=primary'],
      ['--nodeport-addresses: primary must stand alone, not in fd00::/64,primary'],
    ],
    [
      ['--nodeport-addresses=primary', '--nodeport-addresses=primary'],
      ['--nodeport-addresses: primary must stand alone, not in primary,primary'],
    ],
    [
      ['--detect-local-mode=InterfaceNamePrefix'],
      ['--detect-local-mode: InterfaceNamePrefix needs --pod-interface-name-prefix'],
    ],
  ])('of %j', (argv, lines) => {
    expect(faults(argv)).toEqual(lines);
  });

  test('of a host without a name', () => {
    expect(faults([], ' ')).toEqual(['this host has no name: set --hostname-override']);
    expect(faults(['--hostname-override=n1'], '')).toEqual([]);
  });
});

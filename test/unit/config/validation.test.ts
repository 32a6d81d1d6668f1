// What a configuration may not say: each fault names the field and its value, whether it stands in a
// file or among the flags.
import { describe, expect, test } from 'vitest';
import { faultsIn, faultsOf, fromFlags, loaded } from './load.ts';

const flagFaults = (...flags: string[]) => faultsIn(() => fromFlags(flags));

describe('bindAddress', () => {
  test.each([
    ['10.10.12.11:2000', '"10.10.12.11:2000" is not an IP address'],
    ['[::]', '"[::]" is not an IP address'],
    ['10.10.12', '"10.10.12" is not an IP address'],
    ['host', '"host" is not an IP address'],
  ])('%j is refused', (address, why) => {
    expect(faultsOf(`bindAddress: "${address}"\n`)).toEqual([`FILE:3: bindAddress: ${why}`]);
    expect(flagFaults(`--bind-address=${address}`)).toEqual([`--bind-address: ${why}`]);
  });

  test.each(['::', '0.0.0.0', 'fd00::1', '127.0.0.1'])('%j is fine', (address) => {
    expect(faultsOf(`bindAddress: "${address}"\n`)).toEqual([]);
  });
});

describe.each([
  ['healthzBindAddress', 'healthz-bind-address'],
  ['metricsBindAddress', 'metrics-bind-address'],
])('%s', (field, flag) => {
  test.each([
    ['1.2.3.4.5', 'is not IP:port'],
    ['[::1]', 'is not IP:port'],
    ['fd00::1:1:2:3:4:5:6:7:8', 'is not IP:port'],
    ['1.2.3.4:', 'its port is not from 1 to 65535'],
    ['1.2.3.4:http', 'its port is not from 1 to 65535'],
    ['1.2.3.4:0', 'its port is not from 1 to 65535'],
    ['1.2.3.4:65536', 'its port is not from 1 to 65535'],
    ['1.2.3.400:80', 'its host is not an IP address'],
    ['[1.2.3.4.5]:x', 'its host is not an IP address, and its port is not from 1 to 65535'],
    [':80', 'its host is not an IP address'],
  ])('%j is refused', (address, why) => {
    const line = `"${address}": ${why}`;
    expect(faultsOf(`${field}: "${address}"\n`)).toEqual([`FILE:3: ${field}: ${line}`]);
    expect(flagFaults(`--${flag}=${address}`)).toEqual([`--${flag}: ${line}`]);
  });

  test.each(['1.2.3.4:1', '[fd00::1]:65535', '[::]:80'])('%j is fine', (address) => {
    expect(faultsOf(`${field}: "${address}"\n`)).toEqual([]);
  });
});

describe('periods', () => {
  test.each<[body: string, faults: readonly string[]]>([
    ['configSyncPeriod: -1s', ['FILE:3: configSyncPeriod: -1s is not more than 0']],
    [
      'nftables: {syncPeriod: -1s, minSyncPeriod: 1ms}',
      [
        'FILE:3: nftables.syncPeriod: -1s is not more than 0',
        'FILE:3: nftables.minSyncPeriod: 1ms is more than the syncPeriod of -1s',
      ],
    ],
    ['nftables: {minSyncPeriod: -1s}', ['FILE:3: nftables.minSyncPeriod: -1s is less than 0']],
    [
      'nftables: {syncPeriod: 1s, minSyncPeriod: 2s}',
      ['FILE:3: nftables.minSyncPeriod: 2s is more than the syncPeriod of 1s'],
    ],
    ['iptables: {syncPeriod: 1s, minSyncPeriod: 2s}', []],
    ['nftables: {syncPeriod: 2s, minSyncPeriod: 2s}', []],
    ['nftables: {syncPeriod: 0s, minSyncPeriod: 0s}\nconfigSyncPeriod: 0s', []],
  ])('%s', (body, faults) => {
    expect(faultsOf(`${body}\n`)).toEqual(faults);
  });

  test('of zero are faults as flags', () => {
    expect(flagFaults('--config-sync-period=0', '--iptables-sync-period=0s')).toEqual([
      '--config-sync-period: 0s is not more than 0',
      '--iptables-sync-period: 0s is not more than 0',
    ]);
    expect(flagFaults('--iptables-sync-period=1s', '--iptables-min-sync-period=2s')).toEqual([
      '--iptables-min-sync-period: 2s is more than the syncPeriod of 1s',
    ]);
  });
});

describe('numbers out of their bounds', () => {
  test.each<[body: string, fault: string | undefined]>([
    ['iptables: {masqueradeBit: -10}', 'iptables.masqueradeBit: -10 is not from 0 to 31'],
    [
      'mode: nftables\niptables: {masqueradeBit: 32}',
      'iptables.masqueradeBit: 32 is not from 0 to 31',
    ],
    ['iptables: {masqueradeBit: 12}', undefined],
    ['nftables: {masqueradeBit: -10}', 'nftables.masqueradeBit: -10 is not from 0 to 31'],
    ['mode: iptables\nnftables: {masqueradeBit: -10}', undefined],
    ['oomScoreAdj: -1001', 'oomScoreAdj: -1001 is not from -1000 to 1000'],
    ['oomScoreAdj: 1001', 'oomScoreAdj: 1001 is not from -1000 to 1000'],
    ['conntrack: {maxPerCore: -1}', 'conntrack.maxPerCore: -1 is less than 0'],
    ['conntrack: {min: -1}', 'conntrack.min: -1 is less than 0'],
    [
      'conntrack: {tcpEstablishedTimeout: -1s}',
      'conntrack.tcpEstablishedTimeout: -1s is less than 0',
    ],
    ['conntrack: {tcpCloseWaitTimeout: -1s}', 'conntrack.tcpCloseWaitTimeout: -1s is less than 0'],
    ['conntrack: {udpTimeout: -1s}', 'conntrack.udpTimeout: -1s is less than 0'],
    ['conntrack: {udpStreamTimeout: -1s}', 'conntrack.udpStreamTimeout: -1s is less than 0'],
    ['clientConnection: {burst: -5}', 'clientConnection.burst: -5 is less than 0'],
    ['clientConnection: {qps: -1}', undefined],
  ])('%s', (body, fault) => {
    const faults = faultsOf(`${body}\n`).map((line) => line.replace(/^FILE:\d+: /, ''));
    expect(faults).toEqual(fault === undefined ? [] : [fault]);
  });
});

describe('modes', () => {
  test.each([
    ['mode: userspace', 'mode: "userspace" is not one of nftables, iptables'],
    ['mode: kernelspace', 'mode: "kernelspace" is not one of nftables, iptables'],
    ['mode: ipvs', 'mode: ipvs is not supported, and deprecated in kube-proxy: use nftables'],
    [
      'detectLocalMode: Guess',
      'detectLocalMode: "Guess" is not one of ClusterCIDR, NodeCIDR, BridgeInterface, InterfaceNamePrefix',
    ],
    [
      'detectLocalMode: BridgeInterface',
      'detectLocalMode: BridgeInterface needs detectLocal.bridgeInterface',
    ],
    [
      'detectLocalMode: InterfaceNamePrefix',
      'detectLocalMode: InterfaceNamePrefix needs detectLocal.interfaceNamePrefix',
    ],
  ])('%s is refused', (body, fault) => {
    expect(faultsOf(`${body}\n`)).toEqual([`FILE:3: ${fault}`]);
  });
});

describe('addresses', () => {
  test.each<[body: string, fault: string | undefined]>([
    [
      'nodePortAddresses: [10.0.0.0/40]',
      'nodePortAddresses[0]: "10.0.0.0/40" is not a CIDR, or primary',
    ],
    [
      'nodePortAddresses: [10.0.0.0/8, 1.2.3.4]',
      'nodePortAddresses[1]: "1.2.3.4" is not a CIDR, or primary',
    ],
    [
      'nodePortAddresses: [primary, 10.0.0.0/8]',
      'nodePortAddresses: primary must stand alone, not in primary,10.0.0.0/8',
    ],
    [
      'nodePortAddresses: [10.0.0.0/8, primary]',
      'nodePortAddresses: primary must stand alone, not in 10.0.0.0/8,primary',
    ],
    ['nodePortAddresses: [primary]', undefined],
    [
      'clusterCIDR: 10.0.0.0',
      'clusterCIDR: "10.0.0.0" is not a CIDR, or several separated by commas',
    ],
    [
      'clusterCIDR: 10.0.0.0/16,10.1.0.0/16',
      'clusterCIDR: 10.0.0.0/16,10.1.0.0/16 is not one CIDR, or one of each IP family',
    ],
    [
      'clusterCIDR: 10.0.0.0/16,fd00::/64,10.1.0.0/16',
      'clusterCIDR: 10.0.0.0/16,fd00::/64,10.1.0.0/16 is not one CIDR, or one of each IP family',
    ],
    ['clusterCIDR: fd00::/64,10.1.0.0/16', undefined],
    ['detectLocalMode: NodeCIDR\nclusterCIDR: 10.0.0.0/16,10.1.0.0/16', undefined],
    ['detectLocalMode: NodeCIDR\nclusterCIDR: nonsense', undefined],
  ])('%s', (body, fault) => {
    const faults = faultsOf(`${body}\n`).map((line) => line.replace(/^FILE:\d+: /, ''));
    expect(faults).toEqual(fault === undefined ? [] : [fault]);
  });
});

test('no health server is asked for by an address that is not there', () => {
  const { healthzBindAddress, document } = fromFlags(['--healthz-port=0']);
  expect([healthzBindAddress, document['healthzBindAddress']]).toEqual([undefined, '']);
});

test.each(['1.34', '1.36', '1', 'v1.35', '2.35'])(
  'metrics hidden in %s cannot be shown',
  (version) => {
    expect(faultsOf(`showHiddenMetricsForVersion: "${version}"\n`)).toEqual([
      `FILE:3: showHiddenMetricsForVersion: "${version}" is not the previous minor version, 1.35`,
    ]);
  },
);

test('a valid configuration has no fault and no Config is made of another', () => {
  expect(loaded('bindAddress: 10.0.0.1\n').config.bindAddress).toBe('10.0.0.1');
  expect(() => loaded('bindAddress: x\n')).toThrow('FILE:3: bindAddress');
});

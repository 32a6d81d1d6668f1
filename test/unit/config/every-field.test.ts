// A KubeProxyConfiguration with every field in it.
import { expect, test } from 'vitest';
import { loaded } from './load.ts';

test('a file with every field in it is taken over whole', () => {
  const { config } = loaded(`
mode: iptables
hostnameOverride: " Node-7 "
clusterCIDR: 10.1.2.3/16,FD00::/56
detectLocalMode: ClusterCIDR
nodePortAddresses: [192.168.0.9/24, "fd00:192::/64"]
iptables: {localhostNodePorts: false, masqueradeAll: true, masqueradeBit: 3, syncPeriod: 1m, minSyncPeriod: 2s}
nftables: {masqueradeAll: false, masqueradeBit: 4, syncPeriod: 2m, minSyncPeriod: 3s}
bindAddress: fd00::9
healthzBindAddress: 1.2.3.4:1
metricsBindAddress: "[fd00::1]:2"
bindAddressHardFail: true
enableProfiling: on
showHiddenMetricsForVersion: "1.35"
clientConnection: {kubeconfig: /k, acceptContentTypes: a, contentType: b, qps: 2.5, burst: 7}
configSyncPeriod: 1h
featureGates: {AllAlpha: true, Other: false}
conntrack:
  maxPerCore: 1
  min: 2
  tcpEstablishedTimeout: 3s
  tcpCloseWaitTimeout: 4s
  tcpBeLiberal: true
  udpTimeout: 5s
  udpStreamTimeout: 1500ms
oomScoreAdj: 0
logging: {verbosity: 4, format: json, flushFrequency: 1000000000, vmodule: [{filePattern: "a*", verbosity: 2}]}
portRange: 1-2
`);
  const { document, ...rest } = config;
  expect(rest).toEqual({
    proxyMode: 'iptables',
    nodeName: 'node-7',
    detectLocal: { mode: 'ClusterCIDR', clusterCidrs: ['10.1.0.0/16', 'fd00::/56'] },
    nodePortAddresses: ['192.168.0.0/24', 'fd00:192::/64'],
    localhostNodePorts: false,
    masqueradeAll: true,
    masqueradeBit: 3,
    syncPeriodMs: 60_000,
    nftInput: 'auto',
    serviceCounters: 'services',
    bindAddress: 'fd00::9',
    healthzBindAddress: { ip: '1.2.3.4', port: 1 },
    metricsBindAddress: { ip: 'fd00::1', port: 2 },
    debugBindAddress: { ip: '127.0.0.1', port: 10_247 },
    bindAddressHardFail: true,
    clientConnection: {
      kubeconfig: '/k',
      master: undefined,
    },
    conntrack: {
      maxPerCore: 1,
      min: 2,
      tcpEstablishedTimeoutMs: 3000,
      tcpCloseWaitTimeoutMs: 4000,
      tcpBeLiberal: true,
      udpTimeoutMs: 5000,
      udpStreamTimeoutMs: 1500,
    },
    oomScoreAdj: 0,
    logging: { format: 'json', verbosity: 4 },
  });
  const logOptions = { infoBufferSize: '0', splitStream: false };
  expect(document).toEqual({
    kind: 'KubeProxyConfiguration',
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    mode: 'iptables',
    hostnameOverride: ' Node-7 ',
    detectLocalMode: 'ClusterCIDR',
    detectLocal: { bridgeInterface: '', interfaceNamePrefix: '' },
    clusterCIDR: '10.1.0.0/16,fd00::/56',
    nodePortAddresses: ['192.168.0.0/24', 'fd00:192::/64'],
    iptables: {
      localhostNodePorts: false,
      masqueradeAll: true,
      masqueradeBit: 3,
      syncPeriod: '1m0s',
      minSyncPeriod: '2s',
    },
    nftables: {
      masqueradeAll: false,
      masqueradeBit: 4,
      syncPeriod: '2m0s',
      minSyncPeriod: '3s',
    },
    ipvs: {
      excludeCIDRs: [],
      minSyncPeriod: '0s',
      scheduler: '',
      strictARP: false,
      syncPeriod: '30s',
      tcpFinTimeout: '0s',
      tcpTimeout: '0s',
      udpTimeout: '0s',
    },
    winkernel: {
      enableDSR: false,
      forwardHealthCheckVip: false,
      networkName: '',
      rootHnsEndpointName: '',
      sourceVip: '',
    },
    windowsRunAsService: false,
    bindAddress: 'fd00::9',
    healthzBindAddress: '1.2.3.4:1',
    metricsBindAddress: '[fd00::1]:2',
    bindAddressHardFail: true,
    enableProfiling: true,
    showHiddenMetricsForVersion: '1.35',
    clientConnection: {
      kubeconfig: '/k',
      acceptContentTypes: 'a',
      contentType: 'b',
      qps: 2.5,
      burst: 7,
    },
    configSyncPeriod: '1h0m0s',
    featureGates: { AllAlpha: true, Other: false },
    conntrack: {
      maxPerCore: 1,
      min: 2,
      tcpEstablishedTimeout: '3s',
      tcpCloseWaitTimeout: '4s',
      tcpBeLiberal: true,
      udpTimeout: '5s',
      udpStreamTimeout: '1.5s',
    },
    oomScoreAdj: 0,
    logging: {
      verbosity: 4,
      format: 'json',
      flushFrequency: '1s',
      vmodule: [{ filePattern: 'a*', verbosity: 2 }],
      options: { json: logOptions, text: logOptions },
    },
    portRange: '1-2',
  });
});

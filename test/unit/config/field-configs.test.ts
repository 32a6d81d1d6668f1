// What kubeadm, kind and k3s give kube-proxy where nobody asked for anything else: all of it is taken as
// it stands, and means what it means there.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { parseArgs } from '../../../src/cli/arguments/args.ts';
import { loadConfig, type LoadedConfig } from '../../../src/config/load-config.ts';
import type { Config } from '../../../src/model/config.ts';

const folder = join(import.meta.dirname, '../../fixtures/kube-proxy-configs');

/** What `sluice run` makes of a command line, on a host called `Node-1`. */
async function load(args: readonly string[]): Promise<LoadedConfig> {
  const { values, given, warnings } = parseArgs(['run', ...args]);
  const loaded = await loadConfig({ values, given, hostname: 'Node-1' });
  return { ...loaded, warnings: [...warnings, ...loaded.warnings] };
}

/** What they come to where they say nothing: all but `document`, which is these in other words. */
const defaults: Omit<Config, 'document'> = {
  proxyMode: 'nftables',
  nodeName: 'node-1',
  detectLocal: { mode: 'ClusterCIDR', clusterCidrs: [] },
  masqueradeAll: false,
  nodePortAddresses: 'primary',
  localhostNodePorts: true,
  masqueradeBit: 14,
  nftInput: 'auto',
  serviceCounters: 'services',
  bindAddress: '0.0.0.0' as Config['bindAddress'],
  healthzBindAddress: address('0.0.0.0', 10_256),
  metricsBindAddress: address('127.0.0.1', 10_249),
  debugBindAddress: address('127.0.0.1', 10_247),
  bindAddressHardFail: false,
  clientConnection: {
    kubeconfig: '/var/lib/kube-proxy/kubeconfig.conf',
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

function address(ip: string, port: number): Config['metricsBindAddress'] {
  return { ip: ip as Config['bindAddress'], port };
}

function pods(...clusterCidrs: readonly string[]): Config['detectLocal'] {
  return { mode: 'ClusterCIDR', clusterCidrs } as Config['detectLocal'];
}

const k3sArgs = readFileSync(join(folder, 'k3s-args.txt'), 'utf8').trim().split('\n');

const rows: readonly [tool: string, args: readonly string[], says: Partial<Config>][] = [
  ['kubeadm', ['--config', join(folder, 'kubeadm.yaml')], { detectLocal: pods('10.244.0.0/16') }],
  [
    'kubeadm in its DaemonSet',
    ['--config', join(folder, 'kubeadm.yaml'), '--hostname-override=node-2'],
    { detectLocal: pods('10.244.0.0/16'), nodeName: 'node-2' },
  ],
  [
    'kind',
    ['--config', join(folder, 'kind.yaml')],
    {
      proxyMode: 'iptables',
      detectLocal: pods('10.244.0.0/16'),
      nodePortAddresses: [],
      conntrack: { ...defaults.conntrack, maxPerCore: 0 },
    },
  ],
  [
    'k3s',
    k3sArgs,
    {
      proxyMode: 'iptables',
      detectLocal: pods('10.42.0.0/16'),
      nodePortAddresses: [],
      healthzBindAddress: address('127.0.0.1', 10_256),
      clientConnection: {
        ...defaults.clientConnection,
        kubeconfig: '/var/lib/rancher/k3s/agent/kubeproxy.kubeconfig',
      },
      conntrack: {
        ...defaults.conntrack,
        maxPerCore: 0,
        tcpEstablishedTimeoutMs: 0,
        tcpCloseWaitTimeoutMs: 0,
      },
    },
  ],
];

test.each(rows)('what %s says is taken over', async (_tool, args, says) => {
  const { config, warnings } = await load(args);
  const { document: _document, ...rest } = config;
  expect(rest).toEqual({ ...defaults, ...says });
  expect(warnings).toEqual([]);
});

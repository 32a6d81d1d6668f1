// The fields that decide about Service traffic.
import { defaultProxyMode } from '../../model/config.ts';
import type { FieldRow } from '../field.ts';

const bit = { kind: 'int', default: 14, range: { min: 0, max: 31 }, placeholder: 'BIT' } as const;

const syncPeriod = {
  kind: 'duration',
  default: 30_000,
  range: { above: 0 },
  zeroIsDefault: true,
  flag: 'iptables-sync-period',
  help: 'how often the rules in the kernel are checked',
  effect: 'obeyed',
} as const;

const minSyncPeriod = {
  kind: 'duration',
  default: 1000,
  range: { min: 0 },
  zeroIsDefault: true,
  flag: 'iptables-min-sync-period',
  help: 'the minimum time between syncs',
  effect: 'accepted',
} as const;

const masqueradeAll = {
  kind: 'bool',
  default: false,
  flag: 'masquerade-all',
  help: 'masquerade all Service traffic',
  effect: 'obeyed',
  isLive: true,
} as const;

const masqueradeBit = {
  ...bit,
  flag: 'iptables-masquerade-bit',
  help: 'the bit of the packet mark for masquerade',
  effect: 'obeyed',
  isLive: true,
} as const;

export const trafficFields = [
  {
    path: 'mode',
    flag: 'proxy-mode',
    kind: 'string',
    choices: ['nftables', 'iptables'],
    refusals: { ipvs: 'ipvs is not supported, and deprecated in kube-proxy: use nftables' },
    default: defaultProxyMode,
    help: 'the kernel subsystem to program',
    effect: 'obeyed',
  },
  {
    path: 'hostnameOverride',
    flag: 'hostname-override',
    kind: 'string',
    default: '',
    placeholder: 'NAME',
    help: "this node's name in the cluster, if not the host's",
    effect: 'obeyed',
  },
  {
    path: 'clusterCIDR',
    flag: 'cluster-cidr',
    kind: 'cidrs',
    default: [],
    placeholder: 'CIDR[,CIDR]',
    help: 'the pod network: one CIDR, or one per IP family',
    effect: 'obeyed',
    isLive: true,
  },
  {
    path: 'detectLocalMode',
    flag: 'detect-local-mode',
    kind: 'string',
    choices: ['ClusterCIDR', 'NodeCIDR', 'BridgeInterface', 'InterfaceNamePrefix'],
    default: 'ClusterCIDR',
    placeholder: 'MODE',
    help: 'how to recognize local pods: ClusterCIDR, NodeCIDR, BridgeInterface or InterfaceNamePrefix',
    effect: 'obeyed',
    isLive: true,
  },
  {
    path: 'detectLocal.bridgeInterface',
    flag: 'pod-bridge-interface',
    kind: 'interface',
    default: '',
    placeholder: 'NAME',
    help: 'the bridge of the pods, for BridgeInterface',
    effect: 'obeyed',
    isLive: true,
  },
  {
    path: 'detectLocal.interfaceNamePrefix',
    flag: 'pod-interface-name-prefix',
    kind: 'interface',
    default: '',
    placeholder: 'NAME',
    help: "the prefix of the pods' interfaces, for InterfaceNamePrefix",
    effect: 'obeyed',
    isLive: true,
  },
  {
    path: 'nodePortAddresses',
    flag: 'nodeport-addresses',
    kind: 'nodePortAddresses',
    adds: true,
    default: [],
    placeholder: 'CIDR[,CIDR]',
    help: "where node ports accept traffic, or primary: the Node's own addresses [nftables: primary; iptables: everywhere]",
    effect: 'obeyed',
    isLive: true,
  },
  {
    path: 'iptables.localhostNodePorts',
    flag: 'iptables-localhost-nodeports',
    kind: 'bool',
    default: true,
    help: 'let node ports accept traffic at 127.0.0.1 too; iptables only, on unless =false',
    effect: 'obeyed',
    isLive: true,
  },
  { path: 'iptables.masqueradeAll', ...masqueradeAll },
  { path: 'nftables.masqueradeAll', ...masqueradeAll },
  { path: 'iptables.masqueradeBit', ...masqueradeBit },
  { path: 'nftables.masqueradeBit', ...masqueradeBit },
  { path: 'iptables.syncPeriod', ...syncPeriod },
  { path: 'nftables.syncPeriod', ...syncPeriod },
  { path: 'iptables.minSyncPeriod', ...minSyncPeriod },
  { path: 'nftables.minSyncPeriod', ...minSyncPeriod },
] as const satisfies readonly FieldRow[];

// The fields that mean nothing here: of the IPVS mode, of Windows, and what kube-proxy itself ignores.
import type { FieldRow } from '../field.ts';

const ipvs = { effect: 'accepted', help: 'IPVS only' } as const;
const ipvsTime = { ...ipvs, kind: 'duration', default: 0 } as const;
const windows = { effect: 'accepted', help: 'Windows only' } as const;

export const elsewhereFields = [
  {
    path: 'ipvs.syncPeriod',
    flag: 'ipvs-sync-period',
    ...ipvsTime,
    default: 30_000,
    zeroIsDefault: true,
  },
  { path: 'ipvs.minSyncPeriod', flag: 'ipvs-min-sync-period', ...ipvsTime },
  { path: 'ipvs.scheduler', flag: 'ipvs-scheduler', kind: 'string', default: '', ...ipvs },
  {
    path: 'ipvs.excludeCIDRs',
    flag: 'ipvs-exclude-cidrs',
    kind: 'cidrList',
    adds: true,
    default: [],
    ...ipvs,
  },
  { path: 'ipvs.strictARP', flag: 'ipvs-strict-arp', kind: 'bool', default: false, ...ipvs },
  { path: 'ipvs.tcpTimeout', flag: 'ipvs-tcp-timeout', ...ipvsTime },
  { path: 'ipvs.tcpFinTimeout', flag: 'ipvs-tcpfin-timeout', ...ipvsTime },
  { path: 'ipvs.udpTimeout', flag: 'ipvs-udp-timeout', ...ipvsTime },
  { path: 'winkernel.networkName', kind: 'string', default: '', ...windows },
  { path: 'winkernel.sourceVip', kind: 'string', default: '', ...windows },
  { path: 'winkernel.enableDSR', kind: 'bool', default: false, ...windows },
  { path: 'winkernel.rootHnsEndpointName', kind: 'string', default: '', ...windows },
  { path: 'winkernel.forwardHealthCheckVip', kind: 'bool', default: false, ...windows },
  { path: 'windowsRunAsService', kind: 'bool', default: false, ...windows },
  {
    path: 'portRange',
    kind: 'string',
    default: '',
    help: 'without effect in kube-proxy too',
    effect: 'accepted',
  },
] as const satisfies readonly FieldRow[];

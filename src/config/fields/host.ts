// The fields that say how this host is set up for the proxy.
import type { FieldRow } from '../field.ts';

const timeout = { kind: 'duration', range: { min: 0 }, effect: 'obeyed' } as const;

export const hostFields = [
  {
    path: 'conntrack.maxPerCore',
    flag: 'conntrack-max-per-core',
    kind: 'int',
    default: 32_768,
    range: { min: 0 },
    help: 'tracked connections per core',
    effect: 'obeyed',
  },
  {
    path: 'conntrack.min',
    flag: 'conntrack-min',
    kind: 'int',
    default: 131_072,
    range: { min: 0 },
    help: 'the minimum of tracked connections',
    effect: 'obeyed',
  },
  {
    path: 'conntrack.tcpEstablishedTimeout',
    flag: 'conntrack-tcp-timeout-established',
    ...timeout,
    default: 86_400_000,
    help: 'how long idle connections are kept',
  },
  {
    path: 'conntrack.tcpCloseWaitTimeout',
    flag: 'conntrack-tcp-timeout-close-wait',
    ...timeout,
    default: 3_600_000,
    help: 'how long half-closed ones are kept',
  },
  {
    path: 'conntrack.tcpBeLiberal',
    flag: 'conntrack-tcp-be-liberal',
    kind: 'bool',
    default: false,
    help: 'accepts packets outside the TCP window',
    effect: 'obeyed',
  },
  {
    path: 'conntrack.udpTimeout',
    flag: 'conntrack-udp-timeout',
    ...timeout,
    default: 0,
    help: 'how long unanswered UDP is kept',
  },
  {
    path: 'conntrack.udpStreamTimeout',
    flag: 'conntrack-udp-timeout-stream',
    ...timeout,
    default: 0,
    help: 'how long answered UDP is kept',
  },
  {
    path: 'oomScoreAdj',
    flag: 'oom-score-adj',
    kind: 'int',
    default: -999,
    range: { min: -1000, max: 1000 },
    help: 'how readily the kernel kills the process',
    effect: 'obeyed',
  },
] as const satisfies readonly FieldRow[];

// The flags of kube-proxy that have no effect yet. They are checked and accepted, so that a command line
// written for kube-proxy works as it stands; each that asks for something else than its default is
// answered with a warning.
import { parseFlagValue, type Command, type Flag, type FlagValue } from './flag.ts';
import type { FlagKind } from '../config/flag-kinds.ts';

/** Name, kind of value, kube-proxy's default as one would type it, and what it means there. */
type Row = readonly [name: string, kind: FlagKind, defaultText: string, help: string];

const accepted: readonly Row[] = [
  ['config', 'string', '', 'a KubeProxyConfiguration file'],
  ['feature-gates', 'string', '', 'features of Kubernetes to turn on or off'],
  ['kubeconfig', 'string', '', 'how to reach the API server'],
  ['master', 'string', '', 'the address of the API server'],
  ['kube-api-content-type', 'string', 'application/vnd.kubernetes.protobuf', 'what to ask for'],
  ['kube-api-qps', 'decimal', '5', 'requests to the API server per second'],
  ['kube-api-burst', 'int', '10', 'requests to the API server at once'],
  ['bind-address', 'string', '0.0.0.0', "overrides the node's address"],
  ['bind-address-hard-fail', 'bool', 'false', 'ends where a port cannot be bound'],
  ['healthz-bind-address', 'string', '0.0.0.0:10256', 'where health is served'],
  ['healthz-port', 'int', '10256', 'the port of the health server'],
  ['metrics-bind-address', 'string', '127.0.0.1:10249', 'where metrics are served'],
  ['metrics-port', 'int', '10249', 'the port of the metrics server'],
  ['profiling', 'bool', 'false', 'serves profiles beside the metrics'],
  ['show-hidden-metrics-for-version', 'string', '', 'shows metrics hidden in that version'],
  ['iptables-localhost-nodeports', 'bool', 'true', 'serves node ports on 127.0.0.1'],
  ['iptables-sync-period', 'duration', '30s', 'the longest time between syncs'],
  ['iptables-min-sync-period', 'duration', '1s', 'the shortest time between syncs'],
  ['ipvs-sync-period', 'duration', '30s', 'IPVS only'],
  ['ipvs-min-sync-period', 'duration', '1s', 'IPVS only'],
  ['ipvs-scheduler', 'string', '', 'IPVS only'],
  ['ipvs-exclude-cidrs', 'cidrs', '', 'IPVS only'],
  ['ipvs-strict-arp', 'bool', 'false', 'IPVS only'],
  ['ipvs-tcp-timeout', 'duration', '0s', 'IPVS only'],
  ['ipvs-tcpfin-timeout', 'duration', '0s', 'IPVS only'],
  ['ipvs-udp-timeout', 'duration', '0s', 'IPVS only'],
  ['nodeport-addresses', 'nodePortAddresses', '', 'where node ports are served'],
  ['oom-score-adj', 'int', '-999', 'how readily the kernel kills the process'],
  ['conntrack-max-per-core', 'int', '32768', 'tracked connections per core'],
  ['conntrack-min', 'int', '131072', 'tracked connections at least'],
  ['conntrack-tcp-timeout-established', 'duration', '24h', 'how long idle connections are kept'],
  ['conntrack-tcp-timeout-close-wait', 'duration', '1h', 'how long half-closed ones are kept'],
  ['conntrack-tcp-be-liberal', 'bool', 'false', 'accepts packets outside the TCP window'],
  ['conntrack-udp-timeout', 'duration', '0s', 'how long unanswered UDP is kept'],
  ['conntrack-udp-timeout-stream', 'duration', '0s', 'how long answered UDP is kept'],
  ['config-sync-period', 'duration', '15m', 'how often everything is compared anew'],
  ['vmodule', 'string', '', 'verbosity by source file'],
  ['logging-format', 'string', 'text', 'the format of the log'],
  ['log-flush-frequency', 'duration', '5s', 'how often the log is flushed'],
  ['log-text-split-stream', 'bool', 'false', 'splits the text log by severity'],
  ['log-text-info-buffer-size', 'string', '0', 'buffers the text log'],
  ['log-json-split-stream', 'bool', 'false', 'splits the JSON log by severity'],
  ['log-json-info-buffer-size', 'string', '0', 'buffers the JSON log'],
  ['boot-id-file', 'string', '/proc/sys/kernel/random/boot_id', 'where the boot id is read'],
  [
    'machine-id-file',
    'string',
    '/etc/machine-id,/var/lib/dbus/machine-id',
    'where the machine id is read',
  ],
];

// A caller of these waits for the process to end, which `run` would never do.
const refused: readonly Row[] = [
  ['init-only', 'bool', 'false', 'prepares the node and ends'],
  ['write-config-to', 'string', '', 'writes the configuration to a file and ends'],
];

const proxyCommands: readonly Command[] = ['run', 'diff', 'render', 'cleanup'];

/** All flags that kube-proxy has and Sluice does not obey. */
export const acceptedFlags: readonly Flag[] = [
  ...accepted.map((row) => flagOf(row, 'accepted')),
  ...refused.map((row) => flagOf(row, 'refused')),
];

function flagOf([name, kind, text, help]: Row, effect: 'accepted' | 'refused'): Flag {
  const blank = { name, kind, help, effect, commands: proxyCommands, default: undefined };
  return { ...blank, default: defaultOf(blank, text) };
}

function defaultOf(flag: Flag, text: string): FlagValue {
  const parsed = parseFlagValue(flag, text);
  return parsed.kind === 'value' ? parsed.value : undefined;
}

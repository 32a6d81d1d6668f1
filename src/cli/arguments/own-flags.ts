// The flags of ours, by name: what kube-proxy does not have, and what every program has.
import { defaultDebug } from '../../config/values/socket-address.ts';
import { serviceCounters } from '../../model/config.ts';
import { overlays } from '../../lab/topology.ts';
import type { FlagRow } from './flag.ts';

/** Flags that a command takes for itself. */
export const ownFlags = {
  manifests: {
    short: 'f',
    kind: 'string',
    placeholder: 'PATH',
    help: 'the objects: a file, a folder, or - for standard input',
  },
  daemon: {
    kind: 'string',
    placeholder: 'URL',
    help: 'ask the daemon at this address: http://127.0.0.1:10247',
  },
  live: {
    kind: 'bool',
    default: false,
    help: 'follow one real packet through all rules of this host, and compare',
  },
  wait: {
    kind: 'duration',
    default: 60_000,
    placeholder: 'TIME',
    help: 'how long to wait for a packet that this node does not send itself',
  },
  'dry-run': { kind: 'bool', default: false, help: 'print what would be done, change nothing' },
  against: {
    kind: 'string',
    placeholder: 'FILE',
    help: 'compare with a saved ruleset instead of the kernel',
  },
  rules: { kind: 'bool', default: false, help: 'show the rules too' },
  all: {
    kind: 'bool',
    default: false,
    help: 'all Services, not only the first 20 of each kind',
  },
  probe: {
    kind: 'bool',
    default: false,
    help: 'also connect to every Service address from this node',
  },
  'refuse-if-endpoints-lost': {
    kind: 'string',
    placeholder: 'N%',
    help: 'refuse if any Service loses over N% of its endpoints',
  },
  'refuse-if-services-lost': {
    kind: 'string',
    placeholder: 'N|N%',
    help: 'refuse if more than N Services, or N%, are removed',
  },
  'service-node-port-range': {
    kind: 'string',
    default: '30000-32767',
    placeholder: 'FIRST-LAST',
    help: "the API server's range of node ports",
  },
  passes: {
    kind: 'bool',
    default: false,
    help: 'print the flight record as JSON, for sluice replay',
  },
  once: { kind: 'bool', default: false, help: 'print once and exit, even on a terminal' },
  sort: {
    kind: 'string',
    choices: ['rate', 'total', 'idle', 'imbalance', 'name'],
    default: 'rate',
    help: 'sort order; idle: most endpoints without connections first',
  },
  step: { kind: 'int', placeholder: 'N', help: 'show only the pass with this number' },
  'status-page': {
    kind: 'bool',
    default: false,
    help: 'serve a page for people at the debug address',
  },
  'service-connection-metrics': {
    kind: 'int',
    default: 0,
    placeholder: 'N',
    help: 'connection metrics for the N busiest Service ports',
  },
  shadow: {
    kind: 'bool',
    default: false,
    help: 'compare with the rules on this node, address by address; change nothing',
  },
  'accept-differences': {
    kind: 'bool',
    default: false,
    help: 'take over even if packets are handled differently',
  },
  'before-file': {
    kind: 'string',
    default: '/var/lib/sluice/before-takeover.json',
    placeholder: 'FILE',
    help: 'the backup of the rules from before the takeover',
  },
  overlay: {
    kind: 'string',
    choices: overlays,
    default: 'host-gw',
    help: 'the pod network: routes between nodes, a tunnel (vxlan, udp), or pods on the LAN (macvlan)',
  },
  family: { kind: 'string', choices: ['IPv4', 'IPv6'], help: 'print only this IP family' },
  keep: { kind: 'bool', default: false, help: 'keep the lab running until Ctrl-C' },
  output: {
    short: 'o',
    kind: 'string',
    choices: ['text', 'json'],
    default: 'text',
    help: 'the output format',
  },
  cleanup: { kind: 'bool', default: false, help: 'do what the command cleanup does' },
} as const satisfies Record<string, FlagRow>;

/** Flags with which one says how Services are to be decided, besides kube-proxy's. */
export const ownConfigFlags = {
  config: {
    kind: 'string',
    default: '',
    placeholder: 'FILE',
    help: 'a KubeProxyConfiguration file, instead of flags',
  },
  'debug-bind-address': {
    kind: 'string',
    default: defaultDebug.address,
    placeholder: 'IP[:PORT]',
    help: 'where this daemon answers status, explain and others',
  },
  'nft-input': {
    kind: 'string',
    choices: ['auto', 'json', 'text'],
    default: 'auto',
    help: 'the input format for nft; auto: JSON if this nft takes it',
  },
  'service-counters': {
    kind: 'string',
    choices: serviceCounters,
    default: 'services',
    help: 'which new connections nftables counts, for sluice top',
  },
} as const satisfies Record<string, FlagRow>;

/** Flags of every command; `v`, which is a field of the configuration too, stands among them. */
export const commonFlags = {
  color: {
    kind: 'string',
    choices: ['auto', 'always', 'never'],
    default: 'auto',
    help: 'colours in the output; auto: only on a terminal',
  },
  help: { short: 'h', kind: 'bool', default: false, help: 'print the help and exit' },
  version: { kind: 'bool', default: false, help: 'print the version and exit' },
} as const satisfies Record<string, FlagRow>;

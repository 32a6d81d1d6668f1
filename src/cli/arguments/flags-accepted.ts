// The flags of kube-proxy that no field stands for. Those without effect are checked and accepted too, so
// that a command line written for kube-proxy works as it stands.
import type { Command, Flag } from './flag.ts';

const proxying = [
  'run',
  'diff',
  'explain',
  'render',
  'cleanup',
] as const satisfies readonly Command[];

const obeyed = { effect: 'obeyed', commands: proxying, isBrief: true } as const;
const accepted = { effect: 'accepted', commands: proxying, isBrief: true } as const;
// A caller of these waits for the process to end, which `run` would never do.
const refused = { effect: 'refused', commands: proxying } as const;

/** Their table. */
export const otherProxyFlags = [
  {
    name: 'master',
    kind: 'string',
    default: '',
    placeholder: 'URL',
    help: 'the address of the API server',
    ...obeyed,
  },
  {
    name: 'healthz-port',
    kind: 'int',
    default: 10_256,
    range: { min: 0, max: 65_535 },
    help: 'the port of the health server',
    ...obeyed,
  },
  {
    name: 'metrics-port',
    kind: 'int',
    default: 10_249,
    range: { min: 0, max: 65_535 },
    help: 'the port of the metrics server',
    ...obeyed,
  },
  {
    name: 'boot-id-file',
    kind: 'string',
    default: '/proc/sys/kernel/random/boot_id',
    help: 'where the boot id is read',
    ...accepted,
  },
  {
    name: 'machine-id-file',
    kind: 'string',
    default: '/etc/machine-id,/var/lib/dbus/machine-id',
    help: 'where the machine id is read',
    ...accepted,
  },
  {
    name: 'init-only',
    kind: 'bool',
    default: false,
    help: 'prepares the node and ends',
    ...refused,
  },
  {
    name: 'write-config-to',
    kind: 'string',
    default: '',
    help: 'writes the configuration to a file and ends',
    ...refused,
  },
] as const satisfies readonly Flag[];
